"""An interpolated Kneser-Ney n-gram model that gives the exact probability of every token."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["NgramModel"]

_DISCOUNT = 0.75
# The share given to tokens that were never seen at all.  A textbook share (a quarter) fills
# high temperatures with stray bytes; this one keeps every token possible and no more.
_UNSEEN_SHARE = 1e-4


class NgramModel:
    """Learns from token sequences; `distribution(context)` sums to one over the vocabulary."""

    def __init__(
        self, sequences: Iterable[Sequence[int]], vocabulary_size: int, order: int = 4
    ) -> None:
        self._order = order
        self._size = vocabulary_size
        counts: dict[tuple[int, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for sequence in sequences:
            for at in range(len(sequence)):
                context = tuple(sequence[max(0, at - order + 1) : at])
                counts[context][sequence[at]] += 1
        self._levels = _continuations(counts)
        self._base = self._lowest()

    def distribution(self, context: Sequence[int]) -> NDArray[np.float64]:
        """P(next token | context), exact, over the whole vocabulary."""
        result = self._base.copy()
        for length in range(1, self._order):
            if length > len(context):
                break
            followers = self._levels.get(tuple(context[-length:]))
            if followers is None:
                break
            total = sum(followers.values())
            result *= _DISCOUNT * len(followers) / total
            for token, count in followers.items():
                result[token] += max(count - _DISCOUNT, 0.0) / total
        return result

    def _lowest(self) -> NDArray[np.float64]:
        result = np.zeros(self._size)
        for token, count in self._levels[()].items():
            result[token] = count
        result *= (1.0 - _UNSEEN_SHARE) / result.sum()
        return result + _UNSEEN_SHARE / self._size


def _continuations(
    counts: dict[tuple[int, ...], dict[int, int]],
) -> dict[tuple[int, ...], dict[int, int]]:
    """Add the shorter contexts, counted as Kneser and Ney do.

    In a shorter context a token counts once for every different token that stood before it, not
    once for every time it was seen: `Francisco` is frequent, but follows little besides `San`.
    """
    levels = {context: dict(followers) for context, followers in counts.items()}
    longest = max(len(context) for context in counts)
    for length in range(longest, 0, -1):
        for context in [c for c in levels if len(c) == length]:
            shorter = levels.setdefault(context[1:], {})
            for token in levels[context]:
                shorter[token] = shorter.get(token, 0) + 1
    return levels
