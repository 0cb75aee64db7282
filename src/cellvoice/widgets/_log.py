"""The kernel's numbered log of events, and its unsent tail where streamed pieces are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

# What streams: joined with a waiting piece of the same turn, and dropped when the turn is old.
_STREAMED = frozenset({"turn.text", "turn.audio", "turn.progress", "turn.tools", "turn.partial"})

# Only the last one holds, of a turn's the last one of that turn.
_LAST_HOLDS = frozenset({"pad.state", "pad.turns", "turn.tools", "turn.partial"})

# An old turn's pieces: a page that asks from the beginning later finds the card in `turn.ended`.
_TURNS_KEPT_WHOLE = 2

# Two seconds of speech: while nobody looks, pieces are joined up to this and no further.
_JOINED_BYTES = 96_000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that the kernel tells every page."""

    name: str
    data: Mapping[str, object]
    buffers: tuple[bytes, ...] = ()

    @property
    def turn(self) -> str | None:
        turn = self.data.get("turn")
        return turn if isinstance(turn, str) else None


class EventLog:
    """Events by number from 1; the newest wait without a number, so that they may still grow.

    What nobody needs any more leaves a gap that costs one message, however long it is: otherwise a
    page that comes after hours would be told of them all first.
    """

    def __init__(self) -> None:
        self._numbered: list[Event | None] = []
        self._waiting: list[Event] = []
        # The first number of each turn whose pieces are still there, and those that have ended.
        self._begun: dict[str, int] = {}
        self._ended: list[tuple[str, int]] = []
        self._last_of: dict[tuple[str, str | None], int] = {}

    @property
    def last(self) -> int:
        """The highest number given so far."""
        return len(self._numbered)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, event: Event) -> None:
        """Put an event at the end, or into a waiting piece of the same turn."""
        if event.name in _STREAMED:
            for index in reversed(range(len(self._waiting))):
                older = self._waiting[index]
                if older.name != event.name or older.turn != event.turn:
                    continue
                joined = _joined(older, event)
                if joined is None:
                    break
                self._waiting[index] = joined
                return
        self._waiting.append(event)

    def number_waiting(self) -> None:
        """Give numbers to all that wait; from now on they stay as they are."""
        for event in self._waiting:
            self._numbered.append(event)
            self._mark(event, len(self._numbered))
        self._waiting.clear()
        while len(self._ended) > _TURNS_KEPT_WHOLE:
            self._thin(*self._ended.pop(0))

    def at(self, number: int) -> Event | None:
        """The event with this number, 1 … `last`; None in a gap."""
        return self._numbered[number - 1]

    def gap_end(self, number: int) -> int:
        """The last number of the gap in which this one lies."""
        while number < len(self._numbered) and self._numbered[number] is None:
            number += 1
        return number

    def _mark(self, event: Event, number: int) -> None:
        if event.name in _LAST_HOLDS:
            older = self._last_of.get((event.name, event.turn))
            if older is not None:
                self._numbered[older - 1] = None
            self._last_of[event.name, event.turn] = number
        elif event.turn is not None and event.name == "turn.ended":
            self._ended.append((event.turn, self._begun.pop(event.turn, number)))
        elif event.turn is not None:
            self._begun.setdefault(event.turn, number)

    def _thin(self, turn: str, first: int) -> None:
        for index in range(first - 1, len(self._numbered)):
            event = self._numbered[index]
            if event is None or event.turn != turn:
                continue
            if event.name == "turn.ended":
                return
            if event.name in _STREAMED:
                self._numbered[index] = None


def _joined(older: Event, newer: Event) -> Event | None:
    """Both in one; None when they can't be one message."""
    if older.name in ("turn.progress", "turn.tools", "turn.partial"):
        return newer
    if older.name == "turn.text":
        text = cast("str", older.data["text"]) + cast("str", newer.data["text"])
        older_words, words = (event.data.get("words", []) for event in (older, newer))
        words = [*cast("list[object]", older_words), *cast("list[object]", words)]
        timed = {"words": words} if words else {}
        return Event(older.name, {**older.data, **newer.data, "text": text, **timed})
    if not _adjoin(older, newer):
        return None
    return Event(older.name, older.data, (b"".join((*older.buffers, *newer.buffers)),))


def _adjoin(older: Event, newer: Event) -> bool:
    size = sum(len(buffer) for buffer in older.buffers)
    follows = cast("int", older.data["start_frame"]) + size // 2 == newer.data["start_frame"]
    same_rate = older.data["sample_rate_hz"] == newer.data["sample_rate_hz"]
    return follows and same_rate and size < _JOINED_BYTES


def checked_buffers(buffers: Sequence[object]) -> tuple[bytes, ...]:
    """Buffers of a message as bytes; hosts hand over memoryviews of several kinds."""
    return tuple(bytes(cast("bytes", buffer)) for buffer in buffers)
