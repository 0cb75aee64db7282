"""A limit on what a session may cost, held before a turn is sent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cellvoice.errors import BudgetExceeded, UsageError
from cellvoice.protocol import Request

from ._cost import dollars
from ._estimate import Estimate, estimate_of

if TYPE_CHECKING:
    from .session import Session
    from .turn import Turn

__all__ = ["admit", "checked_budget", "spent_usd"]


def checked_budget(budget: object) -> float | None:
    """US dollars, or None for no limit. Raises UsageError."""
    if budget is None:
        return None
    if not isinstance(budget, bool) and isinstance(budget, (int, float)) and 0 <= budget < math.inf:
        return float(budget)
    raise UsageError(f"budget={budget!r}: expected US dollars, such as 0.50, or None")


def admit(turn: Turn, request: Request, *, sending: bool = False) -> None:
    """See that a turn can be sent within its session's budget, and reserve what it may cost.

    Called when the turn is made and again, `sending`, when it is its turn: those before it may have
    cost more than they were taken to, and those after it are not to take its place. Raises
    BudgetExceeded; UsageError where no price is known.
    """
    session = turn.session
    budget_usd = session.budget
    if budget_usd is None or session.stand_in:
        return
    estimate = estimate_of(request, session.turns, turn._settings.prices)
    if estimate.usd is None:
        raise UsageError(
            f"budget={dollars(budget_usd)} can't be kept: no price is known for {request.model}; "
            f"give it with prices={{{request.model!r}: cv.Prices(…)}}, or set session.budget = None"
        )
    # One turn of a session runs at a time: when this one is sent, all that wait come after it.
    already_usd = turn._rounds_usd
    spent = spent_usd(session, besides=turn, reserved=not sending) + already_usd
    over_usd = spent + estimate.usd - budget_usd
    # Sums of floating point: a millionth of a cent is no crossing.
    if over_usd > 1e-8:
        raise _exceeded(estimate, spent, budget_usd, over_usd)
    turn._reserved_usd = already_usd + estimate.usd


def spent_usd(session: Session, besides: Turn | None = None, *, reserved: bool = True) -> float:
    """What the session has cost; with what is `reserved`, turns that still run or wait count too.

    These count as at least what they were taken to cost.
    """
    total_usd = 0.0
    for turn in session._paid:
        if turn is not besides:
            usd = turn.cost.usd or 0.0
            held = reserved and not turn.done
            total_usd += max(usd, turn._reserved_usd) if held else usd
        total_usd += sum(one.cost.usd or 0.0 for one in turn._samples)
    return total_usd


def _exceeded(
    estimate: Estimate, spent: float, budget_usd: float, over_usd: float
) -> BudgetExceeded:
    assert estimate.usd is not None
    return BudgetExceeded(
        f"this turn would cross the budget of {dollars(budget_usd)} by {dollars(over_usd)}: "
        f"{dollars(spent)} is spent, and it may cost {dollars(estimate.usd)} "
        f"({estimate.answer_basis}). Nothing was sent. {_what_helps(estimate)}",
        budget_usd=budget_usd,
        spent_usd=spent,
        estimated_usd=estimate.usd,
        over_usd=over_usd,
    )


def _what_helps(estimate: Estimate) -> str:
    ways = ["set session.budget higher"]
    answer_usd, history_usd = estimate.answer_usd or 0.0, estimate.history_usd or 0.0
    if answer_usd > 0:
        ways.append("bound the answer with a lower max_completion_tokens=")
    if estimate.answer_audio_tokens:
        ways.append("ask for a written one with voice=None")
    if history_usd > 0:
        ways.append(f"begin a new Session ({dollars(history_usd)} of it is history)")
    return f"What helps: {'; '.join(ways)}."
