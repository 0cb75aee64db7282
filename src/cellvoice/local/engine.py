"""The engine: a checked request in, typed events out. It knows no HTTP and no JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cellvoice.audio import Clip
from cellvoice.protocol import ENGINE_MODEL

from .asks import Ask
from .budget import Budget
from .corpus import load_corpus
from .ears import Ear, choose_ear
from .hearing import understand
from .memory import Memory
from .messages import Earlier, Message
from .model import LanguageModel
from .sampler import StopText, generate
from .sound import OUTPUT_RATE_HZ, TOKEN_SAMPLES
from .speaking import Speaker
from .tokenizer import END
from .voices import Voice, WordTime, choose_voice

__all__ = ["NAME", "Begun", "Beat", "Engine", "Ended", "Event", "Sound", "Spent", "Timed", "Words"]

NAME = ENGINE_MODEL
BADGE = "embedded engine, not gpt-audio"
_LONGEST_ANSWER = 120  # tokens; the corpus' longest has about thirty
_CHUNK_TOKENS = 8  # 400 ms, as gpt-audio-1.5 sends
_SENTENCE_END = re.compile(r"[.!?]\s*$")


@dataclass(frozen=True, slots=True)
class Begun:
    """The question is understood. `heard` is the newest spoken input in words, or None.

    `sound` is what kind of sound it was: "speech", "silence", "music" or "noise", or None.
    """

    audio_id: str | None
    heard: str | None
    sound: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A token's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Beat:
    """One audio token (50 ms) has been made."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Up to 400 ms of 24 kHz pcm16; `start_s` is where it belongs in the reply."""

    pcm: bytes
    start_s: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens used, counted as the service counts them."""

    prompt_text: int
    prompt_audio: int
    text: int
    audio: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The reply is whole, or was cut by the token limit."""

    finish: str  # "stop" | "length"
    spent: Spent
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Timed:
    """When the words of a sentence are said, counted in the whole reply."""

    words: tuple[WordTime, ...]


Event = Begun | Words | Timed | Beat | Sound | Ended


