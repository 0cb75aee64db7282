"""The part of a `Turn` that is about what came over the wire."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cellvoice.protocol import RawEvents, RawLog, raw_events

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Wired"]


class Wired:
    """What a `Turn` knows of its events as they came."""

    _session: Session

    def __init__(self) -> None:
        # None in a turn that was read from a journal, which does not have it.
        self._raw: RawLog | None = RawLog(time.perf_counter)

    @property
    def events(self) -> RawEvents:
        """What came over the wire, event by event, of all requests of the turn, also refusals.

        Times are seconds since the first request was sent. About 0.8 MB is kept, sound not
        counted; `events.left_out` is how many are missing. It is not in the journal: a turn that
        was resumed or loaded has none.
        """
        if self._raw is None:
            return RawEvents()
        return raw_events(self._raw, self._session._asking.wire.hide)

    @property
    def events_kept(self) -> bool:
        """Whether `events` has what came: False for a turn that was resumed or loaded."""
        return self._raw is not None
