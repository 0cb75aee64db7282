"""The process that decodes speech: `python -m cellvoice.local.ears.worker [corpus]`.

In: four bytes of length (little-endian), then 16 kHz 16-bit samples. Out: one JSON line each. It
ends when its input closes, and so never outlives its parent.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pocketsphinx
from pocketsphinx.lm import ArpaBoLM

from cellvoice.local.corpus import Corpus, load_corpus, spoken_words
from cellvoice.local.ears.phrases import Nearest, PhraseEar
from cellvoice.local.retrieval import Retriever
from cellvoice.local.words import content_words

__all__ = ["Recogniser", "main"]

# Mean word posterior from which the narrow model is believed at once …
_CERTAIN = 0.9
# … and below which a sentence is decoded again with the wide model: a question from outside the
# corpus would else be bent into one from inside.
_SURE = 0.6
_SURE_OF_A_QUESTION = 0.45  # what is word for word a question of the corpus needs less
# How much the language model weighs beside the sound. With two hundred topics the default (6.5)
# gives 188 of 204 questions in four voices their answer, this one 193.
_LANGUAGE_WEIGHT = 9
# Sentences from elsewhere are at 0.58 at least, four in five questions below 0.6.
_NEAR_ENOUGH, _NEAR_IF_AGREED = 0.5, 0.7
_IDLE_S = 0.2
_WIDE_STATES = 3_000
_FILLERS = frozenset({"<s>", "</s>", "<sil>", "[NOISE]", "[SPEECH]", "++NOISE++"})
_EXTRA_WORDS = {
    "aliasing": "EY L IY AH S IH NG",
    "gpt": "JH IY P IY T IY",
    "jupyter": "JH UW P IH T ER",
    "loudness": "L AW D N AH S",
    "nyquist": "N AY K W IH S T",
    "spectrogram": "S P EH K T R AH G R AE M",
}


class Recogniser:
    """Two decoders, a quick one biased to the corpus and a wide one for everything else; between
    them the phrase matcher, which errs elsewhere: it compares whole questions, not sounds.
    """

    def __init__(self, corpus: Corpus) -> None:
        models = Path(pocketsphinx.get_model_path()) / "en-us"
        self._hmm, self._wide_dict = str(models / "en-us"), str(models / "cmudict-en-us.dict")
        self._wide_lm = str(models / "en-us.lm.bin")
        self._retriever = Retriever(corpus)
        self._near = self._near_decoder(corpus)
        self._known = {" ".join(spoken_words(text)) for _, text in corpus.questions()}
        self._phrases = PhraseEar(corpus=corpus)
        self._wide: Any = None

    def warm_up(self) -> None:
        """Make the matcher's templates and open the wide decoder: more than a second."""
        self._phrases.warm_up()
        if self._wide is None:
            # Half the time of the default 30 000 active states, for one word in fifty.
            self._wide = self._decoder(
                lm=self._wide_lm, dict=self._wide_dict, maxhmmpf=_WIDE_STATES
            )

    def text(self, pcm16_16khz: bytes) -> str:
        """The words said, lower case, without punctuation; "" if there are none."""
        words, sureness = _decode(self._near, pcm16_16khz)
        if not words:
            return ""
        near = " ".join(words)
        # The narrow model can only say the corpus' words, so what resembles none of its
        # questions was probably something else.
        answerable = bool(self._retriever.matches(near))
        if answerable and sureness >= (_SURE_OF_A_QUESTION if near in self._known else _CERTAIN):
            return near
        samples = np.frombuffer(pcm16_16khz, dtype="<i2").astype(np.float32) / np.float32(32768)
        found = self._phrases.nearest(samples)
        if found is not None and _believable(found, words):
            return found.text
        if answerable and sureness >= _SURE:
            return near
        self.warm_up()
        wide, _ = _decode(self._wide, pcm16_16khz)
        return " ".join(wide)

    def _near_decoder(self, corpus: Corpus) -> Any:
        sentences = [spoken_words(question) for _, question in corpus.questions()]
        sentences += [spoken_words(opening) for opening in corpus.openings]
        lines = _pronunciations(self._wide_dict, {word for s in sentences for word in s})
        known = {line.split()[0] for line in lines}
        # A word without a pronunciation would make the decoder refuse to start.
        text = "\n".join(" ".join(w for w in s if w in known) for s in sentences)
        model = ArpaBoLM(text=text, add_start=True)
        model.compute()
        with tempfile.TemporaryDirectory(prefix="cellvoice-ear-") as folder:
            dictionary, arpa = Path(folder, "near.dict"), Path(folder, "near.lm")
            dictionary.write_text("\n".join(lines) + "\n", encoding="utf-8")
            with arpa.open("w", encoding="utf-8") as file:
                model.write(file)
            # Its second pass costs two fifths of the time and changes one word in a hundred.
            return self._decoder(
                lm=str(arpa), dict=str(dictionary), fwdflat=False, lw=_LANGUAGE_WEIGHT
            )

    def _decoder(self, **config: str | int) -> Any:
        return pocketsphinx.Decoder(hmm=self._hmm, loglevel="FATAL", **config)


