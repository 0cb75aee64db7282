"""The turns of a conversation in their places. A value: every operation gives a new one.

A turn's key is its cell and its ordinal within a run of that cell. Another run counts from 0
again, so that its turns meet the slots of the run before; docs/conversation.md has the cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from ._outline import Outline
from ._slots import Absent, Lane, Run, Slot, tells

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["NOTHING_BEFORE", "Conversation"]

NOTHING_BEFORE = 0
# The run of a cell in a process that has ended; no request has this name.
_BEFORE_NOW = ""


def _chained(chain: int, turn: Turn) -> int:
    """The number for one more turn that was said; what has no answer leaves it as it is."""
    return hash((chain, turn.id)) if tells(turn) else chain


@dataclass(frozen=True, slots=True)
class Conversation:
    """`slots` in the order of the conversation; `runs` the newest run of each cell.

    `gone` are the slots that left with their cell, or that its last run did not reach: the same
    cell finds them again. `dropped` are all turns that stand nowhere, in the order they left.
    """

    slots: tuple[Slot, ...] = ()
    runs: Mapping[str, Run] = field(default_factory=dict)
    gone: Mapping[str, tuple[Absent, ...]] = field(default_factory=dict)
    dropped: tuple[Turn, ...] = ()
    made: int = 0

    @classmethod
    def of(
        cls,
        turns: Iterable[Turn],
        versions: Mapping[str, tuple[Turn, ...]] | None = None,
        dropped: Iterable[Turn] = (),
        shared: int = 0,
    ) -> Conversation:
        """Turns that have ended, in the places of their cells; `versions` by a current turn's id.

        The first `shared` places that were made are those of turns that another session asked.
        The cells have run before, so that the next run of one meets its turns.
        """
        older = versions or {}
        of_others, own = iter(range(shared)), count(shared)
        ordinals: defaultdict[Lane, count[int]] = defaultdict(count)
        slots: list[Slot] = []
        for turn in turns:
            all_here = (*older.get(turn.id, ()), turn)
            taken = next(of_others, None) if any(one._shared for one in all_here) else None
            serial = next(own) if taken is None else taken
            lane = (turn.cell.id, turn._in_pad) if turn.cell is not None else (None, False)
            slots.append(Slot(serial, lane, next(ordinals[lane]), all_here, turn))
        runs = {cell: Run(_BEFORE_NOW) for cell, in_pad in ordinals if cell and not in_pad}
        return cls(tuple(slots), runs, made=next(own), dropped=tuple(dropped))

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The current turns."""
        return tuple(slot.current for slot in self.slots)

    def slot_of(self, turn: Turn) -> Slot | None:
        """The place where a turn stands, stood or tries to, or None."""
        return next((slot for slot in self.slots if turn in slot.turns), None)

    def before(self, turn: Turn) -> tuple[Turn, ...]:
        """The current turns before a turn's place; all of them if it has none."""
        slot = self.slot_of(turn)
        at = len(self.slots) if slot is None else self.slots.index(slot)
        return self.turns[:at]

    def followed(self, turn: Turn) -> int:
        """A number that stands for the turns that a turn asked in this place follows."""
        chain = NOTHING_BEFORE
        for one in self.before(turn):
            chain = _chained(chain, one)
        return chain

    def is_stale(self, turn: Turn) -> bool:
        """Whether a current turn was asked after other turns than those before it now."""
        slot = self.slot_of(turn)
        if slot is None or slot.current is not turn or not tells(turn):
            return False
        return turn._followed is not None and turn._followed != self.followed(turn)

    def stale(self) -> tuple[Turn, ...]:
        """All stale turns, in order; as `is_stale` of each, in one pass."""
        found: list[Turn] = []
        chain = NOTHING_BEFORE
        for turn in self.turns:
            if tells(turn) and turn._followed is not None and turn._followed != chain:
                found.append(turn)
            chain = _chained(chain, turn)
        return tuple(found)

    def outline(self) -> Outline:
        """The shape, as the journal keeps it."""
        versions = {
            slot.current.id: tuple(one.id for one in slot.turns if one is not slot.current)
            for slot in self.slots
        }
        return Outline(
            order=tuple(turn.id for turn in self.turns),
            stale=frozenset(turn.id for turn in self.stale()),
            versions={name: older for name, older in versions.items() if older},
            dropped=tuple(turn.id for turn in self.dropped),
        )

    def reserved(self, turn: Turn, cell: str, run: str) -> Conversation:
        """With a seat in a cell's run for a turn that is asked later, or never."""
        found = self.runs.get(cell)
        if found is not None and run in found.past:
            return self  # too late: the cell has run again since
        now = self._run_begun(cell, run)
        found = now.runs[cell]
        if turn.id not in found.seats:
            found = replace(found, seats=(*found.seats, turn.id))
        return replace(now, runs={**now.runs, cell: found})

    def released(self, turn: Turn) -> Conversation:
        """Without the seat of a turn that is never asked; where an older one stands, that stays."""
        for cell, run in self.runs.items():
            if turn.id in run.seats:
                ordinal = run.seats.index(turn.id)
                if self._at((cell, False), ordinal) is not None:
                    return self
                seats = tuple(one for one in run.seats if one != turn.id)
                runs = {**self.runs, cell: replace(run, seats=seats)}
                return replace(self, runs=runs)._compacted()
        return self

    def begun(self, turn: Turn, cell: str, run: str) -> Conversation:
        """With a turn that a cell's code asks: in its place, or at the end for a new cell."""
        now = self.reserved(turn, cell, run)
        if turn.id not in now.runs[cell].seats:
            return self.appended(turn, (cell, False))
        ordinal = now.runs[cell].seats.index(turn.id)
        now = now._returned(cell, ordinal)
        slot = now._at((cell, False), ordinal)
        if slot is not None:
            return now._with(slot, slot.asked_again(turn))
        earlier = [one for one in now.slots if one.lane == (cell, False) and one.ordinal < ordinal]
        if now.runs[cell].past and earlier:
            # A question more than last time goes where a first run of all cells would have it.
            return now._inserted(turn, (cell, False), ordinal, now.slots.index(earlier[-1]) + 1)
        return now._inserted(turn, (cell, False), ordinal, len(now.slots))

    def appended(self, turn: Turn, lane: Lane = (None, False)) -> Conversation:
        """With a turn at the end: of no cell, or of a pad, whatever the pad's cell runs."""
        ordinal = sum(slot.lane == lane for slot in self.slots)
        return self._inserted(turn, lane, ordinal, len(self.slots))

    def asked_again(self, old: Turn, turn: Turn) -> Conversation:
        """With a turn to take the place of another; unchanged if that one stands nowhere."""
        slot = self.slot_of(old)
        return self if slot is None else self._with(slot, slot.asked_again(turn))

    def settled(self, turn: Turn) -> Conversation:
        """With the end of a turn that tried to take another's place."""
        slot = self.slot_of(turn)
        if slot is None or turn not in slot.trying:
            return self
        return self._with(slot, slot.settled(turn))

    def run_ended(self, cell: str, run: str, *, unless_untouched: bool = False) -> Conversation:
        """Without what an earlier run of the cell had more than this one, which has ended."""
        found = self.runs.get(cell)
        if found is None or run in found.past or (unless_untouched and found.name != run):
            return self
        now = self._run_begun(cell, run)
        reached = len(now.runs[cell].seats)
        return now._left(
            lambda slot: slot.lane == (cell, False) and slot.ordinal >= reached and not slot.trying
        )

    def without_cells(self, cells: Collection[str]) -> Conversation:
        """Without the turns of deleted cells. One that was only moved finds them when it runs."""
        return self._left(lambda slot: slot.lane[0] in cells)

    def without_last(self, count: int) -> Conversation:
        """Without the last turns, for good."""
        lost = self.slots[len(self.slots) - count :]
        ids = {turn.id for slot in lost for turn in slot.turns}
        runs = {
            cell: replace(run, seats=tuple(one for one in run.seats if one not in ids))
            for cell, run in self.runs.items()
        }
        return replace(
            self, slots=self.slots[: len(self.slots) - count], runs=runs, dropped=self._lost(lost)
        )._compacted()

    def cleared(self) -> Conversation:
        """Without any turn. What a cell asks from here on begins anew."""
        return Conversation(made=self.made, dropped=self._lost(self.slots))

    def _run_begun(self, cell: str, run: str) -> Conversation:
        """With a run of a cell as its newest, if it is not that already."""
        found = self.runs.get(cell)
        if found is not None and (found.name == run or run in found.past):
            return self
        past = frozenset() if found is None else found.past | {found.name}
        now = replace(self, runs={**self.runs, cell: Run(run, past=past)})
        # Places kept for turns that the run before never asked are given up.
        return now._compacted()

    def _at(self, lane: Lane, ordinal: int) -> Slot | None:
        found = (one for one in self.slots if one.lane == lane and one.ordinal == ordinal)
        return next(found, None)

    def _with(self, old: Slot, new: Slot) -> Conversation:
        return replace(self, slots=tuple(new if one is old else one for one in self.slots))

    def _inserted(self, turn: Turn, lane: Lane, ordinal: int, at: int) -> Conversation:
        slot = Slot(self.made, lane, ordinal, (turn,), turn)
        return replace(self, slots=(*self.slots[:at], slot, *self.slots[at:]), made=self.made + 1)

    def _left(self, leaves: Callable[[Slot], bool]) -> Conversation:
        """Without some slots, which their cells may ask for again."""
        lost = tuple(slot for slot in self.slots if leaves(slot))
        if not lost:
            return self
        gone = dict(self.gone)
        for slot in lost:
            cell = slot.lane[0]
            if cell is not None and slot.lane == (cell, False):
                before = self.slots[: self.slots.index(slot)]
                absent = Absent(slot, tuple(one.serial for one in before))
                others = (one for one in gone.get(cell, ()) if one.slot.ordinal != slot.ordinal)
                gone[cell] = (*others, absent)
        kept = tuple(slot for slot in self.slots if slot not in lost)
        return replace(self, slots=kept, gone=gone, dropped=self._lost(lost))

    def _returned(self, cell: str, ordinal: int) -> Conversation:
        """With the slot that left a cell, if this ordinal of it did."""
        absent = next((a for a in self.gone.get(cell, ()) if a.slot.ordinal == ordinal), None)
        if absent is None or self._at((cell, False), ordinal) is not None:
            return self
        at = max(
            (i + 1 for i, one in enumerate(self.slots) if one.serial in absent.after), default=0
        )
        slot = replace(absent.slot, trying=())
        rest = tuple(one for one in self.gone[cell] if one is not absent)
        return replace(
            self,
            slots=(*self.slots[:at], slot, *self.slots[at:]),
            gone={**self.gone, cell: rest},
            dropped=tuple(turn for turn in self.dropped if turn not in slot.turns),
        )

    def _lost(self, slots: Iterable[Slot]) -> tuple[Turn, ...]:
        return (*self.dropped, *(turn for slot in slots for turn in slot.turns))

    def _compacted(self) -> Conversation:
        """Ordinals without holes; seats of the present run that wait for a turn are none."""
        taken: dict[Lane, int] = {}
        ordinals: dict[int, int] = {}
        for slot in sorted(self.slots, key=lambda one: one.ordinal):
            ordinal = taken.get(slot.lane, 0)
            while self._waits(slot, ordinal):
                ordinal += 1
            ordinals[slot.serial] = ordinal
            taken[slot.lane] = ordinal + 1
        slots = tuple(replace(slot, ordinal=ordinals[slot.serial]) for slot in self.slots)
        return replace(self, slots=slots)

    def _waits(self, slot: Slot, ordinal: int) -> bool:
        """Whether an ordinal belongs to a turn of the present run that is not in this slot."""
        cell, in_pad = slot.lane
        run = self.runs.get(cell) if cell is not None and not in_pad else None
        if run is None or ordinal >= len(run.seats):
            return False
        ids = {turn.id for turn in slot.turns}
        later = run.seats[ordinal + 1 :]
        return run.seats[ordinal] not in ids and bool(ids & set(later))
