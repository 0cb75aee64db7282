"""A reply's bytes on their way to the client: at the pace asked for, and broken where asked for."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Literal, Protocol

from cellvoice.errors import CellvoiceError

from . import refusals
from .faults import MALFORMED, STREAM_ERROR, Fault
from .wire import Frame

__all__ = ["Body", "BrokenStream", "ConnectionCut", "Pace", "Sleep", "SoundStream"]

Pace = Literal["fast", "realtime"]
Sleep = Callable[[float], Awaitable[None]]
# At the pace of speech the sound still runs a little ahead, or every delay would be heard.
_AHEAD_S = 0.8
_STALL_S = 3_600.0
_SLOW_PIECE_S = 0.05
# Quotes inside a JSON string are escaped, so this finds a piece of sound or of writing only.
_PIECE = re.compile(rb'"(?:data|content)":"[^"]')

# What is sent at the place of the fault.
_HAPPENING = {"malformed": MALFORMED, "error": STREAM_ERROR.event() + b"data: [DONE]\n\n"}


class ConnectionCut(Exception):
    """The connection is to be closed here, in the middle of the body."""


class Body(Protocol):
    """A body that is sent as it is made; close it when it is left early."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """Stop the work on this reply. Safe to call twice."""
        ...


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
        sleep: Sleep,
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


class BrokenStream:
    """Another stream's bytes with one fault in them; see `faults`.

    Iterating raises ConnectionCut where the connection is to break.
    """

    def __init__(self, whole: Body, fault: Fault, sleep: Sleep) -> None:
        self._whole = whole
        self._fault = fault
        self._sleep = sleep
        self._pieces_left = fault.pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for batch in self._whole:
                if self._fault.name == "slow":
                    async for trickle in self._trickled(batch):
                        yield trickle
                    continue
                for event in batch.split(b"\n\n")[:-1]:
                    yield event + b"\n\n"
                    if self._reached(event):
                        if happening := _HAPPENING.get(self._fault.name):
                            yield happening
                        if await self._over():
                            return
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Stop the work on this reply. Safe to call twice."""
        await self._whole.aclose()

    def _reached(self, event: bytes) -> bool:
        """True once: right after the piece of sound or writing that the fault waits for."""
        if _PIECE.search(event) is None:
            return False
        self._pieces_left -= 1
        return self._pieces_left == 0

    async def _over(self) -> bool:
        """Whether nothing follows. A stall ends when the client leaves, or after an hour."""
        if self._fault.name == "malformed":
            return False
        if self._fault.name == "stall":
            await self._sleep(_STALL_S)
        if self._fault.name in ("cut", "stall"):
            raise ConnectionCut(f"--fault {self._fault}")
        return True

    async def _trickled(self, batch: bytes) -> AsyncIterator[bytes]:
        size = max(1, round(self._fault.bytes_per_s * _SLOW_PIECE_S))
        for at in range(0, len(batch), size):
            await self._sleep(_SLOW_PIECE_S)
            yield batch[at : at + size]
