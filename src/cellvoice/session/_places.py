"""A session's conversation as it changes: from any thread, one change at a time."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ._conversation import Conversation
from ._slots import Slot

if TYPE_CHECKING:
    from ._outline import Outline
    from .turn import Turn

__all__ = ["Change", "Mark", "Places", "all_turns", "drop_cells", "end_cell_run"]

# Whether a turn is stale, and which version of its place it is, of how many.
Mark = tuple[bool, tuple[int, int]]
_UNMARKED: Mark = (False, (1, 1))
# Every session that may have turns of a cell.
_alive: weakref.WeakSet[Places] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be told of a change, outside of the lock."""

    before: Conversation
    after: Conversation


class Places:
    """Which turn stands where. `lock` guards every change; reading needs none."""

    def __init__(
        self, write_outline: Callable[[Outline], object], reshaped: Callable[[], object]
    ) -> None:
        self.lock = threading.Lock()
        # A cell that makes a new session at every run has not asked less of the old one.
        self.born_in: str | None = None
        # Called under the lock, so that outlines come in the order of the changes.
        self._write_outline = write_outline
        self._reshaped = reshaped
        self._now = Conversation()
        self._told: dict[Turn, Mark] = {}
        _alive.add(self)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The current turns."""
        return self._now.turns

    @property
    def asked(self) -> tuple[Turn, ...]:
        """All turns of the session, also older versions and dropped ones."""
        return (*(turn for slot in self._now.slots for turn in slot.turns), *self._now.dropped)

    @property
    def paid_here(self) -> tuple[Turn, ...]:
        """Those of them that this session asked itself."""
        return tuple(turn for turn in self.asked if not turn._shared)

    def shown(self) -> list[tuple[Turn, Mark]]:
        """The current turns, each with the attempts behind it that may still replace it."""
        now = self._now
        marks = _marks(now)
        found: list[tuple[Turn, Mark]] = []
        for slot in now.slots:
            trying = (one for one in slot.trying if one is not slot.current)
            found += [(one, marks[one]) for one in (slot.current, *trying)]
        return found

    def made_since(self, count: int) -> tuple[Turn, ...]:
        """The current turns of all places but the first `count` that were made."""
        return tuple(slot.current for slot in self._now.slots if slot.serial >= count)

    def restore(
        self,
        turns: Iterable[Turn],
        outline: Outline | None = None,
        others: Mapping[str, Turn] | None = None,
        *,
        shared: int = 0,
    ) -> None:
        """Start with turns that have ended; `others` are the ones that the outline names.

        `shared` is how many places the session had when it left another one.
        """
        known = others or {}
        versions: dict[str, tuple[Turn, ...]] = {}
        dropped: list[Turn] = []
        if outline is not None:
            for name, older in outline.versions.items():
                versions[name] = tuple(known[one] for one in older if one in known)
            dropped = [known[one] for one in outline.dropped if one in known]
        stale = outline.stale if outline is not None else frozenset()
        self._now = now = Conversation.of(turns, versions, dropped, shared)
        for turn in now.turns:
            if turn.id in stale:
                turn._followed = ~now.followed(turn)  # anything else
            elif turn._followed is None:
                turn._followed = now.followed(turn)
        self._told = _marks(now)
        self._count()

    def outline(self) -> Outline:
        """The shape of the conversation now."""
        return self._now.outline()

    def slot_of(self, turn: Turn) -> Slot | None:
        """The place of a turn, or None."""
        return self._now.slot_of(turn)

    def before(self, turn: Turn) -> tuple[Turn, ...]:
        """The current turns that a turn follows, also one that has no place yet."""
        now = self._now
        if now.slot_of(turn) is None:
            now = _with(now, turn)
        return now.before(turn)

    def followed(self, turn: Turn) -> int:
        """A number that stands for the turns that it is asked after."""
        return self._now.followed(turn)

    def is_stale(self, turn: Turn) -> bool:
        """Whether a turn was asked after others than those before it now."""
        return self._now.is_stale(turn)

    def stale_from(self, index: int) -> tuple[int, Turn] | None:
        """The first stale turn at an index or after it, with its index."""
        now = self._now
        stale = set(now.stale())
        found = ((i, turn) for i, turn in enumerate(now.turns) if i >= index and turn in stale)
        return next(found, None)

    def versions_of(self, turn: Turn) -> tuple[Turn, ...]:
        """The other turns of its place."""
        slot = self._now.slot_of(turn)
        return slot.versions_of(turn) if slot is not None else ()

    def version(self, turn: Turn) -> tuple[int, int]:
        """Which one of its place it is, from 1, and of how many."""
        slot = self._now.slot_of(turn)
        return slot.version(turn) if slot is not None else (1, 1)

    def standing(self, turn: Turn) -> Turn | None:
        """What stands now in the place that a turn would take."""
        slot = _with(self._now, turn).slot_of(turn)
        return slot.current if slot is not None and slot.current is not turn else None

    def reserve(self, turn: Turn) -> None:
        """Keep the place of a turn that waits for its input."""
        cell = turn.cell
        if cell is not None:
            self.apply(lambda now: now.reserved(turn, cell.id, cell.run))

    def release(self, turn: Turn) -> None:
        """Give the place of such a turn back, unless it was asked."""
        if self._now.slot_of(turn) is None:
            self.apply(lambda now: now.released(turn))

    def put(self, turn: Turn) -> Change:
        """Give a turn its place. The caller holds the lock and tells of the change."""
        return self._become(_with(self._now, turn))

    def settle(self, turn: Turn) -> None:
        """A turn has ended: it takes its place if it is an answer."""
        self.apply(lambda now: now.settled(turn))

    def append(self, turns: Iterable[Turn]) -> None:
        """Put turns that have ended where their cell asks for them."""

        def with_all(now: Conversation) -> Conversation:
            for turn in turns:
                now = _with(now, turn).settled(turn)
            return now

        self.apply(with_all)

    def apply(self, change: Callable[[Conversation], Conversation]) -> None:
        """Change the conversation and tell of it."""
        with self.lock:
            told = self._become(change(self._now))
        self.tell(told)

    def tell(self, change: Change) -> None:
        """Tell the journal and the cards, and stop what was dropped. Without the lock."""
        before, after = change.before, change.after
        kept = set(before.dropped)
        for turn in after.dropped:
            if turn not in kept and not turn.done:
                turn.stop()
        with self.lock:
            # The end of a turn changes marks, too, where it changes no place.
            old, new = self._told, _marks(self._now)
            self._told = new
            if before.slots == after.slots and old == new:
                return
            self._write_outline(self._now.outline())
        self._reshaped()
        for turn, mark in new.items():
            if old.get(turn, _UNMARKED) != mark:
                turn._marked()

    def _become(self, after: Conversation) -> Change:
        change = Change(self._now, after)
        self._now = after
        self._count()
        return change

    def _count(self) -> None:
        for number, slot in enumerate(self._now.slots, 1):
            for turn in slot.turns:
                turn._number = number


def all_turns() -> dict[str, Turn]:
    """The turns of every session that is still held, by their ids, older versions included.

    One that branches share is that of the session which asked it.
    """
    found: dict[str, Turn] = {}
    for places in list(_alive):
        for turn in places.asked:
            if turn.id not in found or found[turn.id]._shared:
                found[turn.id] = turn
    return found


def end_cell_run(cell: str, run: str) -> None:
    """A run of a cell has ended: turns that only its earlier runs asked are dropped."""
    for places in list(_alive):
        born = places.born_in == cell
        ended = partial(Conversation.run_ended, cell=cell, run=run, unless_untouched=born)
        places.apply(ended)


def drop_cells(cells: Collection[str]) -> None:
    """Cells were deleted: their turns are dropped."""
    for places in list(_alive):
        places.apply(lambda now: now.without_cells(cells))


def _with(now: Conversation, turn: Turn) -> Conversation:
    if turn._instead_of is not None:
        found = now.asked_again(turn._instead_of, turn)
        if found is not now:
            return found
    cell = turn.cell
    if turn._in_pad or cell is None:
        return now.appended(turn, (cell.id, True) if cell is not None else (None, False))
    return now.begun(turn, cell.id, cell.run)


def _marks(now: Conversation) -> dict[Turn, Mark]:
    stale = set(now.stale())
    return {
        turn: (turn in stale and turn is slot.current, slot.version(turn))
        for slot in now.slots
        for turn in slot.turns
    }
