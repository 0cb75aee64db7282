"""What the engine answers to an HTTP request, without any HTTP library.

The server and the in-process transport both call `Service.answer`, so both say the same bytes.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cellvoice.errors import CellvoiceError

from . import refusals
from .asks import MODELS, parse_ask
from .engine import Engine
from .refusals import Refusal
from .wire import Frame, completion, stream

__all__ = ["MAX_BODY_BYTES", "Answer", "Pace", "Service", "SoundStream"]

Pace = Literal["fast", "realtime"]
MAX_BODY_BYTES = 64 * 1024 * 1024
# At the pace of speech the sound still runs a little ahead, or every delay would be heard.
_AHEAD_S = 0.8
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: `body` is bytes, or a stream that must be closed when it is left early."""

    status: int
    headers: Mapping[str, str]
    body: bytes | SoundStream


class SoundStream:
    """Frames as bytes, made in a thread, sent no faster than the pace allows.

    `aclose` ends the engine's generator: at once when it is idle, else as soon as the step that
    is running (at most a sentence) returns.
    """

    def __init__(
        self,
        frames: Iterator[Frame],
        pace: Pace,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._frames = frames
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._closed = False
        self._ready: list[Frame] = []
        self._begun = False
        self._sounded_at: float | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while batch := self._ready or await asyncio.to_thread(self._step):
                self._ready = []
                await self._wait(batch[-1].start_s)
                yield b"".join(frame.data for frame in batch)
        finally:
            await self.aclose()

    async def begin(self) -> None:
        """Make the first bytes now. Raises Refusal if the engine failed before it had any."""
        try:
            self._ready = await asyncio.to_thread(self._step)
        except CellvoiceError as error:
            raise refusals.engine_failed(str(error)) from error

    async def aclose(self) -> None:
        """Stop the engine's work on this reply. Safe to call twice."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def _step(self) -> list[Frame]:
        """The frames up to and including the next sound; an empty list at the end."""
        with self._lock:
            batch: list[Frame] = []
            try:
                for frame in self._frames:
                    batch.append(frame)
                    # The first frame leaves alone, so that the reply is seen to begin.
                    if self._closed or frame.start_s is not None or not self._begun:
                        break
            finally:
                if self._closed:
                    self._end()
            self._begun = True
            return batch

    def _end(self) -> None:
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()

    async def _wait(self, start_s: float | None) -> None:
        if self._pace == "fast" or start_s is None:
            return
        if self._sounded_at is None:
            self._sounded_at = self._clock()
        early_s = self._sounded_at + start_s - _AHEAD_S - self._clock()
        if early_s > 0:
            await self._sleep(early_s)


class Service:
    """Answers `POST /v1/chat/completions` and `GET /v1/models` as the service does."""

    def __init__(
        self,
        engine: Engine,
        *,
        api_key: str | None,
        pace: Pace = "fast",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`api_key=None` accepts any caller: only for the transport inside one process."""
        self._engine = engine
        self._api_key = api_key
        self._pace: Pace = pace
        self._clock = clock
        self._sleep = sleep

    async def answer(
        self, method: str, path: str, authorization: str | None, body: bytes
    ) -> Answer:
        """The response to one request; never raises for what the caller sent."""
        started = self._clock()
        try:
            self._check_key(authorization)
            status, kind, content = await self._routed(method, path, body)
        except Refusal as refusal:
            status, kind, content = refusal.status, _JSON, refusal.body()
        headers = {
            "content-type": kind,
            "openai-version": "2020-10-01",
            "openai-processing-ms": str(round((self._clock() - started) * 1000)),
            "x-request-id": f"req_{secrets.token_hex(16)}",
        }
        return Answer(status, headers, content)

    async def _routed(
        self, method: str, path: str, body: bytes
    ) -> tuple[int, str, bytes | SoundStream]:
        if path.rstrip("/") == "/v1/models":
            if method != "GET":
                raise refusals.bad_method(method, path)
            return 200, _JSON, self._models()
        if path.rstrip("/") != "/v1/chat/completions":
            raise refusals.bad_url(method, path)
        if method != "POST":
            raise refusals.bad_method(method, path)
        if len(body) > MAX_BODY_BYTES:
            raise refusals.too_large(MAX_BODY_BYTES // 1024**2)
        return await self._completed(body)

    async def _completed(self, body: bytes) -> tuple[int, str, bytes | SoundStream]:
        ask = await asyncio.to_thread(parse_ask, body, self._engine.earlier)
        if ask.stream:
            sound = SoundStream(stream(self._engine, ask), self._pace, self._clock, self._sleep)
            await sound.begin()
            return 200, "text/event-stream; charset=utf-8", sound
        try:
            return 200, _JSON, await asyncio.to_thread(completion, self._engine, ask)
        except CellvoiceError as error:
            raise refusals.engine_failed(str(error)) from error

    def _check_key(self, authorization: str | None) -> None:
        if self._api_key is None:
            return
        kind, _, key = (authorization or "").partition(" ")
        given = key.strip() if kind.lower() == "bearer" else ""
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise refusals.bad_key(given or None)

    def _models(self) -> bytes:
        rows = [
            {"id": name, "object": "model", "created": 1_795_392_000, "owned_by": "cellvoice"}
            for name in MODELS
        ]
        return json.dumps({"object": "list", "data": rows}).encode()
