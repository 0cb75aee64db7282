"""One place in a conversation: the turn that stands there, and those that stood or try to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["Absent", "Lane", "Run", "Slot", "tells", "worth"]

_ANSWERS = frozenset({"complete", "length", "refused", "filtered"})

# Whose turns are counted together: a cell's (None outside of a notebook), those of its code and
# those of the pad that it shows apart.
Lane = tuple[str | None, bool]


@dataclass(frozen=True, slots=True)
class Slot:
    """`turns` are all that were asked here, in that order; `trying` those that have not ended.

    `ordinal` counts the slots of one lane from 0.
    """

    serial: int
    lane: Lane
    ordinal: int
    turns: tuple[Turn, ...]
    current: Turn
    trying: tuple[Turn, ...] = ()

    def asked_again(self, turn: Turn) -> Slot:
        """With one more turn, which has to end well before it is the current one."""
        return replace(self, turns=(*self.turns, turn), trying=(*self.trying, turn))

    def settled(self, turn: Turn) -> Slot:
        """With the end of an attempt: current if it is an answer, else one more version."""
        trying = tuple(one for one in self.trying if one is not turn)
        better = worth(turn) == _ANSWER or worth(turn) >= worth(self.current) < _ANSWER
        return replace(self, trying=trying, current=turn if better else self.current)

    def versions_of(self, turn: Turn) -> tuple[Turn, ...]:
        """Of the current turn all others that have ended, of an older one those before it."""
        known = self.turns if turn is self.current else self.turns[: self.turns.index(turn)]
        return tuple(one for one in known if one is not turn and one not in self.trying)

    def version(self, turn: Turn) -> tuple[int, int]:
        """Which version a turn is, from 1, and of how many."""
        known = [one for one in self.turns if one is turn or one not in self.trying]
        return known.index(turn) + 1, len(known)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a cell: the ids of the turns that were made in it, in that order.

    `past` are its earlier runs: with one, its turns have their places.
    """

    name: str
    seats: tuple[str, ...] = ()
    past: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Absent:
    """A slot that its cell may ask for again, and the serials of those that stood before it."""

    slot: Slot
    after: tuple[int, ...]


_NOTHING, _WORDS, _ANSWER = 0, 1, 2


def worth(turn: Turn) -> int:
    """How much there is of an answer: 2 all of it (or the turn still runs), 1 some words, 0 none.

    An attempt replaces a current turn if it is an answer; where there was none before, if it is
    worth as much.
    """
    if turn.finish is None or turn.finish in _ANSWERS:
        return _ANSWER
    return _WORDS if turn.text.strip() else _NOTHING


def tells(turn: Turn) -> bool:
    """Whether later turns follow it: it has ended, and there is something that can be repeated."""
    said = turn.text.strip() or turn.reply.refusal.strip() or turn.reply.received_s
    return turn.finish is not None and bool(said)
