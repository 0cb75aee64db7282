"""What a turn cost, as a number of dollars that knows how sure it is."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cellvoice.protocol import (
    NO_PARTS,
    CostPart,
    CostParts,
    PriceList,
    Reply,
    Tokens,
    estimate_text_tokens,
    tokens_cost,
    usage_cost,
)
from cellvoice.protocol.models import OUTPUT_TOKENS_PER_S

__all__ = ["Cost", "cost_of", "dollars", "total_cost"]


class Cost(float):
    """US dollars. `estimated` tells that the service did not say; NaN that no price is known.

    `usd` is the number, or None where no price is known; `note` says in one sentence why a cost
    is estimated or unknown, or is None. `parts` divides it into text and sound, in and out, each
    with its tokens and dollars: `cost.parts.audio_out.usd`. `parts.usd` is None where the dollars
    are known in sum only.
    """

    __slots__ = ("estimated", "note", "parts")

    estimated: bool
    note: str | None
    parts: CostParts

    def __new__(
        cls,
        usd: float | None,
        *,
        estimated: bool = False,
        note: str | None = None,
        parts: CostParts = NO_PARTS,
    ) -> Cost:
        cost = super().__new__(cls, math.nan if usd is None else usd)
        cost.estimated = estimated
        cost.note = note
        cost.parts = parts
        return cost

    @property
    def usd(self) -> float | None:
        """The number of dollars, or None where no price is known."""
        return None if math.isnan(self) else float(self)

    def __repr__(self) -> str:
        if math.isnan(self):
            return f"Cost(unknown: {self.note})"
        return f"Cost({'about ' if self.estimated else ''}{dollars(self)})"

    def __str__(self) -> str:
        if math.isnan(self):
            return "unknown"
        return f"{'about ' if self.estimated else ''}{dollars(self)}"

    def __reduce__(self) -> tuple[object, ...]:
        return _cost, (self.usd, self.estimated, self.note, tuple(map(tuple, self.parts)))


def _cost(
    usd: float | None,
    estimated: bool,
    note: str | None,
    parts: Iterable[tuple[int, float | None]] = (),
) -> Cost:
    divided = CostParts(*(CostPart(*part) for part in parts))
    return Cost(usd, estimated=estimated, note=note, parts=divided)


def dollars(usd: float) -> str:
    """Dollars as they are shown: a small sum is never shown as nothing."""
    return "$0" if usd == 0 else f"${usd:.4f}" if abs(usd) >= 0.001 else f"${usd:.6f}"


def cost_of(reply: Reply, model: str, prices: PriceList, sent: Tokens) -> Cost:
    """The cost of a reply: what the server charged, else its usage, else by the measured rates.

    `sent` is what the request is likely to be billed as; it counts where there is no usage.
    """
    if reply.engine is not None:
        return Cost(0.0)
    price, usage = prices.for_model(model), reply.usage
    if usage is not None:
        parts = usage_cost(usage, price)
        if usage.cost is not None:
            return Cost(usage.cost, parts=parts.unpriced())
        if parts.usd is not None:
            return Cost(parts.usd, parts=parts)
    if price is None:
        parts = NO_PARTS if usage is None else usage_cost(usage, None)
        return Cost(None, note=f"no price is known for {model}; prices= can tell it", parts=parts)
    # Sound that was made but never arrived is billed all the same.
    parts = tokens_cost(
        price,
        text_in=sent.text,
        audio_in=sent.audio,
        text_out=sum(map(_words_tokens, reply.choices)),
        audio_out=sum(round(one.generated_s * OUTPUT_TOKENS_PER_S) for one in reply.choices),
    )
    return Cost(parts.usd, estimated=True, note=_basis(sent), parts=parts)


def _words_tokens(reply: Reply) -> int:
    calls = "".join(call.name + call.arguments for call in reply.tool_calls)
    return estimate_text_tokens(reply.text + reply.refusal + calls)


def _basis(sent: Tokens) -> str:
    replayed = f", {sent.replayed} of them earlier answers" if sent.replayed else ""
    return (
        "the service did not say what this used; estimated by the measured rates, 20 tokens for a "
        f"second of the reply, {sent.audio} for the sound sent{replayed}, and text at 4 letters "
        "a token"
    )


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum of what is known, marked as estimated if anything in it is estimated or unknown."""
    known, estimated, unknown, parts = 0.0, False, 0, NO_PARTS
    for cost in costs:
        parts = parts.plus(cost.parts)
        if cost.usd is None:
            unknown += 1
        else:
            known += cost.usd
            estimated = estimated or cost.estimated
    if unknown:
        note = f"no price is known for {unknown} of the turns"
        return Cost(known, estimated=True, note=note, parts=parts)
    note = "some turns are estimated, because the service did not say what they used"
    return Cost(known, estimated=estimated, note=note if estimated else None, parts=parts)
