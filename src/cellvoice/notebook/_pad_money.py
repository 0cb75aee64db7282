"""What a pad shows of money: what talking costs now, what was paid, and what may be."""

from __future__ import annotations

from cellvoice.protocol import usd_per_second
from cellvoice.session import Session

__all__ = ["money_state"]


def money_state(session: Session) -> dict[str, object]:
    """The part of `pad.state` that is about money (`docs/architecture.md`)."""
    return {
        "price": _price(session),
        "cost_usd": float(session.cost),
        "budget": _budget(session),
    }


def _price(session: Session) -> dict[str, float] | None:
    history = session.history_cost()["now"]
    if session.badge:
        # The embedded engine and a recording cost nothing, whatever model they stand in for.
        return _form(0.0, 0.0, history.tokens, 0.0)
    price = usd_per_second(session.model, session.prices)
    if price is None or history.cost.usd is None:
        return None
    return _form(price.input_usd, price.output_usd, history.tokens, history.cost.usd)


def _form(
    input_usd: float, output_usd: float, history_tokens: int, history_usd: float
) -> dict[str, float]:
    return {
        "input_usd_per_s": input_usd,
        "output_usd_per_s": output_usd,
        "history_tokens": history_tokens,
        "history_usd": history_usd,
    }


def _budget(session: Session) -> dict[str, float] | None:
    limit_usd, left_usd = session.budget, session.remaining_usd
    if limit_usd is None or left_usd is None:
        return None
    return {"limit_usd": limit_usd, "left_usd": left_usd}