class Engine:
    """Hears, answers and speaks. One may serve several requests at a time, from any thread."""

    def __init__(
        self,
        *,
        voice: Voice | None = None,
        ear: Ear | None = None,
        corpus_path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._voice = voice or choose_voice()
        self._ear = ear or choose_ear(corpus_path=corpus_path)
        self._model = LanguageModel(load_corpus(corpus_path))
        self._memory = Memory(clock)
        self.clock = clock

    @property
    def fingerprint(self) -> str:
        """The parts in use, in the form of the service's `system_fingerprint`."""
        return f"fp_cellvoice_{self._voice.part}_{self._ear.part}"

    def described(self, heard: str | None, sound: str | None) -> dict[str, str | None]:
        """What the engine is, for the `x_engine` field of a reply."""
        return {
            "name": NAME,
            "badge": BADGE,
            "voice": self._voice.label,
            "ear": self._ear.label,
            "heard": heard,
            "sound": sound,
        }

    def earlier(self, audio_id: str) -> Earlier | None:
        """A spoken answer of the last hour, or None."""
        return self._memory.get(audio_id)

    def warm_up(self) -> None:
        """Let the ear load its models in the background."""
        self._ear.warm_up()

    def close(self) -> None:
        """End the ear's process."""
        self._ear.close()

    def reply(self, ask: Ask) -> Iterator[Event]:
        """Answer one request, event by event; closing the iterator stops the work.

        Raises EngineError when a part fails; nothing is remembered of a reply that did not end.
        """
        understood = understand(self._ear, _newest(ask, "user"))
        audio_id = self._memory.new_id() if ask.speaks else None
        yield Begun(audio_id, understood.heard, understood.sound)
        tokens = self._tokens(ask, understood.question, understood.notice)
        budget = Budget(ask.sampling.max_tokens)
        said: list[str] = []
        speech = _Speech()
        speaker = Speaker(self._voice, ask.voice)
        for pieces in self._sentences(tokens, ask):
            pcm = speaker.sentence("".join(pieces)) if ask.speaks else b""
            text_count, audio_count = budget.fit(len(pieces), len(pcm) // (2 * TOKEN_SAMPLES))
            for piece in pieces[:text_count]:
                said.append(piece)
                yield Words(piece)
            if times := speaker.given(len("".join(pieces[:text_count])), audio_count):
                yield Timed(times)
            yield from speech.add(pcm[: audio_count * 2 * TOKEN_SAMPLES])
            if budget.reached:
                break
        yield from speech.finish(ask.speaks)
        spent = replace(self._prompt(ask), text=budget.text, audio=budget.audio)
        expires_at = None
        if audio_id is not None:
            expires_at = self._memory.keep(audio_id, "".join(said), budget.audio)
        yield Ended("length" if budget.reached else "stop", spent, expires_at)

    def _tokens(self, ask: Ask, question: str, notice: str | None) -> Iterator[int]:
        if notice is not None:
            # A notice is a report, not an answer: it is said as it is, not sampled.
            return iter(self._model.tokenizer.encode(notice))
        previous = _newest(ask, "assistant")
        answering = self._model.answering(question, previous.text() if previous else None)
        return generate(answering, ask.sampling, END, _LONGEST_ANSWER)

    def _sentences(self, tokens: Iterator[int], ask: Ask) -> Iterator[list[str]]:
        """The answer sentence by sentence, each as the texts of its tokens."""
        stop = StopText(ask.sampling.stop)
        limit = ask.sampling.max_tokens or _LONGEST_ANSWER
        pieces: list[str] = []
        waiting: list[int] = []
        count = 0
        for token in tokens:
            count += 1
            waiting.append(token)
            text = self._model.tokenizer.decode(waiting)
            if text.endswith("\ufffd") and len(waiting) < 4:
                continue  # a character that is made of several byte tokens
            waiting = []
            piece = stop.feed(text)
            if piece:
                pieces.append(piece)
            if stop.reached or count > limit:
                break
            if pieces and _SENTENCE_END.search(pieces[-1]):
                yield pieces
                pieces = []
        rest = stop.finish()
        if rest:
            pieces.append(rest)
        if pieces:
            yield pieces

    def _prompt(self, ask: Ask) -> Spent:
        """Tokens of the prompt: 10 a second of sound, and a replayed answer at its own count."""
        text = audio = 0
        for message in ask.messages:
            for part in message.parts:
                if isinstance(part, Clip):
                    audio += int(10 * part.duration_s + 1e-9)
                else:
                    text += len(self._model.tokenizer.encode(part))
            if message.earlier is not None:
                audio += message.earlier.audio_tokens
                text += len(self._model.tokenizer.encode(message.earlier.transcript))
        return Spent(text, audio, 0, 0)


class _Speech:
    """Cuts the sound into the service's chunks and counts its audio tokens."""

    def __init__(self) -> None:
        self._waiting = b""
        self._start_s = 0.0

    def add(self, pcm: bytes) -> Iterator[Event]:
        self._waiting += pcm
        size = _CHUNK_TOKENS * TOKEN_SAMPLES * 2
        while len(self._waiting) >= size:
            yield from self._chunk(size)

    def finish(self, speaks: bool) -> Iterator[Event]:
        if self._waiting:
            yield from self._chunk(len(self._waiting))
        if speaks:
            yield Beat()  # the service sends one more than there are audio tokens

    def _chunk(self, size: int) -> Iterator[Event]:
        pcm, self._waiting = self._waiting[:size], self._waiting[size:]
        for _ in range(size // (2 * TOKEN_SAMPLES)):
            yield Beat()
        yield Sound(pcm, self._start_s)
        self._start_s += size / (2 * OUTPUT_RATE_HZ)


def _newest(ask: Ask, role: str) -> Message | None:
    return next((message for message in reversed(ask.messages) if message.role == role), None)
