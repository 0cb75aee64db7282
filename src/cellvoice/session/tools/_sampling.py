"""The same request once more, several times: what it may cost, and the objects that it gives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cellvoice.errors import BudgetExceeded, CellvoiceError, UsageError
from cellvoice.protocol import (
    ErrorReceived,
    NotAnObject,
    Reply,
    Usage,
    fold,
)
from cellvoice.session._budget import spent_usd
from cellvoice.session._cost import Cost, cost_of, dollars
from cellvoice.session._estimate import estimate_of
from cellvoice.session._sent import sent_in

from ._exchanges import Given, exchanges, given_object, object_text

if TYPE_CHECKING:
    from cellvoice.session.turn import Turn

__all__ = ["Sample", "SamplePrice", "admit_samples", "sample", "sample_price"]

_AT_ONCE: Final = 4
MAX_SAMPLES: Final = 1_000
# Each would make all samples alike, or several at a time.
_LEFT_OUT: Final = frozenset(("seed", "n"))


@dataclass(frozen=True, slots=True)
class SamplePrice:
    """What samples of a turn's call may cost, in US dollars; None where no price is known.

    `basis` says what one is taken to cost, and why.
    """

    samples: int
    each_usd: float | None
    basis: str

    @property
    def usd(self) -> float | None:
        """All together."""
        return None if self.each_usd is None else self.samples * self.each_usd

    def __str__(self) -> str:
        usd = "an unknown sum" if self.usd is None else f"about {dollars(self.usd)}"
        return f"{self.samples} samples for {usd} ({self.basis})"


@dataclass(frozen=True, slots=True)
class Sample:
    """One of them: the text of its object, or why there is none (`error`); what it used."""

    text: str | None
    error: str
    usage: Usage | None
    cost: Cost


def sample_price(turn: Turn, samples: int) -> SamplePrice:
    """What samples may cost.

    Raises UsageError for a number that can't be, or a turn without an object.
    """
    if type(samples) is not int or not 1 <= samples <= MAX_SAMPLES:
        raise UsageError(f"samples={samples!r}: expected a whole number from 1 to {MAX_SAMPLES}")
    request = given_object(turn).request
    if turn.session.stand_in:
        return SamplePrice(samples, 0.0, "the service is not asked")
    cost = turn.cost
    if cost.usd is not None and len(exchanges(turn)) == 1:
        return SamplePrice(samples, cost.usd, f"this turn cost {cost}")
    estimate = estimate_of(request, turn.session.turns, turn._settings.prices)
    return SamplePrice(samples, estimate.usd, f"a request is estimated, {estimate.answer_basis}")


def admit_samples(turn: Turn, price: SamplePrice) -> None:
    """See that the samples fit into the session's budget. Raises BudgetExceeded, UsageError."""
    session, budget_usd = turn.session, turn.session.budget
    if budget_usd is None or session.stand_in:
        return
    if price.usd is None:
        raise UsageError(
            f"budget={dollars(budget_usd)} can't be kept: no price is known for {turn.model}; "
            "give it with prices=, or set session.budget = None"
        )
    spent = spent_usd(session)
    over_usd = spent + price.usd - budget_usd
    if over_usd > 1e-8:
        raise BudgetExceeded(
            f"{price} would cross the budget of {dollars(budget_usd)} by {dollars(over_usd)}: "
            f"{dollars(spent)} is spent. Nothing was sent. What helps: fewer samples, or set "
            "session.budget higher",
            budget_usd=budget_usd,
            spent_usd=spent,
            estimated_usd=price.usd,
            over_usd=over_usd,
        )


async def sample(turn: Turn, samples: int) -> Sequence[Sample]:
    """Ask the turn's request so many times, four at once. Background loop only.

    The first alone, so that a request that fails whole is not sent again and again: its error is
    raised. What it cost is put down on the turn as it comes, also when this is cancelled.
    """
    given = given_object(turn)
    params = {key: one for key, one in given.request.params.items() if key not in _LEFT_OUT}
    given = replace(given, request=replace(given.request, params=params))
    found = [await _one(turn, given)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def another() -> Sample:
        async with gate:
            try:
                return await _one(turn, given)
            except CellvoiceError as error:
                return Sample(None, str(error), None, Cost(0.0))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(another()) for _ in range(samples - 1)]
    return [*found, *(task.result() for task in tasks)]


async def _one(turn: Turn, given: Given) -> Sample:
    reply = Reply()
    wire = turn.session._asking.wire
    client = await wire.client()
    try:
        async with client.stream(given.request) as stream:
            async for event in stream:
                fold(reply, event)
                if isinstance(event, ErrorReceived):
                    raise event.error
    except CellvoiceError as error:
        error.args = tuple(wire.hide(str(part)) for part in error.args)
        raise
    finally:
        told = _sampled(turn, given, reply)
        turn._samples = (*turn._samples, told)
    return told


def _sampled(turn: Turn, given: Given, reply: Reply) -> Sample:
    began = reply.usage is not None or bool(reply.text or reply.tool_calls or reply.generated_s)
    model = reply.model or turn._settings.model
    sent = sent_in(given.request, ()).tokens
    free = not began or turn.session.replays
    cost = Cost(0.0) if free else cost_of(reply, model, turn._settings.prices, sent)
    text = object_text(given.schema, reply)
    error = "" if text else "it gave no object"
    if text:
        try:
            given.schema.read(text)
        except NotAnObject as misfit:
            text, error = None, str(misfit)
    return Sample(text or None, error, reply.usage, cost)
