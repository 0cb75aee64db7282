"""How much speech the service has made, told to the page no more often than a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

# `protocol`, Heartbeat: one for every 50 ms of speech that is made, and one more than there are.
_HEARTBEAT_S = 0.05

# Ten times a second looks steady, and leaves the channel to the sound.
TOLD_EVERY_S = 0.1


def speech_s(heartbeats: int) -> float:
    """Seconds of speech that so many heartbeats stand for."""
    return round(max(0, heartbeats - 1) * _HEARTBEAT_S, 2)


class Timer(Protocol):
    """What was put off and can be called off."""

    def cancel(self) -> None: ...


class Loop(Protocol):
    """The clock and the timer of an event loop."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer: ...


class Progress:
    """One turn's meter: the first value at once, then the newest ten times a second.

    Loop thread only. After `end` nothing more is told; the card that follows has the whole.
    """

    def __init__(self, tell: Callable[[float], object], loop: Loop) -> None:
        self._tell = tell
        self._loop = loop
        self._made_s = 0.0
        self._told_s = 0.0
        self._next_s = 0.0
        self._timer: Timer | None = None

    def made(self, made_s: float) -> None:
        """So much has been made by now."""
        self._made_s = made_s
        if self._timer is not None:
            return
        wait_s = self._next_s - self._loop.time()
        if wait_s <= 0:
            self._flush()
        else:
            # A burst may be followed by silence, and what came last is to be seen all the same.
            self._timer = self._loop.call_later(wait_s, self._flush)

    def end(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        self._timer = None
        if self._made_s == self._told_s:
            return
        self._told_s = self._made_s
        self._next_s = self._loop.time() + TOLD_EVERY_S
        self._tell(self._made_s)
