"""Telling a page no more often than a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

# Ten times a second looks steady, and leaves the channel to the sound.
TOLD_EVERY_S = 0.1


class Timer(Protocol):
    """What was put off and can be called off."""

    def cancel(self) -> None: ...


class Loop(Protocol):
    """The clock and the timer of an event loop."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer: ...


class Paced:
    """Has something told at once, and then not before a tenth of a second has gone by.

    What is told is the newest, so that nothing has to be kept meanwhile. Loop thread only.
    """

    def __init__(self, tell: Callable[[], object], loop: Loop) -> None:
        self._tell = tell
        self._loop = loop
        self._next_s = 0.0
        self._timer: Timer | None = None
        self._ended = False

    def soon(self) -> None:
        """There is something new."""
        if self._timer is not None or self._ended:
            return
        wait_s = self._next_s - self._loop.time()
        if wait_s <= 0:
            self._flush()
        else:
            self._timer = self._loop.call_later(wait_s, self._flush)

    def end(self) -> None:
        """Tell nothing more."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()

    def _flush(self) -> None:
        self._timer = None
        self._next_s = self._loop.time() + TOLD_EVERY_S
        self._tell()
