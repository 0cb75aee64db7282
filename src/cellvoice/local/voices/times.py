"""When each word is said, from the marks that a voice gives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from . import WordTime, word_places

__all__ = ["word_times"]


def word_times(
    text: str, starts: Sequence[tuple[int, float]], end_s: float
) -> tuple[WordTime, ...]:
    """The words of `text` with their seconds, to the millisecond.

    `starts` are marks in the order of speaking: a character of the text, and when saying it
    begins. A number may have several in one word, and a small word none of its own ("of the"):
    the words up to the next mark then share its time by their letters.
    """
    places = word_places(text)
    marked = _first_marks(places, starts)
    if not marked:
        return ()
    times: list[WordTime] = []
    bounds = [*marked, (len(places), max(end_s, marked[-1][1]))]
    if bounds[0][0] > 0:
        bounds[0] = (0, bounds[0][1])  # words before the first mark are said together with it
    for (first, from_s), (after, to_s) in pairwise(bounds):
        times += _shared(places[first:after], from_s, to_s)
    return tuple(times)


def _first_marks(
    places: Sequence[tuple[int, int]], starts: Sequence[tuple[int, float]]
) -> list[tuple[int, float]]:
    """For each word that has one its number and first mark, neither going back."""
    marked: list[tuple[int, float]] = []
    for at, start_s in starts:
        word = next((n for n, (begin, end) in enumerate(places) if begin <= at < end), None)
        if word is None or (marked and (word <= marked[-1][0] or start_s < marked[-1][1])):
            continue
        marked.append((word, start_s))
    return marked


def _shared(places: Sequence[tuple[int, int]], from_s: float, to_s: float) -> list[WordTime]:
    letters = sum(end - begin for begin, end in places)
    times: list[WordTime] = []
    passed = 0
    for begin, end in places:
        start_s = from_s + (to_s - from_s) * passed / letters
        passed += end - begin
        end_s = from_s + (to_s - from_s) * passed / letters
        times.append((begin, end, round(start_s, 3), round(end_s, 3)))
    return times
