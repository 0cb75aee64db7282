"""When each word of a reply is spoken: as the engine says, else estimated.

The service sends words and sound in one stream and no times. But the words run ahead of their
sound, so a word can't be spoken before as much sound was made as there was when it came; and what
is loud is speech. Between these bounds the words share the loud time by their length.
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
_WORD: Final = re.compile(rf"[{_NO_SPACES}][^\w\s]*|[^\s{_NO_SPACES}]+")
# "18" is said as long as eight letters are.
_DIGIT_LETTERS: Final = 4
# Words that came after their sound say nothing of when it was said.
_LATEST_FIRST_WORD: Final = 0.5
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
        read = _read(word)
        if read is None or not (last <= read[0] < read[1] <= length and last_s <= read[2]):
            break
        made.append(read)
        last, last_s = read[1], read[2]
    return made


def _read(word: Any) -> WordTime | None:
    try:
        first, end, start_s, end_s = word
        times = float(start_s), float(end_s)
        if not (all(map(math.isfinite, times)) and 0.0 <= times[0] <= times[1]):
            return None
        return int(first), int(end), *times
    except (TypeError, ValueError, OverflowError):
        return None


def _estimated(reply: Reply) -> list[WordTime]:
    spans = [match.span() for match in _WORD.finditer(reply.transcript)]
    clock_s = _loud_clock(reply)
    whole = len(clock_s) - 1
    weights = [_weight(reply.transcript[first:end]) for first, end in spans]
    bounds = _bounds(reply, spans, clock_s)
    made: list[WordTime] = []
    place, left = 0.0, float(sum(weights))
    for (first, end), weight, bound in zip(spans, weights, bounds, strict=True):
        start = max(place, min(bound, whole - _LEAST_SHARE * whole * left / sum(weights)))
        place = start + (whole - start) * weight / left
        left -= weight
        made.append((first, end, _time(clock_s, start), _time(clock_s, place)))
    return made


def _weight(word: str) -> int:
    return 1 + sum(_DIGIT_LETTERS if letter.isdigit() else 1 for letter in word)


def _loud_clock(reply: Reply) -> Sequence[float]:
    """The time in seconds at each frame that is loud, and at the end of the last one."""
    import numpy as np

    from cellvoice.audio.voiced import VOICED_FRAME_S, voiced_frames

    clip = reply.clip
    assert clip is not None  # the caller has seen to it
    loud = np.flatnonzero(voiced_frames(clip))
    if not len(loud):
        return [0.0, clip.duration_s]
    last_s = min((int(loud[-1]) + 1) * VOICED_FRAME_S, clip.duration_s)
    return [*(loud * VOICED_FRAME_S).tolist(), last_s]


def _time(clock_s: Sequence[float], place: float) -> float:
    """Seconds at a place among the loud frames."""
    below = min(int(place), len(clock_s) - 2)
    return round(clock_s[below] + (place - below) * (clock_s[below + 1] - clock_s[below]), 3)


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
