"""How the next token is drawn: pure functions from one probability vector to the next.

The order is that of the service. The model gives a probability to every token of its vocabulary.
Penalties and bias move the scores (the logarithms), temperature sharpens or flattens them, top_p
cuts the tail, and the seeded generator draws. Every vector here sums to one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Drawn",
    "Guide",
    "Sampling",
    "allowed_only",
    "biased",
    "choose",
    "generate",
    "likeliest",
    "nucleus",
    "penalised",
    "random_of",
    "softmax",
    "tempered",
]

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sampling:
    """What the caller set. `temperature` 0 takes the likeliest token and draws nothing."""

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn token, its log probability, and the likeliest tokens of its step with theirs.

    The probabilities are the model's own, before penalties, bias, temperature and top_p.
    """

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()


class Guide(Protocol):
    """A grammar that follows the text: it says what may come next, and is told what came."""

    def allowed(self) -> NDArray[np.bool_]:
        """One truth value for each token of the vocabulary."""
        ...

    def took(self, token: int) -> None:
        """`token` is now the end of the text."""
        ...


def softmax(scores: Probabilities) -> Probabilities:
    """Scores (log probabilities, up to a constant) to probabilities."""
    weights: Probabilities = np.exp(scores - np.max(scores))
    weights /= weights.sum()
    return weights


def allowed_only(probabilities: Probabilities, allowed: NDArray[np.bool_]) -> Probabilities:
    """Give nothing to what a grammar forbids, and share it among the rest."""
    kept: Probabilities = np.where(allowed, probabilities, 0.0)
    if not kept.any():
        kept = allowed.astype(np.float64)  # the model gives all that is left the same: nothing
    kept /= kept.sum()
    return kept


def penalised(
    probabilities: Probabilities, counts: Mapping[int, int], presence: float, frequency: float
) -> Probabilities:
    """Lower the score of what was said: `presence` once, `frequency` for every time."""
    if not counts or (presence == 0 and frequency == 0):
        return probabilities
    scores = _scores(probabilities)
    for token, count in counts.items():
        scores[token] -= presence + frequency * count
    return softmax(scores)


def biased(probabilities: Probabilities, bias: Mapping[int, float]) -> Probabilities:
    """Add to the scores of single tokens: -100 forbids a token, 100 leaves nothing else."""
    if not bias:
        return probabilities
    scores = _scores(probabilities)
    for token, amount in bias.items():
        scores[token] += amount
    return softmax(scores)


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Raise to the power 1/temperature and normalise: below 1 sharper, above 1 flatter."""
    if temperature <= 0:
        certain = np.zeros_like(probabilities)
        certain[int(np.argmax(probabilities))] = 1.0
        return certain
    scores = _scores(probabilities)
    return softmax((scores - scores.max()) / temperature)


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


def choose(
    probabilities: Probabilities,
    sampling: Sampling,
    random: np.random.Generator,
    counts: Mapping[int, int],
) -> int:
    """Draw one token; `counts` says how often each was drawn before."""
    shaped = penalised(probabilities, counts, sampling.presence_penalty, sampling.frequency_penalty)
    shaped = biased(shaped, sampling.logit_bias)
    shaped = nucleus(tempered(shaped, sampling.temperature), sampling.top_p)
    if sampling.temperature <= 0:
        return int(np.argmax(shaped))
    # One uniform number and the running sum: the same seed gives the same token everywhere.
    edges = np.cumsum(shaped)
    return int(np.searchsorted(edges, random.random() * edges[-1], side="right"))


def likeliest(probabilities: Probabilities, count: int) -> tuple[tuple[int, float], ...]:
    """The `count` likeliest tokens with their log probabilities, the likeliest first."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return tuple((int(at), float(np.log(probabilities[at]))) for at in order if probabilities[at])


def random_of(seed: int | None, choice: int = 0) -> np.random.Generator:
    """The dice of one choice: the same for the same seed, different for every choice."""
    return np.random.default_rng(None if seed is None else (seed % 2**64, choice))


def generate(
    next_probabilities: Callable[[Sequence[int]], Probabilities],
    sampling: Sampling,
    end_token: int,
    limit: int,
    *,
    choice: int = 0,
    guide: Guide | None = None,
) -> Iterator[Drawn]:
    """Draw tokens until the end token or `limit`; the end token itself is not given.

    With a `guide`, what it forbids has no probability, in the drawing and in what is reported.
    """
    random = random_of(sampling.seed, choice)
    tokens: list[int] = []
    counts: Counter[int] = Counter()
    while len(tokens) < limit:
        probabilities = next_probabilities(tokens)
        if guide is not None:
            probabilities = allowed_only(probabilities, guide.allowed())
        token = choose(probabilities, sampling, random, counts)
        if token == end_token:
            return
        if guide is not None:
            guide.took(token)
        tokens.append(token)
        counts[token] += 1
        logprob = float(np.log(probabilities[token]))
        yield Drawn(token, logprob, likeliest(probabilities, sampling.top_logprobs))


def _scores(probabilities: Probabilities) -> Probabilities:
    with np.errstate(divide="ignore"):
        scores: Probabilities = np.log(probabilities)
    return scores
