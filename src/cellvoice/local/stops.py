"""Stop strings, which may begin and end anywhere inside the tokens of a text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["StopText"]


class StopText:
    """Cut a text at the first of the stop strings, though it may arrive in pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.reached = False

    def feed(self, piece: str) -> str:
        """What can be said by now; text that may begin a stop string is held back."""
        if self.reached:
            return ""
        self._held += piece
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.reached = True
            said, self._held = self._held[: min(found)], ""
            return said
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - keep
        said, self._held = self._held[:cut], self._held[cut:]
        return said

    def finish(self) -> str:
        """The text still held back when no stop string came."""
        said, self._held = self._held, ""
        return said


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` could begin `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
