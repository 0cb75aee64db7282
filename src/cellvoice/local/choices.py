"""One choice of a reply: a plan carried out, event by event."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator

from .asks import Ask
from .budget import Budget
from .events import Arguments, Beat, Begun, Called, Ended, Event, Sound, Timed, Words
from .hearing import Understood
from .memory import Memory
from .pieces import Piece, pieces_of, sentences_of
from .plan import Call, Plan, Saying
from .sampler import Drawn, generate
from .sound import OUTPUT_RATE_HZ, TOKEN_SAMPLES
from .speaking import Speaker
from .tokenizer import END, Tokenizer
from .voices import Voice

__all__ = ["ChoiceMaker", "interleaved"]

_CHUNK_TOKENS = 8  # 400 ms, as gpt-audio-1.5 sends


class ChoiceMaker:
    """Carries out the plan of one request as often as choices were asked for.

    `text` and `audio` count the tokens of all choices that have ended.
    """

    def __init__(
        self, ask: Ask, plan: Plan, tokenizer: Tokenizer, voice: Voice, memory: Memory
    ) -> None:
        self._ask = ask
        self._plan = plan
        self._tokenizer = tokenizer
        self._voice = voice
        self._memory = memory
        self.text = 0
        self.audio = 0

    def choice(self, index: int, understood: Understood) -> Iterator[Event]:
        """The events of one choice; the dice of each are its own."""
        budget = Budget(self._ask.sampling.max_tokens)
        if self._plan.calls:
            yield Begun(None, understood.heard, understood.sound, index, calls=True)
            yield from self._calls(index, budget)
        else:
            yield from self._said(index, understood, budget)
        self.text += budget.text
        self.audio += budget.audio

    def _said(self, index: int, understood: Understood, budget: Budget) -> Iterator[Event]:
        audio_id = self._memory.new_id() if self._ask.speaks else None
        yield Begun(audio_id, understood.heard, understood.sound, index)
        said: list[str] = []
        speech = _Speech(index)
        speaker = Speaker(self._voice, self._ask.voice)
        for sentence in self._sentences(index, budget):
            text = "".join(piece.text for piece in sentence)
            pcm = speaker.sentence(text) if self._ask.speaks else b""
            tokens = sum(len(piece.drawn) for piece in sentence)
            text_count, audio_count = budget.fit(tokens, len(pcm) // (2 * TOKEN_SAMPLES))
            given = list(_first(sentence, text_count))
            for piece in given:
                said.append(piece.text)
                yield Words(piece.text, index, piece.drawn)
            if times := speaker.given(sum(len(piece.text) for piece in given), audio_count):
                yield Timed(times, index)
            yield from speech.add(pcm[: audio_count * 2 * TOKEN_SAMPLES])
            if budget.reached:
                break
        yield from speech.finish(self._ask.speaks)
        expires_at = None
        if audio_id is not None:
            expires_at = self._memory.keep(audio_id, "".join(said), budget.audio)
        yield Ended("length" if budget.reached else "stop", expires_at, index)

    def _calls(self, index: int, budget: Budget) -> Iterator[Event]:
        for at, call in enumerate(self._plan.calls):
            call_id = f"call_{secrets.token_hex(12)}"
            yield Called(at, call_id, call.tool.kind, call.tool.name, index)
            for piece in pieces_of(self._drawn(call, index), self._tokenizer, ()):
                count, _ = budget.fit(len(piece.drawn), 0)
                if count < len(piece.drawn):
                    break
                yield Arguments(at, call.tool.kind, piece.text, index)
            if budget.reached:
                break
        yield Ended("length" if budget.reached else "tool_calls", None, index)

    def _sentences(self, index: int, budget: Budget) -> Iterator[list[Piece]]:
        saying = self._plan.saying
        if saying.notice is not None:
            # A report, not an answer: it is said as it is, not sampled.
            drawn = iter([Drawn(token, 0.0) for token in self._tokenizer.encode(saying.notice)])
        else:
            drawn = self._drawn(saying, index)
        stops = self._ask.sampling.stop
        pieces = pieces_of(_counted(drawn, saying, budget), self._tokenizer, stops)
        if not self._ask.speaks:
            yield from ([piece] for piece in pieces)
        elif not saying.whole:
            yield from sentences_of(pieces)
        elif every := list(pieces):
            yield every

    def _drawn(self, source: Saying | Call, index: int) -> Iterator[Drawn]:
        sampling = self._ask.sampling
        # One more than fit: the budget has to see that something was cut.
        limit = min(source.longest, (sampling.max_tokens or source.longest) + 1)
        following, guide = source.begin()
        return generate(following, sampling, END, limit, choice=index, guide=guide)


class _Speech:
    """Cuts the sound into the service's chunks and counts its audio tokens."""

    def __init__(self, index: int) -> None:
        self._waiting = b""
        self._start_s = 0.0
        self._index = index

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
        yield Sound(pcm, self._start_s, self._index)
        self._start_s += size / (2 * OUTPUT_RATE_HZ)


def interleaved(choices: list[Iterator[Event]]) -> Iterator[Event]:
    """Events of all choices in turn, as the service mixes them; closing it closes them all."""
    waiting = deque(choices)
    try:
        while waiting:
            events = waiting.popleft()
            for event in events:
                yield event
                waiting.append(events)
                break
    finally:
        for events in choices:
            close = getattr(events, "close", None)
            if close is not None:
                close()


def _counted(drawn: Iterator[Drawn], saying: Saying, budget: Budget) -> Iterator[Drawn]:
    """The same; an answer that does not end by itself is cut, and then says so."""
    for count, each in enumerate(drawn, start=1):
        yield each
        if count >= saying.longest:
            budget.reached = True


def _first(sentence: list[Piece], tokens: int) -> Iterator[Piece]:
    """The pieces that are made of the first so many tokens."""
    for piece in sentence:
        tokens -= len(piece.drawn)
        if tokens < 0:
            return
        yield piece
