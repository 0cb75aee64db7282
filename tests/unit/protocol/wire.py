"""Streams and bodies as servers write them, every way to cut them, and what is read of them."""

from __future__ import annotations

import base64
import json
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cellvoice.protocol import CompletionParser, Event, Reply, StreamParser, fold

RATE_HZ = 24_000
# Bodies up to this size are cut at every place, longer ones at as many places by chance.
EVERY_SPLIT_BYTES = 3_000
SPLITS_BY_CHANCE = 200
UNKNOWN_SIZE = 0xFFFFFFFF


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def pcm(frames: int, seed: int = 1) -> bytes:
    """Samples that no header and no silence looks like, the same for the same seed."""
    numbers = random.Random(seed)
    return b"".join(struct.pack("<h", numbers.randint(200, 9_000)) for _ in range(frames))


def wav(sound: bytes, rate_hz: int = RATE_HZ, size: int | None = None) -> bytes:
    """A 16-bit mono WAV file; `size` is what its header says in place of the truth."""
    data_size = len(sound) if size is None else size
    riff_size = len(sound) + 36 if size is None else size
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", riff_size, b"WAVE", b"fmt ", 16, 1, 1),
        *(rate_hz, rate_hz * 2, 2, 16, b"data", data_size),
    )
    return header + sound


def sse(*objects: object, done: bool = True, end: str = "\n") -> bytes:
    """An event stream: strings are lines of their own, anything else an event's JSON."""
    parts = [one if isinstance(one, str) else f"data: {_json(one)}" for one in objects]
    if done:
        parts.append("data: [DONE]")
    return "".join(part + end * 2 for part in parts).encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def choice(delta: object, index: int = 0, **more: object) -> dict[str, object]:
    return {"index": index, "delta": delta, **more}


def chunk(*choices: object, **more: object) -> dict[str, object]:
    """One object of a stream as the service writes it."""
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_780_000_000}
    return {**shared, "model": "gpt-audio-1.5", "choices": list(choices), **more}


def spoken(**audio: object) -> dict[str, object]:
    """One object with a piece of speech."""
    return chunk(choice({"audio": audio}))


def body_of(*messages: dict[str, object], **more: object) -> bytes:
    """A reply that is not streamed, of one choice for each message."""
    choices = [
        {"index": index, "message": {"role": "assistant", "content": None, **message}}
        for index, message in enumerate(messages)
    ]
    return _json({"id": "c1", "object": "chat.completion", "choices": choices, **more}).encode()


def folded(events: Iterable[Event]) -> Reply:
    reply = Reply()
    for event in events:
        fold(reply, event)
    return reply


def stream_events(*pieces: bytes) -> list[Event]:
    parser = StreamParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def read_stream(*pieces: bytes) -> Reply:
    return folded(stream_events(*pieces))


def is_complete(body: bytes) -> bool:
    """Whether a stream that ends here has said its end."""
    parser = StreamParser()
    parser.feed(body)
    parser.finish()
    return parser.complete


def read_body(*pieces: bytes, choices: int = 1) -> Reply:
    parser = CompletionParser(choices)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return folded(events + parser.finish())


def seen(reply: Reply) -> dict[str, Any]:
    """Everything in a reply, in a form that compares; errors by their words."""
    rows = reply.logprobs
    return {
        **{name: getattr(reply, name) for name in reply.__dataclass_fields__},
        "error": None if reply.error is None else (type(reply.error), str(reply.error)),
        "logprobs": None if rows is None else (list(rows.content), list(rows.refusal)),
        "others": {index: seen(other) for index, other in reply.others.items()},
    }


def every_split(body: bytes, by_chance: int = SPLITS_BY_CHANCE) -> Iterator[tuple[bytes, ...]]:
    """The body cut in two at every place; a long one in up to five, at places by chance."""
    if len(body) <= EVERY_SPLIT_BYTES:
        yield from ((body[:place], body[place:]) for place in range(1, len(body)))
        return
    numbers = random.Random(len(body))
    for _ in range(by_chance):
        places = sorted(numbers.sample(range(1, len(body)), numbers.randint(1, 4)))
        ends = zip([0, *places], [*places, len(body)], strict=True)
        yield tuple(body[start:end] for start, end in ends)


def read_every_way(
    body: bytes,
    *,
    read: Callable[..., Reply] = read_stream,
    by_chance: int = SPLITS_BY_CHANCE,
) -> Reply:
    """The reply in a stream or a body; it is the same however the bytes are cut.

    Of a stream, also with CRLF line ends.
    """
    reply = read(body)
    expected = seen(reply)
    for pieces in every_split(body, by_chance):
        assert seen(read(*pieces)) == expected, [len(piece) for piece in pieces]
    if read is read_stream:
        with_crlf = body.replace(b"\n", b"\r\n")
        assert seen(read(with_crlf)) == expected
        for pieces in every_split(with_crlf, min(by_chance, 50)):
            assert seen(read(*pieces)) == expected, "CRLF"
    return reply
