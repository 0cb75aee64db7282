"""How sure the model was of the choices in an object: by its tokens, or by asking it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from cellvoice.errors import UsageError
from cellvoice.session._cost import Cost, total_cost

from ._choices import Choice, choices_in, json_key
from ._exchanges import Given, given_object
from ._sampling import admit_samples, sample, sample_price
from ._weights import Weight, counted, weighed

if TYPE_CHECKING:
    import pandas as pd

    from cellvoice.session.turn import Turn

__all__ = ["ChoiceConfidence", "Confidence", "Weight", "counted_confidence", "told_confidence"]


@dataclass(frozen=True, slots=True)
class ChoiceConfidence:
    """One choice of the object: the value that it has, and how likely each value was.

    `p`, `low` and `high` are those of `value`; `weights` has every value, the likeliest first.
    """

    path: str
    value: object
    p: float
    low: float
    high: float
    weights: tuple[Weight, ...] = field(repr=False)


class Confidence(Mapping[str, ChoiceConfidence]):
    """How sure the model was, by the place of each choice: `confidence["legs[0].colour"].p`.

    By "logprobs" the chances are those of the tokens that were written, and cost nothing. By
    "samples" they are what was counted in `samples` other answers to the same request, with 95 %
    Wilson intervals; `failed` are those that gave no object, and are not counted. `cost` is what
    the samples cost.
    """

    def __init__(
        self,
        choices: Sequence[ChoiceConfidence],
        by: Literal["logprobs", "samples"],
        *,
        samples: int = 0,
        failed: int = 0,
        cost: Cost | None = None,
    ) -> None:
        self._choices = {one.path: one for one in choices}
        self.by = by
        self.samples = samples
        self.failed = failed
        self.cost = Cost(0.0) if cost is None else cost

    def __getitem__(self, path: str) -> ChoiceConfidence:
        return self._choices[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._choices)

    def __len__(self) -> int:
        return len(self._choices)

    def to_dataframe(self) -> pd.DataFrame:
        """A row for every value of every choice. Raises UsageError where pandas is missing."""
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "to_dataframe() needs pandas, which is not installed here; run pip install pandas"
            ) from error
        return pandas.DataFrame(
            [
                {
                    "path": one.path,
                    "value": weight.value,
                    "chosen": weight.value == one.value,
                    "p": weight.p,
                    "low": weight.low,
                    "high": weight.high,
                    "count": weight.count,
                }
                for one in self.values()
                for weight in one.weights
            ]
        )

    @property
    def basis(self) -> str:
        """Where the numbers come from, in a sentence."""
        if self.by == "logprobs":
            return "by the probabilities of the tokens that were written"
        failed = f", {self.failed} more gave no object" if self.failed else ""
        return f"counted in {self.samples} samples for {self.cost}{failed}; 95 % intervals"

    def __repr__(self) -> str:
        told = "; ".join(
            f"{one.path} = {one.value!r} {one.p:.0%} ({one.low:.0%} to {one.high:.0%})"
            for one in self.values()
        )
        return f"<Confidence {told or 'of no choice'}; {self.basis}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(one.path) if weight is one.weights[0] else ''}</td>"
            f"<td>{escape(repr(weight.value))}{' ✓' if weight.value == one.value else ''}</td>"
            f"<td>{weight.p:.1%}</td><td>{weight.low:.1%} to {weight.high:.1%}</td></tr>"
            for one in self.values()
            for weight in one.weights
        )
        return f"<table>{rows}</table><p>{escape(self.basis)}</p>"


def told_confidence(turn: Turn) -> Confidence | None:
    """By the log probabilities of the turn's object; None if they don't tell.

    Raises UsageError for a turn without an object, or one without a choice in it.
    """
    given = given_object(turn)
    choices = _choices(given)
    logprobs = given.reply.logprobs
    if logprobs is None:
        return None
    found: list[ChoiceConfidence] = []
    for choice in choices:
        weights = weighed(choice, given.text, logprobs.content)
        if weights is None:
            return None
        found.append(_of(choice, weights))
    return Confidence(found, "logprobs")


async def counted_confidence(turn: Turn, samples: int | None) -> Confidence:
    """By asking again. Background loop only. Raises UsageError, BudgetExceeded."""
    if samples is None:
        raise UsageError(
            "there are no log probabilities of this object; confidence(samples=20) asks the model "
            f"again: {sample_price(turn, 20)}"
        )
    admit_samples(turn, sample_price(turn, samples))
    given = given_object(turn)
    taken = await sample(turn, samples)
    seen = [_seen(given, one.text) for one in taken if one.text is not None]
    found = []
    for choice in _choices(given):
        # A list may be shorter in another answer: what is not there has no value to count.
        values = [one[choice.path] for one in seen if choice.path in one]
        found.append(_of(choice, counted(choice.values, values)))
    return Confidence(
        found,
        "samples",
        samples=len(seen),
        failed=len(taken) - len(seen),
        cost=total_cost(one.cost for one in taken),
    )


def _choices(given: Given) -> list[Choice]:
    choices = choices_in(given.text, given.schema.json_schema)
    if not choices:
        raise UsageError(
            f"{given.schema.name} has no choice in it, expected a field that is an enum, a Literal "
            "or a bool; how sure the model was of a free text or a number can't be counted"
        )
    return choices


def _seen(given: Given, text: str) -> dict[str, Any]:
    return {one.path: one.value for one in choices_in(text, given.schema.json_schema)}


def _of(choice: Choice, weights: tuple[Weight, ...]) -> ChoiceConfidence:
    own = next(one for one in weights if json_key(one.value) == json_key(choice.value))
    return ChoiceConfidence(choice.path, choice.value, own.p, own.low, own.high, weights)
