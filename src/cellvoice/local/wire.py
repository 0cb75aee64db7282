"""Typed events to the service's bytes: a stream of server-sent events, or one JSON body."""

from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cellvoice.errors import CellvoiceError

from . import refusals
from .asks import Ask
from .engine import NAME, Beat, Begun, Ended, Engine, Event, Sound, Spent, Timed, Words
from .sound import encoded
from .voices import WordTime

__all__ = ["Frame", "completion", "stream"]

_LETTERS = string.ascii_letters + string.digits
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
    words: list[str] = []
    pcm = bytearray()
    times: list[WordTime] = []
    begun, ended = Begun(None, None), Ended("stop", Spent(0, 0, 0, 0), None)
    for event in engine.reply(ask):
        match event:
            case Begun():
                begun = event
            case Words(text):
                words.append(text)
            case Sound(chunk):
                pcm += chunk
            case Timed(some):
                times += some
            case Beat():
                pass
            case Ended():
                ended = event
    said = "".join(words)
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if ask.speaks:
        message["audio"] = {
            "id": begun.audio_id,
            "data": base64.b64encode(encoded(bytes(pcm), ask.audio_format)).decode(),
            "expires_at": ended.expires_at,
            "transcript": said,
        }
    else:
        message["content"] = said
    message["annotations"] = []
    timed = {"words": times} if times else {}
    body = {
        **_prefix(engine, "chat.completion"),
        "choices": [{"index": 0, "message": message, "finish_reason": ended.finish}],
        "usage": _usage(ended.spent),
        "service_tier": "default",
        "system_fingerprint": engine.fingerprint,
        "x_engine": {
            **engine.described(begun.heard, begun.sound),
            **timed,
        },
    }
    return json.dumps(body).encode()


class _Stream:
    """What every event of one stream has in common."""

    def __init__(self, engine: Engine, ask: Ask) -> None:
        self._engine = engine
        self._ask = ask
        self._prefix = {
            **_prefix(engine, "chat.completion.chunk"),
            "service_tier": "default",
            "system_fingerprint": engine.fingerprint,
        }

    def _line(self, **fields: Any) -> bytes:
        event = {**self._prefix, **fields}
        if self._ask.include_usage:
            event.setdefault("usage", None)
        if self._ask.obfuscate:
            # The service pads its events with noise against guessing tokens by their length.
            event["obfuscation"] = _letters(secrets.randbelow(16))
        if "x_engine" in fields:
            event["x_engine"] = event.pop("x_engine")
        return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"

    def _delta(self, delta: dict[str, Any], **fields: Any) -> bytes:
        return self._line(choices=[{"index": 0, "delta": delta, "finish_reason": None}], **fields)

    def _usage_line(self, spent: Spent) -> bytes:
        return self._line(choices=[], usage=_usage(spent)) if self._ask.include_usage else b""


class _SpokenStream(_Stream):
    """Words and sound never share an event; no event has a finish reason."""

    def __init__(self, engine: Engine, ask: Ask) -> None:
        super().__init__(engine, ask)
        self._audio_id: str | None = None
        self._named = False
        self._sounded = False
        self._times: list[WordTime] = []

    def frames(self, event: Event) -> Iterator[Frame]:
        match event:
            case Begun(audio_id, heard, sound):
                self._audio_id = audio_id
                delta = {"role": "assistant", "refusal": None}
                yield Frame(self._delta(delta, x_engine=self._engine.described(heard, sound)))
            case Words(text):
                yield Frame(self._transcript(text))
            case Timed(words):
                self._times += words
            case Beat():
                yield Frame(self._beat())
            case Sound(pcm, start_s):
                yield Frame(self._sound(pcm), start_s)
            case Ended(_, spent, expires_at):
                yield Frame(self._usage_line(spent))
                choice = {"index": 0, "delta": {"audio": {"expires_at": expires_at}}}
                yield Frame(self._line(choices=[choice]))

    def _beat(self) -> bytes:
        """An event without a choice, as the service has them; it may carry the words' times."""
        times, self._times = self._times, []
        return self._line(x_engine={"words": times}) if times else self._line()

    def _transcript(self, text: str) -> bytes:
        if self._named:
            return self._delta({"audio": {"transcript": text}})
        self._named = True
        audio = {"id": self._audio_id, "transcript": text}
        return self._delta({"content": None, "audio": audio})

    def _sound(self, pcm: bytes) -> bytes:
        data = base64.b64encode(pcm).decode()
        if self._sounded:
            return self._delta({"audio": {"data": data}})
        self._sounded = True
        audio = {"id": self._audio_id, "data": data}
        return self._delta({"role": "assistant", "content": None, "refusal": None, "audio": audio})


class _WrittenStream(_Stream):
    """The ordinary text stream."""

    def frames(self, event: Event) -> Iterator[Frame]:
        match event:
            case Begun(_, heard, sound):
                delta = {"role": "assistant", "content": "", "refusal": None}
                yield Frame(self._delta(delta, x_engine=self._engine.described(heard, sound)))
            case Words(text):
                yield Frame(self._delta({"content": text}))
            case Timed() | Beat() | Sound():
                pass
            case Ended(finish, spent, _):
                last = {"index": 0, "delta": {}, "finish_reason": finish}
                yield Frame(self._line(choices=[last]))
                yield Frame(self._usage_line(spent))


def _prefix(engine: Engine, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{_letters(29)}",
        "object": kind,
        "created": int(engine.clock()),
        "model": NAME,
    }


def _usage(spent: Spent) -> dict[str, Any]:
    prompt, completion_tokens = spent.prompt_text + spent.prompt_audio, spent.text + spent.audio
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt + completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": 0,
            "audio_tokens": spent.prompt_audio,
            "text_tokens": spent.prompt_text,
            "image_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": spent.audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
            "text_tokens": spent.text,
        },
    }


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))
