"""What the engine hears: words missed, questions understood, and what it refuses to understand.

scripts/bench engine_ear
python benchmarks/engine_ear.py --human pocketsphinx-5.1.1/test/data     people, from its sdist
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the engine's own process

import numpy as np

from cellvoice.audio import Clip
from cellvoice.local.corpus import load_corpus, spoken_words
from cellvoice.local.ears import Ear, choose_ear
from cellvoice.local.ears.kinds import kind_of
from cellvoice.local.retrieval import Retriever
from cellvoice.local.sound import ear_samples
from cellvoice.local.voices import VOICE_NAMES, Voice, choose_voice

# What nobody wrote into the corpus, and the question of the corpus that it means.
PARAPHRASES = {
    "tell me the capital of france": "what is the capital of france",
    "which city is the capital of italy": "what is the capital of italy",
    "why does the sky look blue": "why is the sky blue",
    "please explain what a spectrogram is": "what is a spectrogram",
    "can you tell me what the median is": "what is the median",
    "i would like to know what a sampling rate is": "what is a sampling rate",
    "so who are you": "who are you",
    "could you explain the standard deviation": "what is the standard deviation",
}
STRANGE = (
    "what is the price of a bicycle",
    "please book a table for four tomorrow",
    "my brother lives near the harbour",
    "how many students came to the party",
    "turn the page and read the second line",
    "the train leaves at half past nine",
    "i would like a cup of coffee with milk",
    "where did you put the green umbrella",
    "nobody knows who painted this wall",
    "she sold her car last winter",
    "we should paint the kitchen yellow",
    "the doctor will see you on thursday",
)
STRANGE_VOICES = ("alloy", "coral", "onyx", "sage")
WER_BAR, VOICES_BAR, REFUSED_BAR = 0.05, 8, 0.85


def samples_of(voice: Voice, name: str, text: str) -> np.ndarray:
    """A sentence as an ear gets it."""
    return ear_samples(Clip.from_array(voice.speak(text, name), 24_000))


def words_missed(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words wrong, lost and added: the edit distance."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(said, start=1):
        before, row[0] = row[:], at
        for to, other in enumerate(heard, start=1):
            row[to] = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (word != other))
    return row[-1]


class Bench:
    """One ear and one voice."""

    def __init__(self, ear: Ear, voice: Voice, every: int) -> None:
        corpus = load_corpus()
        self.ear = ear
        self.voice = voice
        self.retriever = Retriever(corpus)
        self.questions = [text for _, text in corpus.questions()][::every]
        self.topic_of = {text: topic for topic, text in corpus.questions()}

    def topic(self, text: str | None) -> int | None:
        """What the engine would answer about."""
        found = self.retriever.matches(text) if text else []
        return found[0].topic if found else None

    def word_error_rate(self, name: str) -> float:
        """Of the corpus' own questions, every so many of them."""
        missed = said = 0
        for text in self.questions:
            words = spoken_words(text)
            heard = self.ear.hear(samples_of(self.voice, name, text)).text or ""
            missed += words_missed(words, heard.split())
            said += len(words)
        return missed / said

    def understood(self, name: str) -> int:
        """How many of the paraphrases lead to the right topic."""
        return sum(
            self.topic(self.ear.hear(samples_of(self.voice, name, text)).text)
            == self.topic_of[meant]
            for text, meant in PARAPHRASES.items()
            if meant in self.topic_of
        )

    def refused(self) -> float:
        """The share of sentences from elsewhere that get no answer of the corpus."""
        told = [
            self.topic(self.ear.hear(samples_of(self.voice, name, text)).text)
            for name in STRANGE_VOICES
            for text in STRANGE
        ]
        return sum(topic is None for topic in told) / len(told)


def table(part: str, voice_part: str, every: int) -> bool:
    """Measure one ear with one voice, print it, and say whether its bars are met."""
    ear, voice = choose_ear(part), choose_voice(voice_part)
    bench = Bench(ear, voice, every)
    ear.warm_up()
    print(f"{ear.label}, spoken by {voice.label}: {len(bench.questions)} questions of the corpus\n")
    print(f"| voice | words missed | {len(PARAPHRASES)} paraphrases understood |\n|---|---|---|")
    rates = {}
    for name in VOICE_NAMES:
        rates[name] = bench.word_error_rate(name)
        print(f"| {name} | {rates[name]:.3f} | {bench.understood(name)} |", flush=True)
    good = sum(rate <= WER_BAR for rate in rates.values())
    refused = bench.refused()
    print(f"\nmedian {statistics.median(rates.values()):.3f}; {good} voices at {WER_BAR} or less; ")
    print(f"{refused:.0%} of {len(STRANGE)} strange sentences in 4 voices refused\n", flush=True)
    ear.close()
    # The bars are for the recogniser with the voice that it is installed with.
    return (part, voice_part) != ("sphinx", "espeak") or (
        good >= VOICES_BAR and refused >= REFUSED_BAR
    )


def people(folder: Path) -> None:
    """The recordings of pocketsphinx's own tests, which its source package carries."""
    ear = choose_ear("sphinx")
    missed = said = 0
    for path, text in _recordings(folder):
        samples = ear_samples(Clip.read(path))
        heard = (ear.hear(samples).text or "").split()
        missed += words_missed(text.split(), heard)
        said += len(text.split())
        print(f"{path.name}: {kind_of(samples)}; {' '.join(heard)}")
    print(f"people: {missed} of {said} words missed\n")
    ear.close()


def _recordings(folder: Path) -> Iterator[tuple[Path, str]]:
    for line in (folder / "cards" / "cards.transcription").read_text().splitlines():
        words, _, name = line.rpartition("(")
        yield (
            folder / "cards" / f"{name.strip(' )')}.wav",
            words.replace("<s>", "").replace("</s>", "").strip(),
        )
    for path in sorted((folder / "librivox").glob("*.wav")):
        yield path, path.with_suffix(".txt").read_text().strip()


def cpu_share(part: str) -> float:
    """CPU of hearing a question in this process, beside how long it is said."""
    ear, voice = choose_ear(part), choose_voice("formant")
    ear.warm_up()
    samples = samples_of(voice, "alloy", "what is the capital of france")
    ear.hear(samples)
    before_s = time.process_time()
    for _ in range(10):
        ear.hear(samples)
    return (time.process_time() - before_s) / 10 / (samples.shape[0] / 16_000)


def main() -> int:
    """Print all tables; 1 if a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every fortieth question")
    parser.add_argument("--every", type=int, default=9, help="take every so many questions")
    parser.add_argument("--human", type=Path, help="the folder test/data of pocketsphinx's sdist")
    given = parser.parse_args()
    every = 40 if given.quick else given.every
    met = [table("sphinx", "espeak", every)]
    for part, voice in (("phrases", "formant"), ("phrases", "espeak")):
        met.append(table(part, voice, every))
    print(f"CPU of the phrase matcher: {cpu_share('phrases'):.3f} of the time said\n")
    if given.human:
        people(given.human)
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
