"""A service that plays recorded replies with pauses, and can be held in the middle of one."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
SHORTEST = "gpt-audio-1.5.basic.shortest.sse"
SHORTEST_AUDIO_ID = "audio_6a233a4333a0819190c8b8082b1fb038"
SHORTEST_EXPIRES_AT = 1780697172
PAUSE_S = 0.002
WAIT_S = 10.0


class Hold:
    """A place in a reply where it waits until the test lets it go on."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._go = threading.Event()
        self._waiting: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def wait_until_reached(self) -> None:
        assert self._reached.wait(WAIT_S), "the reply never came here"

    def release(self) -> None:
        self._go.set()
        if self._waiting is not None:
            loop, event = self._waiting
            loop.call_soon_threadsafe(event.set)

    async def arrive(self) -> None:
        event = asyncio.Event()
        self._waiting = (asyncio.get_running_loop(), event)
        self._reached.set()
        if not self._go.is_set():
            await event.wait()


Piece = bytes | Hold | Exception


@dataclass
class Reply:
    """What the service answers once: a status and the pieces of the body."""

    pieces: Sequence[Piece]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request as it arrived, and whether its reply was closed."""

    body: dict[str, Any]
    headers: httpx.Headers
    url: httpx.URL
    closed: threading.Event = field(default_factory=threading.Event)


class Service(httpx.AsyncBaseTransport):
    """Answers with the given replies in turn; the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[Asked] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Asked(
            json.loads(await request.aread() or b"{}"), request.headers.copy(), request.url
        )
        self.asked.append(asked)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if reply.pieces and isinstance(reply.pieces[0], httpx.ConnectError):
            raise reply.pieces[0]
        kind = "text/event-stream" if reply.status == 200 else "application/json"
        headers = {"content-type": kind, "x-request-id": f"req_{len(self.asked)}", **reply.headers}
        return httpx.Response(reply.status, headers=headers, stream=_Body(reply.pieces, asked))


class _Body(httpx.AsyncByteStream):
    def __init__(self, pieces: Sequence[Piece], asked: Asked) -> None:
        self._pieces = pieces
        self._asked = asked

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Hold):
                await piece.arrive()
            elif isinstance(piece, Exception):
                raise piece
            else:
                await asyncio.sleep(PAUSE_S)
                yield piece

    async def aclose(self) -> None:
        self._asked.closed.set()


def events_of(name: str = SHORTEST) -> list[bytes]:
    """A recorded stream, cut after each event."""
    return [part + b"\n\n" for part in (RECORDED / name).read_bytes().split(b"\n\n") if part]


def recorded(name: str = SHORTEST) -> Reply:
    return Reply(events_of(name))


def speech(
    audio_id: str = "audio_1",
    text: str = "Hello",
    expires_at: int | None = None,
    sound_s: float = 0.2,
) -> Reply:
    """A small spoken reply in the service's order of events, for what no recording has."""
    pcm = base64.b64encode(b"\x10\x00" * int(24_000 * sound_s)).decode()
    deltas: list[dict[str, object]] = [
        {"choices": [{"index": 0, "delta": {"audio": {"id": audio_id, "transcript": text}}}]},
        {"choices": [{"index": 0, "delta": {"audio": {"id": audio_id, "data": pcm}}}]},
    ]
    if expires_at is not None:
        deltas.append({"choices": [{"index": 0, "delta": {"audio": {"expires_at": expires_at}}}]})
    return Reply([event(delta) for delta in deltas] + [b"data: [DONE]\n\n"])


def event(body: dict[str, object]) -> bytes:
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-audio-1.5"}
    return b"data: " + json.dumps({**shared, **body}).encode() + b"\n\n"


def refusal(status: int, **error: object) -> Reply:
    return Reply([json.dumps({"error": error}).encode()], status)


def sound_in(stream: bytes) -> bytes:
    """The sound of a stream by an independent decode: whole lines, one by one."""
    pcm = b""
    for line in stream.splitlines():
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:]).get("choices") or []:
                pcm += base64.b64decode(choice["delta"].get("audio", {}).get("data", ""))
    return pcm