def _believable(found: Nearest, words: list[str]) -> bool:
    """Whether a question is near enough by itself, or has words that the decoder heard as well.

    "what is the" is in every other question and proves nothing.
    """
    if found.place < _NEAR_ENOUGH:
        return True
    telling = set(content_words(found.text))
    return found.place < _NEAR_IF_AGREED and 3 * len(telling & set(words)) >= max(1, len(telling))


def _decode(decoder: Any, pcm16_16khz: bytes) -> tuple[list[str], float]:
    """The words and their mean posterior."""
    decoder.reinit_feat()  # else the mean of the last utterance would colour this one
    decoder.start_utt()
    decoder.process_raw(pcm16_16khz, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return [], 0.0
    words: list[str] = []
    posteriors: list[float] = []
    for segment in decoder.seg():
        word = segment.word.partition("(")[0]
        if segment.word in _FILLERS or not word or word.startswith(("<", "[", "+")):
            continue
        words.append(word)
        posteriors.append(min(1.0, float(segment.prob)))
    return words, sum(posteriors) / len(posteriors) if posteriors else 0.0


def _pronunciations(dictionary: str, words: set[str]) -> list[str]:
    """The dictionary's lines for `words`, and ours for those it lacks."""
    lines: list[str] = []
    with Path(dictionary).open(encoding="utf-8") as file:
        lines += [line.strip() for line in file if line.split(None, 1)[0].split("(")[0] in words]
    known = {line.split()[0] for line in lines}
    lines += [f"{w} {p}" for w, p in _EXTRA_WORDS.items() if w in words and w not in known]
    return lines


def _read_requests(source: BinaryIO, requests: queue.Queue[bytes | None]) -> None:
    while len(header := source.read(4)) == 4:
        requests.put(source.read(int.from_bytes(header, "little")))
    requests.put(None)


def _serve(source: BinaryIO, sink: BinaryIO, recogniser: Recogniser) -> None:
    requests: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_read_requests, args=(source, requests), daemon=True).start()
    recogniser.text(bytes(16_000))  # the first sentence pays for tables that are made on demand
    patience_s: float | None = _IDLE_S
    while True:
        try:
            pcm = requests.get(timeout=patience_s)
        except queue.Empty:
            recogniser.warm_up()  # nobody is waiting, so nobody waits for the wide model
            patience_s = None
            continue
        if pcm is None:
            return
        sink.write(json.dumps({"text": recogniser.text(pcm)}).encode() + b"\n")
        sink.flush()


def main() -> None:
    """Serve until the input closes."""
    # Ctrl-C in a terminal goes to the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the C library must not write into our answers
    recogniser = Recogniser(load_corpus(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
    _serve(sys.stdin.buffer, sink, recogniser)


if __name__ == "__main__":
    main()
