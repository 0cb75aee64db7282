"""The clocks of one exchange: until the reply begins, between its bytes, and over all of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from typing import TypeVar

import httpx

from cellvoice.errors import AnswerTimeout, CellvoiceError, IdleTimeout, StreamBroken, TotalTimeout

from ._causes import is_of_the_network, translated
from ._failures import Cut
from .options import Timeouts

__all__ = ["Limits", "begun_with"]

T = TypeVar("T")

_KEPT = "what came is kept, ask again for the rest"


class Limits:
    """Made when an exchange begins, on its loop. The transports' own clocks are not used.

    They differ in what they count and in what they raise, and none has one for the whole.
    """

    def __init__(self, timeouts: Timeouts, place: str) -> None:
        self._timeouts = timeouts
        self._place = place
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + _or_forever(timeouts.total_s)
        self._first_byte_by = math.inf

    @property
    def left_s(self) -> float:
        """What is left of the whole."""
        return self._end - self._now()

    async def answer(self, sending: Awaitable[T]) -> T:
        """Wait for the head of the answer. Raises AnswerTimeout or TotalTimeout."""
        self._first_byte_by = self._now() + _or_forever(self._timeouts.first_byte_s)
        try:
            async with asyncio.timeout_at(_when(min(self._first_byte_by, self._end))) as clock:
                return await sending
        except TimeoutError:
            # The operating system's own is the network's matter.
            if not clock.expired():
                raise
        raise self._no_answer()

    def watch(self, response: httpx.Response) -> None:
        """From now on the body is read within the limits; too late, it ends with an error."""
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Watched(response.stream, self)

    def until_next_byte(self, begun: bool) -> float:
        """By when (in the loop's time) the next bytes must be there."""
        by = self._now() + _or_forever(self._timeouts.idle_s) if begun else self._first_byte_by
        return min(by, self._end)

    def cut(self, begun: bool) -> StreamBroken:
        """The error for bytes that did not come in time."""
        if self._end <= self._now():
            return self._over()
        limit_s, name = self._timeouts.first_byte_s, "first_byte_s"
        if begun:
            limit_s, name = self._timeouts.idle_s, "idle_s"
        return IdleTimeout(
            f"{self._place} fell silent in the middle of the reply: no byte for {limit_s:g} s; "
            f"{_KEPT}, or wait longer with timeout=Timeouts({name}=…)"
        )

    def _no_answer(self) -> CellvoiceError:
        if self._end <= self._now():
            return self._over()
        return AnswerTimeout(
            f"{self._place} did not answer within {self._timeouts.first_byte_s:g} s; check the "
            "network and base_url and ask again, or wait longer with "
            "timeout=Timeouts(first_byte_s=…)"
        )

    def _over(self) -> TotalTimeout:
        return TotalTimeout(
            f"{self._place} was not done after {self._timeouts.total_s:g} s, the limit for a whole "
            f"reply; {_KEPT}, or allow more with timeout=seconds"
        )


async def begun_with(response: httpx.Response) -> bytes:
    """The first bytes of a watched body, which stay in it; empty if it has none."""
    assert isinstance(response.stream, _Watched)
    return await response.stream.first()


class _Watched(httpx.AsyncByteStream):
    """A body under its limits. Every failure of the network comes out of it as one of httpx's."""

    def __init__(self, body: httpx.AsyncByteStream, limits: Limits) -> None:
        self._body = body
        self._chunks = aiter(body)
        self._limits = limits
        self._clock = _Clock()
        self._first: bytes | None = None
        self._begun = False

    async def first(self) -> bytes:
        if self._first is None and not self._begun:
            self._first = await self._next()
        return self._first or b""

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> bytes:
        chunk, self._first = self._first, None
        if chunk is None:
            chunk = await self._next()
        if chunk is None:
            raise StopAsyncIteration
        self._begun = True
        return chunk

    async def _next(self) -> bytes | None:
        begun, clock = self._begun, self._clock
        failed: Exception
        try:
            return await clock.wait(anext(self._chunks), self._limits.until_next_byte(begun))
        except StopAsyncIteration:
            return None
        except Exception as error:
            if clock.expired:
                failed = Cut(self._limits.cut(begun))
            elif isinstance(error, CellvoiceError) or not is_of_the_network(error):
                raise
            else:
                failed = translated(error)
        # Out of the handler: what was raised inside it would be held as the context.
        raise failed

    async def aclose(self) -> None:
        self._clock.stop()
        await self._body.aclose()


class _Clock:
    """As `asyncio.timeout_at`, for thousands of waits: one timer, which moves only when it rings.

    A limit that is moved with every piece would set and cancel a timer for each, which costs as
    much as reading the piece.
    """

    def __init__(self) -> None:
        self.expired = False
        self._loop = asyncio.get_running_loop()
        self._by = math.inf
        self._waiting: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, awaitable: Awaitable[T], by: float) -> T:
        """Await something until `by` in the loop's time. Raises TimeoutError, and is `expired`."""
        self._by = by
        if by != math.inf and (self._timer is None or by < self._timer.when()):
            self._set(by)
        task = self._waiting = asyncio.current_task()
        assert task is not None
        cancelled_before = task.cancelling()
        try:
            return await awaitable
        except asyncio.CancelledError:
            # If somebody else cancelled as well, it is theirs.
            if self.expired and task.uncancel() <= cancelled_before:
                raise TimeoutError from None
            raise
        finally:
            self._waiting = None

    def stop(self) -> None:
        """Let the timer go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, when: float) -> None:
        self.stop()
        self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiting is None:
            return  # nobody waits now; the next wait sets it anew
        if self._loop.time() < self._by:
            self._set(self._by)
            return
        self.expired = True
        self._waiting.cancel()


def _or_forever(limit_s: float | None) -> float:
    return math.inf if limit_s is None else limit_s


def _when(by: float) -> float | None:
    return None if by == math.inf else by
