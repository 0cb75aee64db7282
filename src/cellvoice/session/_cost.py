"""What a turn cost, as a number of dollars that knows how sure it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cellvoice.audio import Clip
from cellvoice.protocol import Reply, cost_usd, usd_per_second

__all__ = ["Cost", "cost_of", "total_cost"]


class Cost(float):
    """US dollars. `estimated` tells that the service did not say; NaN that no price is known.

    `usd` is the number, or None where no price is known; `note` says in one sentence why a cost
    is estimated or unknown, or is None.
    """

    __slots__ = ("estimated", "note")

    estimated: bool
    note: str | None

    def __new__(
        cls, usd: float | None, *, estimated: bool = False, note: str | None = None
    ) -> Cost:
        cost = super().__new__(cls, math.nan if usd is None else usd)
        cost.estimated = estimated
        cost.note = note
        return cost

    @property
    def usd(self) -> float | None:
        """The number of dollars, or None where no price is known."""
        return None if math.isnan(self) else float(self)

    def __repr__(self) -> str:
        if math.isnan(self):
            return f"Cost(unknown: {self.note})"
        return f"Cost({'about ' if self.estimated else ''}{_dollars(self)})"

    def __str__(self) -> str:
        if math.isnan(self):
            return "unknown"
        return f"{'about ' if self.estimated else ''}{_dollars(self)}"

    def __reduce__(self) -> tuple[object, ...]:
        return _cost, (self.usd, self.estimated, self.note)


def _cost(usd: float | None, estimated: bool, note: str | None) -> Cost:
    return Cost(usd, estimated=estimated, note=note)


def _dollars(usd: float) -> str:
    return "$0" if usd == 0 else f"${usd:.4f}" if abs(usd) >= 0.001 else f"${usd:.6f}"


def cost_of(reply: Reply, model: str, spoken_input: Sequence[Clip]) -> Cost:
    """The cost of a reply by its usage; from the seconds of sound where the usage is missing."""
    if reply.engine is not None:
        return Cost(0.0)
    if reply.usage is not None:
        usd = cost_usd(reply.usage, model)
        if usd is not None:
            return Cost(usd)
    price = usd_per_second(model)
    if price is None:
        return Cost(None, note=f"no price is known for {model}")
    sent_s = sum(clip.duration_s for clip in spoken_input)
    # Sound that was made but never arrived is billed all the same.
    usd = sent_s * price.input_usd + reply.generated_s * price.output_usd
    return Cost(
        usd,
        estimated=True,
        note="the service did not say what this used; estimated from the seconds of sound in "
        "this turn, without text and earlier turns",
    )


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum of what is known, marked as estimated if anything in it is estimated or unknown."""
    known, estimated, unknown = 0.0, False, 0
    for cost in costs:
        if cost.usd is None:
            unknown += 1
        else:
            known += cost.usd
            estimated = estimated or cost.estimated
    if unknown:
        return Cost(known, estimated=True, note=f"no price is known for {unknown} of the turns")
    note = "some turns are estimated, because the service did not say what they used"
    return Cost(known, estimated=estimated, note=note if estimated else None)
