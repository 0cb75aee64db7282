"""A service that answers as it is told, with a clock of its own, for recordings made of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from cellvoice.client.cassette import Cassette, Clocks

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
SHORTEST = "gpt-audio-1.5.basic.shortest.sse"
URL = "https://api.openai.com/v1/chat/completions"
KEY = "sk-proj-QwErTyUiOpAsDfGhJkLzXcVbNm0123456789"
NOVEMBER = 1_795_600_000.0


class Time:
    """Time that passes when somebody sleeps, and at nothing else."""

    def __init__(self, now_s: float = NOVEMBER) -> None:
        self.now_s = now_s
        self.slept: list[float] = []

    def clocks(self) -> Clocks:
        return Clocks(now=lambda: self.now_s, monotonic=lambda: self.now_s, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)


@dataclass
class Answer:
    """Pieces of a body, each with the seconds before it; an exception cuts it there."""

    pieces: Sequence[tuple[float, bytes | Exception]]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    head_s: float = 0.0


class Service(httpx.AsyncBaseTransport):
    """Gives the answers in turn."""

    def __init__(self, time: Time, *answers: Answer | Exception) -> None:
        self._time = time
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        await self._time.sleep(answer.head_s)
        headers = {"content-type": "text/event-stream", **answer.headers}
        return httpx.Response(answer.status, headers=headers, stream=_Body(self, answer))

    async def aclose(self) -> None:
        self.closed += 1


class _Body(httpx.AsyncByteStream):
    def __init__(self, service: Service, answer: Answer) -> None:
        self._service = service
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for wait_s, piece in self._answer.pieces:
            await self._service._time.sleep(wait_s)
            if isinstance(piece, Exception):
                raise piece
            yield piece


@dataclass
class Got:
    """A response as it was read: its pieces with the seconds since the request."""

    status: int
    headers: dict[str, str]
    pieces: list[tuple[float, bytes]]
    error: Exception | None = None

    @property
    def body(self) -> bytes:
        return b"".join(data for _, data in self.pieces)


async def read(
    cassette: httpx.AsyncBaseTransport,
    time: Time,
    body: dict[str, Any],
    *,
    stop_after: int | None = None,
    headers: dict[str, str] | None = None,
) -> Got:
    """Ask and read the whole reply, or leave after some pieces."""
    start_s = time.now_s
    sent = {"authorization": f"Bearer {KEY}", "accept-encoding": "identity", **(headers or {})}
    request = httpx.Request("POST", URL, headers=sent, content=json.dumps(body).encode())
    response = await cassette.handle_async_request(request)
    got = Got(response.status_code, dict(response.headers), [])
    assert isinstance(response.stream, httpx.AsyncByteStream)
    try:
        async for data in response.stream:
            got.pieces.append((round(time.now_s - start_s, 6), data))
            if len(got.pieces) == stop_after:
                break
    except Exception as error:  # noqa: BLE001 (whatever ends it is what the test looks at)
        got.error = error
    finally:
        await response.aclose()
    return got


async def record(folder: Path, time: Time, *answers: Answer | Exception, **options: Any) -> Got:
    """Record answers to the question “1”, “2” … each; the last one that was read."""
    service = Service(time, *answers)
    cassette = Cassette(folder, "record", transport=service, clocks=time.clocks())
    for number, _ in enumerate(answers, start=1):
        got = await read(cassette, time, question(str(number)), **options)
    return got


def question(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-audio", "messages": [{"role": "user", "content": text}], **fields}


def shortest(pieces: int = 7, wait_s: float = 0.25) -> Answer:
    """A recorded spoken reply, cut at places that know nothing of its events."""
    body = (RECORDED / SHORTEST).read_bytes()
    size = -(-len(body) // pieces)
    cuts = [body[start : start + size] for start in range(0, len(body), size)]
    return Answer([(wait_s, cut) for cut in cuts], head_s=0.5)


def player(path: Path, time: Time, **options: Any) -> Cassette:
    return Cassette(path, clocks=time.clocks(), **options)
