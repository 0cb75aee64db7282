"""Time, handed in, so that a lesson of an hour is tried in no time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cellvoice.errors import UsageError

__all__ = ["Clocks", "Pace", "Timing", "checked_timing"]

Timing = Literal["real", "instant"] | float
_RETRY_AFTER = ("retry-after", "retry-after-ms")


@dataclass(frozen=True, slots=True)
class Clocks:
    """`now` gives Unix seconds, `monotonic` seconds that never jump, `sleep` waits so long."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


def checked_timing(timing: object) -> float:
    """How fast to play: 1.0 is as recorded, 0.0 at once. Raises UsageError."""
    if timing == "real":
        return 1.0
    if timing == "instant":
        return 0.0
    if isinstance(timing, (int, float)) and not isinstance(timing, bool) and timing > 0:
        return float(timing)
    raise UsageError(
        f"timing={timing!r}: expected 'real', 'instant', or how many times faster, such as 2.0"
    )


class Pace:
    """Waits until it is time for what came so many seconds after the request.

    Counted from when it is made. A speed of 0.0 waits for nothing, but lets others run in between.
    """

    def __init__(self, speed: float, clocks: Clocks) -> None:
        self._speed = speed
        self._clocks = clocks
        self._start_s = clocks.monotonic()

    async def until(self, at_s: float) -> None:
        """Come back when it is time. Being cancelled ends the wait at once."""
        wait_s = 0.0
        if self._speed:
            wait_s = self._start_s + at_s / self._speed - self._clocks.monotonic()
        await self._clocks.sleep(max(wait_s, 0.0))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Recorded headers, in which a wait that the service asked for is as fast as the rest."""
        found = dict(headers)
        if not self._speed and any(name in found for name in _RETRY_AFTER):
            for name in _RETRY_AFTER:
                found.pop(name, None)
            found["retry-after-ms"] = "1"
        return found
