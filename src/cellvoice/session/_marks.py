"""What a turn's place in the conversation says of it: stale, one of several versions, its rungs."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from ._part import TurnPart

if TYPE_CHECKING:
    from ._memory import Rung
    from ._seams import Cell
    from .session import Session
    from .turn import Turn

__all__ = ["Marks"]

_log = logging.getLogger("cellvoice.session")


class Marks(TurnPart):
    """The part of a `Turn` that its conversation may change after it has ended."""

    _session: Session
    _id: str
    _cell: Cell | None
    _lock: threading.Lock
    _written: bool

    def __init__(self) -> None:
        # Stands for the turns that it was asked after (`Conversation.followed`), None before.
        self._followed: int | None = None
        self._rungs: Mapping[str, Rung] = MappingProxyType({})
        # The turn whose place it is to take, of those that were not found by their cell.
        self._instead_of: Turn | None = None
        self._in_pad = False
        self._listened = False
        # Whether it was asked, and paid for, in another session.
        self._shared = False
        self._on_marks: tuple[Callable[[], object], ...] = ()

    @property
    def stale(self) -> bool:
        """Whether turns before it were replaced or dropped since it was asked.

        `session.refresh()` asks such turns again. Older versions are never stale.
        """
        return self._session._asking.places.is_stale(self._as_turn())

    @property
    def versions(self) -> tuple[Turn, ...]:
        """What else was asked in its place: the older versions, in the order they were asked.

        Attempts that failed or were stopped are among them; `finish` tells. A current turn has
        all of them, an older one those before it.
        """
        return self._session._asking.places.versions_of(self._as_turn())

    @property
    def version(self) -> tuple[int, int]:
        """Which version of its place it is, from 1, and of how many."""
        return self._session._asking.places.version(self._as_turn())

    @property
    def rungs(self) -> Mapping[str, Rung]:
        """How each earlier answer was repeated when this was asked, by its turn's id.

        "audio": by the id of its sound; "transcript": by its words. Empty until it is sent.
        """
        return self._rungs

    def when_marked(self, call: Callable[[], object]) -> None:
        """Call something whenever `stale` or `version` of this turn changes.

        On whichever thread changes it, so only hand work over there. What it raises is logged.
        """
        with self._lock:
            self._on_marks = (*self._on_marks, call)

    def _marked(self) -> None:
        for call in self._on_marks:
            try:
                call()
            except Exception:  # noqa: BLE001 (a mark that is not shown changes no conversation)
                _log.exception("the marks of turn %s could not be shown", self._id)

    def _shared_with(self, session: Session, cell: Cell | None) -> Self:
        """The same turn in another session, once it has ended. It has the same id."""
        other = copy.copy(self)
        other._session, other._cell = session, cell
        other._shared, other._on_marks, other._instead_of = True, (), None
        other._written, other._lock = False, threading.Lock()
        return other

    def __eq__(self, other: object) -> bool:
        """The same exchange, also where a branch shares it."""
        return isinstance(other, Marks) and self._id == other._id

    def __hash__(self) -> int:
        return hash(self._id)
