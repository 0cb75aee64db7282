"""How much speech the service has made, told to the page no more often than a person can read."""

from __future__ import annotations

from collections.abc import Callable

from ._paced import Loop, Paced

# `protocol`, Heartbeat: one for every 50 ms of speech that is made, and one more than there are.
_HEARTBEAT_S = 0.05


def speech_s(heartbeats: int) -> float:
    """Seconds of speech that so many heartbeats stand for."""
    return round(max(0, heartbeats - 1) * _HEARTBEAT_S, 2)


class Progress:
    """One turn's meter: the first value at once, then the newest ten times a second.

    Loop thread only. After `end` nothing more is told; the card that follows has the whole.
    """

    def __init__(self, tell: Callable[[float], object], loop: Loop) -> None:
        self._tell = tell
        self._made_s = self._told_s = 0.0
        self._paced = Paced(self._flush, loop)

    def made(self, made_s: float) -> None:
        """So much has been made by now."""
        self._made_s = made_s
        if made_s != self._told_s:
            self._paced.soon()

    def end(self) -> None:
        """Tell nothing more."""
        self._paced.end()

    def _flush(self) -> None:
        self._told_s = self._made_s
        self._tell(self._made_s)
