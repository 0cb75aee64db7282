"""Typed events to the service's bytes: a stream of server-sent events, or one JSON body."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cellvoice.errors import CellvoiceError

from . import refusals
from .asks import Ask
from .engine import Engine
from .events import Arguments, Beat, Begun, Called, Ended, Event, Sound, Spent, Timed, Words
from .sampler import Drawn
from .shapes import letters, logprobs, prefix, usage
from .sound import encoded
from .voices import WordTime

__all__ = ["Frame", "completion", "stream"]

_DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes to send. `start_s` is set for sound: where in the reply it begins."""

    data: bytes
    start_s: float | None = None


def stream(engine: Engine, ask: Ask) -> Iterator[Frame]:
    """The reply as server-sent events, in the service's exact order; close it to stop the engine.

    A part that fails after the first byte becomes an error event, as in the service.
    """
    writer = _SpokenStream(engine, ask) if ask.speaks else _WrittenStream(engine, ask)
    events = engine.reply(ask)
    first = next(events)  # hearing happens here: a failure is still an ordinary HTTP error
    try:
        yield from writer.frames(first)
        for event in events:
            yield from writer.frames(event)
    except CellvoiceError as error:
        yield Frame(refusals.engine_failed(str(error)).event())
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
    yield Frame(_DONE)


def completion(engine: Engine, ask: Ask) -> bytes:
    """The reply as one `chat.completion` body."""
    whole = [_Whole(index) for index in range(ask.choices)]
    spent = Spent(0, 0, 0, 0)
    times: list[WordTime] = []
    for event in engine.reply(ask):
        match event:
            case Begun():
                whole[event.index].begun = event
            case Spent():
                spent = event
            case Timed(some, index):
                times += () if index else some
            case Beat():
                pass
            case _:
                whole[event.index].add(event)
    begun, timed = whole[0].begun, {"words": times} if times else {}
    body = {
        **prefix(engine, "chat.completion"),
        "choices": [each.choice(engine, ask) for each in whole],
        "usage": usage(spent),
        "service_tier": "default",
        "system_fingerprint": engine.fingerprint,
        "x_engine": {**engine.described(begun.heard, begun.sound), **timed},
    }
    return json.dumps(body).encode()


class _Whole:
    """One choice, put together from its events."""

    def __init__(self, index: int) -> None:
        self.begun = Begun(None, None)
        self._index = index
        self._words: list[str] = []
        self._drawn: list[Drawn] = []
        self._pcm = bytearray()
        self._calls: list[tuple[Called, list[str]]] = []
        self._ended = Ended("stop", None)

    def add(self, event: Words | Sound | Called | Arguments | Ended) -> None:
        match event:
            case Words(text, _, drawn):
                self._words.append(text)
                self._drawn += drawn
            case Sound(chunk):
                self._pcm += chunk
            case Called():
                self._calls.append((event, []))
            case Arguments(at, _, text):
                self._calls[at][1].append(text)
            case Ended():
                self._ended = event

    def choice(self, engine: Engine, ask: Ask) -> dict[str, Any]:
        choice: dict[str, Any] = {
            "index": self._index,
            "message": self._message(ask),
            "finish_reason": self._ended.finish,
        }
        if ask.logprobs:
            choice["logprobs"] = None if self._calls else logprobs(self._drawn, engine.tokenizer)
        return choice

    def _message(self, ask: Ask) -> dict[str, Any]:
        said = "".join(self._words)
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        if self._calls:
            message["tool_calls"] = [
                {"id": call.call_id, "type": call.kind, call.kind: _asked(call, "".join(texts))}
                for call, texts in self._calls
            ]
        elif ask.speaks:
            message["audio"] = {
                "id": self.begun.audio_id,
                "data": base64.b64encode(encoded(bytes(self._pcm), ask.audio_format)).decode(),
                "expires_at": self._ended.expires_at,
                "transcript": said,
            }
        else:
            message["content"] = said
        message["annotations"] = []
        return message


def _asked(call: Called, text: str) -> dict[str, str]:
    return {"name": call.name, "arguments" if call.kind == "function" else "input": text}


