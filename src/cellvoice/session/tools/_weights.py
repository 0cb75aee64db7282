"""How likely each value of a choice was: by the probabilities of tokens, or by counting."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ._choices import Choice, json_key

__all__ = ["Weight", "counted", "weighed", "wilson"]

# Of the normal distribution, for an interval that holds the truth 95 times of 100.
_Z: Final = 1.959964

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Weight:
    """How likely a value is: `p`, and from `low` to `high`, all 0…1.

    `count` is how many samples had it, None where nothing was counted.
    """

    value: object
    p: float
    low: float
    high: float
    count: int | None = None


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a proportion: where the true one is, given what was counted."""
    if of == 0:
        return 0.0, 1.0
    p, z2 = count / of, _Z**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    # At the ends it touches them, which floating point may miss by a little.
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == of else min(1.0, middle + half)
    return low, high


def counted(values: Iterable[object], seen: Sequence[object]) -> tuple[Weight, ...]:
    """The weights of values by what was seen, the likeliest first."""
    tally: dict[str, int] = {}
    for one in seen:
        tally[json_key(one)] = tally.get(json_key(one), 0) + 1
    known = {json_key(value): value for value in values}
    for one in seen:
        known.setdefault(json_key(one), one)
    of = len(seen)
    found = [
        Weight(value, tally.get(key, 0) / of if of else 0.0, *wilson(tally.get(key, 0), of),
               tally.get(key, 0))
        for key, value in known.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: -one.p))


def weighed(choice: Choice, text: str, rows: Sequence[Row]) -> tuple[Weight, ...] | None:
    """The weights of a choice by the tokens of its object; None if they don't tell.

    A value's weight is the chance of its tokens, one after the other, as far as they tell it from
    the other values, and `p` its share among the values; what fits several is divided between
    them. `low` is what is certainly its own, and `high` adds what it shares, and all that went to
    tokens that are not listed.
    """
    data = text.encode()
    start = len(text[: choice.start].encode())
    end = len(text[: choice.end].encode())
    # With the sign that follows: it is what tells 1 from 12.
    after = data[end : end + 1]
    placed = _placed(rows, data, start, end + len(after))
    if placed is None:
        return None
    first, tokens = placed
    lead = data[first:start]
    written = {json_key(value): lead + _json(value) + after for value in choice.values}
    # Spelled as the model did: with escapes, or with another form of a number.
    written[json_key(choice.value)] = data[first:end] + after
    masses = _masses(written, tokens)
    total = sum(masses.values())
    if total <= 0:
        return None
    unseen = max(0.0, 1.0 - total)
    found = [_weight(value, json_key(value), masses, total, unseen) for value in choice.values]
    return tuple(sorted(found, key=lambda one: -one.p))


def _weight(
    value: object, key: str, masses: Mapping[frozenset[str], float], total: float, unseen: float
) -> Weight:
    own = masses.get(frozenset((key,)), 0.0)
    with_shared = sum(mass for keys, mass in masses.items() if key in keys)
    share = sum(mass / len(keys) for keys, mass in masses.items() if key in keys)
    return Weight(value, share / total, own, min(1.0, with_shared + unseen))


def _masses(written: Mapping[str, bytes], tokens: Sequence[Row]) -> dict[frozenset[str], float]:
    """The chance of each spelling, along the tokens that were taken and those beside them.

    By the spellings that a token fits: of one that fits several, nobody knows whose it is.
    """
    masses: dict[frozenset[str], float] = {}
    alive, before, path = frozenset(written), b"", 1.0
    for row in tokens:
        taken = _bytes(row)
        for other, logprob in _alternatives(row):
            fitting = frozenset(key for key in alive if _fits(written[key], before, other))
            if fitting and other != taken:
                masses[fitting] = masses.get(fitting, 0.0) + path * _chance(logprob)
        path *= _chance(row.get("logprob"))
        alive = frozenset(key for key in alive if _fits(written[key], before, taken))
        before += taken
        if len(alive) == 1:
            break  # what follows is the same for nobody else
    if alive:
        masses[alive] = masses.get(alive, 0.0) + path
    return masses


def _fits(spelling: bytes, before: bytes, token: bytes) -> bool:
    """Whether a token, after what is before it, can be a part of this spelling."""
    rest = spelling[len(before) :]
    return bool(rest) and (rest.startswith(token) or token.startswith(rest)) and bool(token)


def _placed(
    rows: Sequence[Row], data: bytes, start: int, end: int
) -> tuple[int, Sequence[Row]] | None:
    """The tokens that touch a stretch of the text, and where the first of them begins."""
    if b"".join(map(_bytes, rows)) != data:
        return None
    at, first = 0, 0
    found: list[Row] = []
    for row in rows:
        size = len(_bytes(row))
        if at < end and at + size > start:
            if not found:
                first = at
            found.append(row)
        at += size
    return (first, found) if found else None


def _alternatives(row: Row) -> Iterable[tuple[bytes, object]]:
    for one in row.get("top_logprobs") or ():
        if isinstance(one, Mapping):
            yield _bytes(one), one.get("logprob")


def _bytes(row: Row) -> bytes:
    raw = row.get("bytes")
    if isinstance(raw, list):
        try:
            return bytes(raw)
        except (TypeError, ValueError):
            pass  # no list of bytes: the token's text is what is left
    return str(row.get("token", "")).encode("utf-8", "replace")


def _chance(logprob: object) -> float:
    if not isinstance(logprob, (int, float)) or isinstance(logprob, bool):
        return 0.0
    return min(1.0, math.exp(min(0.0, logprob)))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
