"""When each word of a reply is spoken: as the engine says, else estimated.

The service sends words and sound in one stream and no times. But the words run ahead of their
sound, so a word can't be spoken before as much sound was made as there was when it came; what is
loud is speech, and pauses are at punctuation. Between these bounds the words share the loud time by
their length.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .fold import Reply

__all__ = ["WordTime", "word_times"]

# First character, one past the last, start and end in seconds of the sound; characters are those
# of a Python text.
WordTime = tuple[int, int, float, float]

# Where nobody writes spaces, every character is a word of its own, with what follows it.
_NO_SPACES: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD: Final = re.compile(rf"[{_NO_SPACES}][^\w\s]*|[^\s{_NO_SPACES}]+")
# "18" is said as long as eight letters are.
_DIGIT_LETTERS: Final = 4
# Words that came after their sound say nothing of when it was said.
_LATEST_FIRST_WORD: Final = 0.5
_FRAME_S: Final = 0.02
_PAUSES_AFTER: Final = ".,;:!?…。、，！？–—"
_SHORTEST_PAUSE_S: Final = 0.1
# Half a second of speech.
_FARTHEST_PAUSE_FRAMES: Final = 25
# However late a word came: it and those after it are given this part of their fair share.
_LEAST_SHARE: Final = 0.5


def word_times(reply: Reply) -> tuple[list[WordTime], bool]:
    """The words of `reply.text` that are spoken, in order, and whether the times are estimated.

    None without sound. Takes about 5 ms for a minute of speech.
    """
    if not reply.transcript or len(reply.pcm) < 2:
        return [], False
    told = _told(reply.engine, len(reply.transcript))
    return (told, False) if told else (_estimated(reply), True)


def _told(engine: Mapping[str, object] | None, length: int) -> list[WordTime]:
    """The engine's own times; a word that is none of the text, or goes back in time, ends them."""
    found = (engine or {}).get("words")
    made: list[WordTime] = []
    last, last_s = 0, 0.0
    for word in found if isinstance(found, list) else ():
        read = read_time(word)
        if read is None or not (last <= read[0] < read[1] <= length and last_s <= read[2]):
            break
        made.append(read)
        last, last_s = read[1], read[2]
    return made


def read_time(word: Any) -> WordTime | None:
    """One of the engine's times, or None for what is none."""
    try:
        first, end, start_s, end_s = word
        times = float(start_s), float(end_s)
        if not (all(map(math.isfinite, times)) and 0.0 <= times[0] <= times[1]):
            return None
        return int(first), int(end), *times
    except (TypeError, ValueError, OverflowError):
        return None


def _estimated(reply: Reply) -> list[WordTime]:
    spans = [match.span() for match in WORD.finditer(reply.transcript)]
    clock_s = _loud_clock(reply)
    weights = [letters_said(reply.transcript[first:end]) for first, end in spans]
    bounds = _bounds(reply, spans, clock_s)
    made: list[WordTime] = []
    begun, start = 0, 0.0
    for ended, end in _pauses(reply.transcript, spans, weights, clock_s):
        these = slice(begun, ended)
        places = _shared(weights[these], bounds[these], start, end)
        made += (
            (*span, _time(clock_s, place[0]), _time(clock_s, place[1], before=True))
            for span, place in zip(spans[these], places, strict=True)
        )
        begun, start = ended, end
    return made


def _shared(
    weights: Sequence[int], bounds: Sequence[float], start: float, end: float
) -> list[tuple[float, float]]:
    """Where each of some words begins and ends: all of them between these two places."""
    found: list[tuple[float, float]] = []
    place, left, all_of_it = start, float(sum(weights)), float(sum(weights))
    for weight, bound in zip(weights, bounds, strict=True):
        latest = end - _LEAST_SHARE * (end - start) * left / all_of_it
        begin = max(place, min(bound, latest))
        place = begin + (end - begin) * weight / left
        left -= weight
        found.append((begin, place))
    return found


def _pauses(
    text: str, spans: Sequence[tuple[int, int]], weights: Sequence[int], clock_s: Sequence[float]
) -> list[tuple[int, float]]:
    """How many words are said before each pause that a punctuation mark makes, and its place.

    The last is the end. A mark belongs to the pause that is nearest to where the words before it
    would end by their length; where none is near, the speaker made none.
    """
    silent = [
        place for place in range(1, len(clock_s) - 1) if _gap_s(clock_s, place) > _SHORTEST_PAUSE_S
    ]
    whole = float(len(clock_s) - 1)
    found: list[tuple[int, float]] = []
    said, reached, left = 0, 0.0, float(sum(weights))
    for count, (_, end) in enumerate(spans[:-1], 1):
        said += weights[count - 1]
        after = [place for place in silent if place > reached]
        if not after or text[end - 1] not in _PAUSES_AFTER:
            continue
        expected = reached + (whole - reached) * said / left
        nearest = min(after, key=lambda place: abs(place - expected))
        if abs(nearest - expected) <= _FARTHEST_PAUSE_FRAMES:
            found.append((count, float(nearest)))
            said, reached, left = 0, float(nearest), left - said
    return [*found, (len(spans), whole)]


def _gap_s(clock_s: Sequence[float], place: int) -> float:
    return clock_s[place] - clock_s[place - 1]


def letters_said(word: str) -> int:
    """How long a word takes to say, in letters; the breath after it is one."""
    return 1 + sum(_DIGIT_LETTERS if letter.isdigit() else 1 for letter in word)


def _loud_clock(reply: Reply) -> Sequence[float]:
    """The time in seconds at each frame that is loud, and at the end of the last one."""
    import numpy as np

    from cellvoice.audio.voiced import voiced_frames

    clip = reply.clip
    assert clip is not None  # the caller has seen to it
    voiced = voiced_frames(clip, _FRAME_S)
    loud = np.flatnonzero(voiced if voiced.any() else ~voiced)
    last_s = min((int(loud[-1]) + 1) * _FRAME_S, clip.duration_s)
    return [*(loud * _FRAME_S).tolist(), last_s]


def _time(clock_s: Sequence[float], place: float, *, before: bool = False) -> float:
    """Seconds at a place among the loud frames; where a pause is, after it or `before` it."""
    below = min(int(place), len(clock_s) - 2)
    if before and place == below > 0:
        return round(min(clock_s[below - 1] + _FRAME_S, clock_s[below]), 3)
    # The last frame before a pause is no longer than the others.
    length_s = min(_gap_s(clock_s, below + 1), _FRAME_S)
    return round(clock_s[below] + (place - below) * length_s, 3)


def _bounds(
    reply: Reply, spans: Sequence[tuple[int, int]], clock_s: Sequence[float]
) -> list[float]:
    """For each word the loud frames that were made before it came."""
    pieces = reply.word_pieces
    if len(pieces) < 2 or pieces[0][1] > _LATEST_FIRST_WORD * clock_s[-1]:
        return [0.0] * len(spans)
    ends = [end for end, _ in pieces]
    found: list[float] = []
    for first, _ in spans:
        piece = min(bisect_left(ends, first + 1), len(pieces) - 1)
        found.append(float(bisect_left(clock_s, pieces[piece][1])))
    return found
