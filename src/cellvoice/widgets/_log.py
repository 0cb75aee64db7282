"""The kernel's numbered log of events, and its unsent tail where streamed pieces are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

# What streams: joined with a waiting piece of the same turn, and dropped when the turn is old.
_STREAMED = frozenset({"turn.text", "turn.audio", "turn.progress"})

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
    """Events by number from 1; the newest wait without a number, so that they may still grow."""

    def __init__(self) -> None:
        self._numbered: list[Event] = []
        self._waiting: list[Event] = []
        self._ended: list[str] = []

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
            if event.name == "turn.ended" and event.turn is not None:
                self._ended.append(event.turn)
        self._waiting.clear()
        while len(self._ended) > _TURNS_KEPT_WHOLE:
            self._thin(self._ended.pop(0))

    def at(self, number: int) -> Event:
        """The event with this number, 1 … `last`."""
        return self._numbered[number - 1]

    def _thin(self, turn: str) -> None:
        nothing = Event("turn.text", {"turn": turn, "text": ""})
        for index, event in enumerate(self._numbered):
            if event.turn == turn and event.name in _STREAMED:
                self._numbered[index] = nothing


def _joined(older: Event, newer: Event) -> Event | None:
    """Both in one; None when they can't be one message."""
    if older.name == "turn.progress":
        return newer
    if older.name == "turn.text":
        text = cast("str", older.data["text"]) + cast("str", newer.data["text"])
        return Event(older.name, {**older.data, "text": text})
    if not _adjoin(older, newer):
        return None
    return Event(older.name, older.data, (b"".join((*older.buffers, *newer.buffers)),))


def _adjoin(older: Event, newer: Event) -> bool:
    size = sum(len(buffer) for buffer in older.buffers)
    follows = cast("int", older.data["start_frame"]) + size // 2 == newer.data["start_frame"]
    same_rate = older.data["sample_rate_hz"] == newer.data["sample_rate_hz"]
    return follows and same_rate and size < _JOINED_BYTES


@dataclass(slots=True)
class Inbox:
    """What one page has sent: each number once and in order; the page repeats from a hole on."""

    got: int = 0

    def accept(self, seq: int) -> bool:
        """Whether this is the next one; anything else is a repeat or comes after a hole."""
        if seq != self.got + 1:
            return False
        self.got = seq
        return True


def checked_buffers(buffers: Sequence[object]) -> tuple[bytes, ...]:
    """Buffers of a message as bytes; hosts hand over memoryviews of several kinds."""
    return tuple(bytes(cast("bytes", buffer)) for buffer in buffers)
