"""Two turns or two branches side by side: words, seconds, cost, sound."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from cellvoice.errors import AudioError, UsageError

from ._cost import Cost, total_cost
from ._show import said, table_html
from ._turns import frame
from .turn import Turn

if TYPE_CHECKING:
    import pandas as pd

    from .session import Session

__all__ = ["Comparison", "compare"]

_GONE = '<del style="opacity:0.6">{}</del>'
_NEW = '<ins style="font-weight:600;text-decoration:underline">{}</ins>'
_SIDES = ("a", "b")

Pair = tuple[Turn | None, Turn | None]


def compare(a: Turn | Session, b: Turn | Session) -> Comparison:
    """Put two turns, or the conversations of two sessions, side by side.

    Sessions are compared place by place; what both share, a fork's beginning, is left out. Raises
    UsageError for a turn beside a session.
    """
    if isinstance(a, Turn) and isinstance(b, Turn):
        return Comparison(((a, b),), 0)
    if isinstance(a, Turn) or isinstance(b, Turn):
        raise UsageError("compare() takes two turns or two sessions, not one of each")
    for one in (a, b):
        if not hasattr(one, "turns"):
            raise UsageError(f"cannot compare a {type(one).__name__}, expected a Turn or a Session")
    mine, theirs = a.turns, b.turns
    shared = 0
    while shared < min(len(mine), len(theirs)) and mine[shared] == theirs[shared]:
        shared += 1
    pairs = tuple(
        (_at(mine, place), _at(theirs, place))
        for place in range(shared, max(len(mine), len(theirs)))
    )
    return Comparison(pairs, shared)


class Comparison:
    """`pairs` of turns, None where one side has no such turn; `shared` turns before them.

    Shown in a cell it has the differences of the words, seconds, cost, and a player for each side.
    """

    def __init__(self, pairs: tuple[Pair, ...], shared: int) -> None:
        self.pairs = pairs
        self.shared = shared

    @property
    def cost(self) -> tuple[Cost, Cost]:
        """What the compared turns cost on either side, in US dollars."""
        a, b = (
            total_cost(turn.cost for pair in self.pairs if (turn := pair[side]) is not None)
            for side in (0, 1)
        )
        return a, b

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each pair. Raises UsageError where pandas is not installed."""
        return frame([self._row(pair) for pair in self.pairs])

    def _row(self, pair: Pair) -> dict[str, object]:
        row: dict[str, object] = {"similarity": _similarity(pair)}
        for side, turn in zip(_SIDES, pair, strict=True):
            row[f"{side}_input"] = said(turn) if turn is not None else None
            row[f"{side}_text"] = _words(turn) if turn is not None else None
            row[f"{side}_model"] = turn.model if turn is not None else None
            row[f"{side}_voice"] = turn.voice if turn is not None else None
            row[f"{side}_reply_s"] = _sound_s(turn)
            row[f"{side}_total_s"] = turn.timing.total_s if turn is not None else None
            row[f"{side}_cost_usd"] = turn.cost_usd if turn is not None else None
        return row

    def __repr__(self) -> str:
        lines = [f"{self.shared} shared turns"] if self.shared else []
        for pair in self.pairs:
            lines += [
                f"{side}: {_facts(turn)}: {_words(turn)}" if turn is not None else f"{side}: –"
                for side, turn in zip(_SIDES, pair, strict=True)
            ]
            lines += [f"   {_changes(pair)}"] if None not in pair else []
        return "\n".join(lines) or "nothing differs: there are no turns after the shared ones"

    def _repr_html_(self) -> str:
        rows: list[list[str]] = []
        if self.shared:
            rows.append([f"{self.shared} shared turns", ""])
        for a, b in self.pairs:
            before, after = _marked(_words(a), _words(b))
            rows.append([escape(said(one)) if one is not None else "" for one in (a, b)])
            rows.append([before, after])
            rows.append([_player(one) for one in (a, b)])
            rows.append([escape(_facts(one)) if one is not None else "" for one in (a, b)])
        return table_html("comparison", rows)


def _at(turns: Sequence[Turn], place: int) -> Turn | None:
    return turns[place] if place < len(turns) else None


def _words(turn: Turn | None) -> str:
    return (turn.text or turn.reply.refusal) if turn is not None else ""


def _sound_s(turn: Turn | None) -> float | None:
    clip = turn.clip if turn is not None else None
    return clip.duration_s if clip is not None else None


def _facts(turn: Turn) -> str:
    sound_s, total_s = _sound_s(turn), turn.timing.total_s
    pieces = [f"turn {turn.number}", turn.voice or turn.model]
    pieces += [f"{sound_s:.1f} s of speech"] if sound_s is not None else []
    pieces += [f"{total_s:.2f} s in all"] if total_s is not None else []
    return ", ".join([*pieces, str(turn.cost)])


def _similarity(pair: Pair) -> float | None:
    a, b = pair
    if a is None or b is None:
        return None
    return round(_matcher(_words(a), _words(b)).ratio(), 3)


def _matcher(before: str, after: str) -> difflib.SequenceMatcher[str]:
    return difflib.SequenceMatcher(None, before.split(), after.split(), autojunk=False)


def _changes(pair: Pair) -> str:
    """The differing words in one line: [-gone-] {+new+}."""
    before, after = _words(pair[0]), _words(pair[1])
    old, new = before.split(), after.split()
    found: list[str] = []
    for kind, i, j, k, m in _matcher(before, after).get_opcodes():
        if kind != "equal":
            found += [f"[-{' '.join(old[i:j])}-]"] if j > i else []
            found += [f"{{+{' '.join(new[k:m])}+}}"] if m > k else []
    return " ".join(found) or "the same words"


def _marked(before: str, after: str) -> tuple[str, str]:
    """Both texts as HTML, with what only one of them has marked."""
    old, new = before.split(), after.split()
    left: list[str] = []
    right: list[str] = []
    for kind, i, j, k, m in _matcher(before, after).get_opcodes():
        gone, come = escape(" ".join(old[i:j])), escape(" ".join(new[k:m]))
        if kind == "equal":
            left.append(gone)
            right.append(come)
            continue
        left += [_GONE.format(gone)] if gone else []
        right += [_NEW.format(come)] if come else []
    return " ".join(left), " ".join(right)


def _player(turn: Turn | None) -> str:
    clip = turn.clip if turn is not None else None
    if clip is None:
        return "no sound"
    try:
        sound = base64.b64encode(clip.to_bytes("mp3")).decode("ascii")
    except AudioError:
        return "the sound can't be shown here"
    return f'<audio controls preload="metadata" src="data:audio/mpeg;base64,{sound}"></audio>'
