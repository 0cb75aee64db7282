"""How the next token is drawn: pure functions over one probability vector, readable in one sitting.

The order is that of the service: penalties and bias change the scores, temperature sharpens or
flattens them, top_p cuts the tail, and the seeded generator draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sampling", "StopText", "choose", "generate", "nucleus", "tempered"]

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sampling:
    """What the caller set. `temperature` 0 takes the likeliest token and draws nothing."""

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Raise to the power 1/temperature and normalise: below 1 sharper, above 1 flatter."""
    if temperature <= 0:
        certain = np.zeros_like(probabilities)
        certain[int(np.argmax(probabilities))] = 1.0
        return certain
    with np.errstate(divide="ignore"):
        scores = np.log(probabilities) / temperature
    weights: Probabilities = np.exp(scores - np.max(scores))
    weights /= weights.sum()
    return weights


def nucleus(probabilities: Probabilities, top_p: float) -> Probabilities:
    """Keep the likeliest tokens whose shares reach `top_p`, and normalise."""
    if top_p >= 1:
        return probabilities
    order = np.argsort(-probabilities, kind="stable")
    reached = np.cumsum(probabilities[order])
    kept = order[: int(np.searchsorted(reached, top_p)) + 1]
    result: Probabilities = np.zeros_like(probabilities)
    result[kept] = probabilities[kept]
    result /= result.sum()
    return result


def choose(probabilities: Probabilities, sampling: Sampling, random: np.random.Generator) -> int:
    """Draw one token."""
    shaped = nucleus(tempered(probabilities, sampling.temperature), sampling.top_p)
    if sampling.temperature <= 0:
        return int(np.argmax(shaped))
    # One uniform number and the running sum: the same seed gives the same token everywhere.
    edges = np.cumsum(shaped)
    return int(np.searchsorted(edges, random.random() * edges[-1], side="right"))


def generate(
    next_probabilities: Callable[[Sequence[int]], Probabilities],
    sampling: Sampling,
    end_token: int,
    limit: int,
) -> Iterator[int]:
    """Draw tokens until the end token or `limit`; the end token itself is not given."""
    random = np.random.default_rng(sampling.seed)
    tokens: list[int] = []
    while len(tokens) < limit:
        token = choose(next_probabilities(tokens), sampling, random)
        if token == end_token:
            return
        tokens.append(token)
        yield token


class StopText:
    """Cut a text at the first of the stop strings, though it may arrive in pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.reached = False

    def feed(self, piece: str) -> str:
        """What can be said by now; text that may begin a stop string is held back."""
        if self.reached:
            return ""
        self._held += piece
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.reached = True
            said, self._held = self._held[: min(found)], ""
            return said
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - keep
        said, self._held = self._held[:cut], self._held[cut:]
        return said

    def finish(self) -> str:
        """The text still held back when no stop string came."""
        said, self._held = self._held, ""
        return said


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` could begin `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
