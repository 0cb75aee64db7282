"""The meter of a reply: prompt, never chattering, and right in the end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from cellvoice.notebook._paced import TOLD_EVERY_S
from cellvoice.notebook._progress import Progress, speech_s


class HandClock:
    """A loop's time and timers, turned by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self._due: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Handle:
        entry = (self.now_s + delay, callback)
        self._due.append(entry)
        return Handle(lambda: self._due.remove(entry))

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        for entry in [entry for entry in self._due if entry[0] <= self.now_s + 1e-9]:
            self._due.remove(entry)
            entry[1]()

    @property
    def waiting(self) -> int:
        return len(self._due)


class Handle:
    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        self._cancel()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_heartbeats_count_seconds_and_the_first_one_is_only_the_start() -> None:
    assert [speech_s(beats) for beats in (0, 1, 2, 21, 85)] == [0, 0, 0.05, 1.0, 4.2]


def test_the_first_progress_is_told_at_once(clock: HandClock) -> None:
    told: list[float] = []
    Progress(told.append, clock).made(0.05)
    assert told == [0.05]


def test_no_more_than_ten_are_told_in_any_second(clock: HandClock) -> None:
    told: list[tuple[float, float]] = []
    progress = Progress(lambda made_s: told.append((clock.now_s, made_s)), clock)
    for beat in range(1, 1001):
        progress.made(beat * 0.05)
        clock.advance(0.005)
    assert 45 <= len(told) <= 52
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(told)]
    assert min(gaps) >= TOLD_EVERY_S - 1e-9


def test_the_last_of_a_burst_is_told_although_silence_follows(clock: HandClock) -> None:
    told: list[float] = []
    progress = Progress(told.append, clock)
    for beat in range(1, 41):
        progress.made(beat * 0.05)
    assert told == [0.05]
    clock.advance(TOLD_EVERY_S)
    assert told == [0.05, 2.0]
    clock.advance(10)
    assert told == [0.05, 2.0]


def test_the_end_of_a_turn_calls_off_what_waits(clock: HandClock) -> None:
    told: list[float] = []
    progress = Progress(told.append, clock)
    progress.made(0.05)
    progress.made(0.1)
    assert clock.waiting == 1
    progress.end()
    assert clock.waiting == 0
    clock.advance(1)
    assert told == [0.05]