class _Stream:
    """What every event of one stream has in common."""

    def __init__(self, engine: Engine, ask: Ask) -> None:
        self._engine = engine
        self._ask = ask
        self._prefix = {
            **prefix(engine, "chat.completion.chunk"),
            "service_tier": "default",
            "system_fingerprint": engine.fingerprint,
        }

    def _line(self, **fields: Any) -> bytes:
        event = {**self._prefix, **fields}
        if self._ask.include_usage:
            event.setdefault("usage", None)
        if self._ask.obfuscate:
            # The service pads its events with noise against guessing tokens by their length.
            event["obfuscation"] = letters(secrets.randbelow(16))
        if "x_engine" in fields:
            event["x_engine"] = event.pop("x_engine")
        return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"

    def _delta(self, delta: dict[str, Any], index: int = 0, **fields: Any) -> bytes:
        choice = {"index": index, "delta": delta, **fields.pop("beside", {})}
        return self._line(choices=[{**choice, "finish_reason": None}], **fields)

    def _shares(self, drawn: tuple[Drawn, ...]) -> dict[str, Any]:
        """The probabilities beside a piece of text, if they were asked for."""
        if not self._ask.logprobs:
            return {}
        return {"beside": {"logprobs": logprobs(drawn, self._engine.tokenizer)}}

    def _usage_line(self, spent: Spent) -> bytes:
        return self._line(choices=[], usage=usage(spent)) if self._ask.include_usage else b""

    def _call(self, event: Called | Arguments) -> bytes:
        call: dict[str, Any] = {"index": event.at}
        if isinstance(event, Called):
            call |= {"id": event.call_id, "type": event.kind, event.kind: _asked(event, "")}
        else:
            name = "arguments" if event.kind == "function" else "input"
            call[event.kind] = {name: event.text}
        return self._delta({"tool_calls": [call]}, event.index)

    def _finish(self, ended: Ended) -> bytes:
        choice = {"index": ended.index, "delta": {}, "finish_reason": ended.finish}
        return self._line(choices=[choice])


class _SpokenStream(_Stream):
    """Words and sound never share an event; no event has a finish reason, unless tools are called.

    A choice that calls tools has no sound, and ends as in a written stream.
    """

    def __init__(self, engine: Engine, ask: Ask) -> None:
        super().__init__(engine, ask)
        self._audio_ids: dict[int, str | None] = {}
        self._named: set[int] = set()
        self._sounded: set[int] = set()
        self._ended: list[Ended] = []
        self._times: list[WordTime] = []

    def frames(self, event: Event) -> Iterator[Frame]:
        match event:
            case Begun(audio_id, heard, sound, index):
                self._audio_ids[index] = audio_id
                delta = {"role": "assistant", "refusal": None}
                if event.calls:
                    delta["content"] = None
                yield Frame(
                    self._delta(delta, index, x_engine=self._engine.described(heard, sound))
                )
            case Words():
                yield Frame(self._transcript(event))
            case Timed(words, index):
                # The event that carries them names no choice, so they are those of the first.
                self._times += () if index else words
            case Beat():
                yield Frame(self._beat())
            case Sound():
                yield Frame(self._sound(event), event.start_s)
            case Called() | Arguments():
                yield Frame(self._call(event))
            case Ended(_, expires_at) if expires_at is None:
                yield Frame(self._finish(event))
            case Ended():
                self._ended.append(event)
            case Spent():
                yield Frame(self._usage_line(event))
                for ended in self._ended:
                    audio = {"expires_at": ended.expires_at}
                    choice = {"index": ended.index, "delta": {"audio": audio}}
                    yield Frame(self._line(choices=[choice]))

    def _beat(self) -> bytes:
        """An event without a choice, as the service has them; it may carry the words' times."""
        times, self._times = self._times, []
        return self._line(x_engine={"words": times}) if times else self._line()

    def _transcript(self, words: Words) -> bytes:
        beside = self._shares(words.drawn)
        if words.index in self._named:
            return self._delta({"audio": {"transcript": words.text}}, words.index, **beside)
        self._named.add(words.index)
        audio = {"id": self._audio_ids[words.index], "transcript": words.text}
        return self._delta({"content": None, "audio": audio}, words.index, **beside)

    def _sound(self, sound: Sound) -> bytes:
        data = base64.b64encode(sound.pcm).decode()
        if sound.index in self._sounded:
            return self._delta({"audio": {"data": data}}, sound.index)
        self._sounded.add(sound.index)
        audio = {"id": self._audio_ids[sound.index], "data": data}
        delta = {"role": "assistant", "content": None, "refusal": None, "audio": audio}
        return self._delta(delta, sound.index)


class _WrittenStream(_Stream):
    """The ordinary text stream."""

    def frames(self, event: Event) -> Iterator[Frame]:
        match event:
            case Begun(_, heard, sound, index):
                content = None if event.calls else ""
                delta = {"role": "assistant", "content": content, "refusal": None}
                yield Frame(
                    self._delta(delta, index, x_engine=self._engine.described(heard, sound))
                )
            case Words(text, index, drawn):
                yield Frame(self._delta({"content": text}, index, **self._shares(drawn)))
            case Called() | Arguments():
                yield Frame(self._call(event))
            case Timed() | Beat() | Sound():
                pass
            case Ended():
                yield Frame(self._finish(event))
            case Spent():
                yield Frame(self._usage_line(event))
