"""Replies to read, in the order and sizes of the recorded streams; the same bytes in every run."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Body", "body_for", "silent_wav", "sound_bytes"]

PCM_BYTES_PER_S = 48_000
PIECE_S = 0.1
WORDS_PER_S = 3.3
LINES_BYTES = 4_000_000

_HEAD = {
    "id": "chatcmpl-DnW1yCjIpiKF0L6q9Az8UnYq3DniJ",
    "object": "chat.completion.chunk",
    "created": 1780693570,
    "model": "gpt-audio-1.5",
    "service_tier": "default",
    "system_fingerprint": "fp_58b2b3ae96",
}


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a reply: its events, or one piece if it is not streamed."""

    pieces: tuple[bytes, ...]
    streamed: bool = True


def body_for(name: str) -> Body:
    """The reply that a model's name asks for: `spoken-60` is 60 s of speech in a stream."""
    kind, _, amount = name.rpartition("-")
    if kind == "whole":
        return Body((_whole(int(amount)),), streamed=False)
    return Body(tuple(_STREAMS[kind](int(amount))))


def sound_bytes(seconds: float) -> int:
    """The size of 16-bit mono sound at 24 kHz."""
    return round(seconds * PCM_BYTES_PER_S)


def silent_wav(seconds: float) -> bytes:
    """A WAV file as a recorder makes it: 16-bit mono at 24 kHz."""
    size = sound_bytes(seconds)
    format_chunk = b"fmt \x10\0\0\0\1\0\1\0" + (24_000).to_bytes(4, "little")
    format_chunk += PCM_BYTES_PER_S.to_bytes(4, "little") + b"\2\0\x10\0"
    riff = b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVE"
    return riff + format_chunk + b"data" + size.to_bytes(4, "little") + bytes(size)


def _event(choices: object = None, **rest: object) -> bytes:
    chunk = {**_HEAD, **({} if choices is None else {"choices": choices})}
    chunk |= {"usage": None, "obfuscation": "Kk27CsDA"} | rest
    return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode()


def _choice(delta: object, **rest: object) -> list[object]:
    return [{"index": 0, "delta": delta, **rest, "finish_reason": None}]


def _usage(audio_tokens: int, text_tokens: int) -> bytes:
    spent = audio_tokens + text_tokens
    details = {"audio_tokens": audio_tokens, "text_tokens": text_tokens}
    used = {"prompt_tokens": 20, "completion_tokens": spent, "total_tokens": spent + 20}
    return _event([], usage={**used, "completion_tokens_details": details})


def _noise(size: int) -> str:
    return base64.b64encode(random.Random(size).randbytes(size)).decode()


def _spoken(seconds: int) -> Iterator[bytes]:
    """Words first, their sound behind them, and an event without content for every 50 ms."""
    words, pieces = round(seconds * WORDS_PER_S), round(seconds / PIECE_S)
    beats = [_event()] * (seconds * 20 + 1)
    body = list(beats)
    for number in range(words):
        body.insert(number * 4, _event(_choice({"audio": {"transcript": f" word{number}"}})))
    sound = _event(_choice({"audio": {"data": _noise(sound_bytes(PIECE_S))}}))
    spread = len(body) / pieces
    places = [round((number + 1) * spread) for number in range(pieces)]
    yield _event(_choice({"role": "assistant", "refusal": None}))
    yield _event(_choice({"content": None, "audio": {"id": "audio_6a23", "transcript": "Well,"}}))
    begin = 0
    for place in places:
        yield from body[begin:place]
        yield sound
        begin = place
    yield from body[begin:]
    yield _usage(len(beats) - 1, words)
    yield _event([{"index": 0, "delta": {"audio": {"expires_at": 1780697172}}}])
    yield b"data: [DONE]\n\n"


def _written(tokens: int) -> Iterator[bytes]:
    yield _event(_choice({"role": "assistant", "content": "", "refusal": None}, logprobs=None))
    for number in range(tokens):
        yield _event(_choice({"content": f" word{number}"}, logprobs=None))
    yield from _end_of_text(tokens)


def _weighed(tokens: int) -> Iterator[bytes]:
    """A written reply with the probabilities of each token and of 20 alternatives."""
    chance = random.Random(20)
    yield _event(_choice({"role": "assistant", "content": "", "refusal": None}, logprobs=None))
    for number in range(tokens):
        row = _token(f" word{number}", chance)
        row["top_logprobs"] = [_token(f" other{other}", chance) for other in range(20)]
        probabilities = {"content": [row], "refusal": None}
        yield _event(_choice({"content": f" word{number}"}, logprobs=probabilities))
    yield from _end_of_text(tokens)


def _token(text: str, chance: random.Random) -> dict[str, object]:
    return {"token": text, "logprob": -20 * chance.random(), "bytes": list(text.encode())}


def _end_of_text(tokens: int) -> Iterator[bytes]:
    yield _event([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}])
    yield _usage(0, tokens)
    yield b"data: [DONE]\n\n"


def _lines(size: int) -> Iterator[bytes]:
    """4 MB of base64, `size` characters in each event."""
    sound = _event(_choice({"audio": {"data": _noise(size // 4 * 3)}}))
    yield _event(_choice({"content": None, "audio": {"id": "audio_6a23", "transcript": "Well,"}}))
    for _ in range(LINES_BYTES // size):
        yield sound
    yield _usage(20, 1)
    yield b"data: [DONE]\n\n"


def _whole(seconds: int) -> bytes:
    sound = base64.b64encode(silent_wav(0) + random.Random(1).randbytes(sound_bytes(seconds)))
    audio = {"id": "audio_6a23", "expires_at": 1780697172, "transcript": " word" * seconds * 3}
    message: dict[str, object] = {"role": "assistant", "content": None, "refusal": None}
    spoken = {**message, "annotations": [], "audio": {**audio, "data": sound.decode()}}
    choices = [{"index": 0, "message": spoken, "finish_reason": "stop"}]
    used = {"prompt_tokens": 20, "completion_tokens": seconds * 20, "total_tokens": 20}
    completion = {**_HEAD, "object": "chat.completion", "choices": choices, "usage": used}
    return json.dumps(completion, separators=(",", ":")).encode()


_STREAMS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "spoken": _spoken,
    "paced": _spoken,
    "written": _written,
    "weighed": _weighed,
    "lines": _lines,
}
