"""A reply on its way to the disk: taken on the loop, written on the writer's thread."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ._spool import Spool

if TYPE_CHECKING:
    from cellvoice.protocol import Event, Request

    from ._writer import Writer

__all__ = ["RunningReply"]

_log = logging.getLogger("cellvoice.session")


class RunningReply:
    """Hands over whatever has come since the last time: as much at a time as the disk leaves."""

    def __init__(self, turn_id: str, writer: Writer, enter: Callable[[], Path]) -> None:
        self._turn_id = turn_id
        self._writer = writer
        self._enter = enter
        self._events: deque[Event] = deque()
        self._handed_over = False
        self._refused = False
        self._kept: tuple[Path, Spool] | None = None

    def sent(self, request: Request) -> None:
        """Write down what was asked. Does not wait."""
        self._writer.submit(lambda: self._try(lambda spool: spool.sent(request.described())))

    def take(self, event: Event) -> None:
        """Write down an event. Does not wait; raises nothing."""
        self._events.append(event)
        if not self._handed_over:
            self._handed_over = True
            self._writer.submit(self._write)

    def remove(self) -> None:
        """The turn is written: the reply's own files go. On the writer's thread."""
        self._events.clear()
        self._refused = True
        self._spool().remove()

    def _write(self) -> None:
        # First, so that an event that comes from here on is handed over again.
        self._handed_over = False
        events: list[Event] = []
        while self._events:
            events.append(self._events.popleft())
        if events:
            self._try(lambda spool: spool.append(events))

    def _spool(self) -> Spool:
        folder = self._enter()
        if self._kept is None or self._kept[0] != folder:
            self._kept = (folder, Spool(folder, self._turn_id))
        return self._kept[1]

    def _try(self, write: Callable[[Spool], None]) -> None:
        if self._refused:
            return
        try:
            write(self._spool())
        except (OSError, TypeError, ValueError) as error:
            # Half an event must not be followed by others. At its end the turn is tried again.
            self._refused = True
            _log.warning("turn %s can't be written while it comes: %s", self._turn_id, error)
