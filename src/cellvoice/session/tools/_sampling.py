"""The same request once more, several times: what it may cost, and the objects that it gives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cellvoice.errors import BudgetExceeded, CellvoiceError, UsageError
from cellvoice.protocol import (
    ErrorReceived,
    NotAnObject,
    Reply,
    Request,
    Schema,
    Tokens,
    Usage,
    fold,
)
from cellvoice.session._budget import spent_usd
from cellvoice.session._cost import Cost, cost_of, dollars
from cellvoice.session._estimate import estimate_of

if TYPE_CHECKING:
    from cellvoice.session.turn import Turn

__all__ = ["Sample", "SamplePrice", "admit_samples", "object_text", "sample", "sample_price"]

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
    """What samples may cost. Raises UsageError for a number that can't be, or a turn without a
    request for an object."""
    if type(samples) is not int or not 1 <= samples <= MAX_SAMPLES:
        raise UsageError(f"samples={samples!r}: expected a whole number from 1 to {MAX_SAMPLES}")
    request = _request(turn)
    if turn.session.stand_in:
        return SamplePrice(samples, 0.0, "the service is not asked")
    cost = turn.cost
    if cost.usd is not None and len(_requests(turn)) == 1:
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
    request = _request(turn)
    request = replace(
        request, params={key: one for key, one in request.params.items() if key not in _LEFT_OUT}
    )
    found = [await _one(turn, request)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def another() -> Sample:
        async with gate:
            try:
                return await _one(turn, request)
            except CellvoiceError as error:
                return Sample(None, str(error), None, Cost(0.0))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(another()) for _ in range(samples - 1)]
    return [*found, *(task.result() for task in tasks)]


def object_text(turn: Turn, reply: Reply) -> str | None:
    """The JSON of the object that a reply gives, or None."""
    schema = _schema(turn)
    for call in reversed(reply.tool_calls):
        if call.name == schema.name:
            return call.arguments
    return None if reply.tool_calls or not reply.text else reply.text


async def _one(turn: Turn, request: Request) -> Sample:
    reply = Reply()
    wire = turn.session._asking.wire
    client = await wire.client()
    try:
        async with client.stream(request) as stream:
            async for event in stream:
                fold(reply, event)
                if isinstance(event, ErrorReceived):
                    raise event.error
    except CellvoiceError as error:
        error.args = tuple(wire.hide(str(part)) for part in error.args)
        raise
    finally:
        told = _sampled(turn, reply)
        turn._samples = (*turn._samples, told)
    return told


def _sampled(turn: Turn, reply: Reply) -> Sample:
    began = reply.usage is not None or bool(reply.text or reply.tool_calls or reply.generated_s)
    model = reply.model or turn._settings.model
    free = not began or turn.session.replays
    cost = Cost(0.0) if free else cost_of(reply, model, turn._settings.prices, _sent(turn))
    text = object_text(turn, reply)
    error = "" if text is not None else "it gave no object"
    if text is not None:
        try:
            _schema(turn).read(text)
        except NotAnObject as misfit:
            text, error = None, str(misfit)
    return Sample(text, error, reply.usage, cost)


def _sent(turn: Turn) -> Tokens:
    return turn._sent.tokens


def _schema(turn: Turn) -> Schema:
    schema = turn._settings.params.get("schema")
    if not isinstance(schema, Schema):
        raise UsageError("turn.confidence() is about an object, and none was asked for by schema=")
    return schema


def _requests(turn: Turn) -> Sequence[Request]:
    several = getattr(turn, "requests", None)
    if several is not None:
        return tuple(several)
    return () if turn.request is None else (turn.request,)


def _request(turn: Turn) -> Request:
    """The request that the object was the answer to: the last that asked for one."""
    name = _schema(turn).name
    for request in reversed(_requests(turn)):
        if _asks_for(name, request.params):
            return request
    raise UsageError("the turn has no request for an object yet; wait until it has ended")


def _asks_for(name: str, params: Any) -> bool:
    form = params.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        return True
    tools = params.get("tools")
    names = [tool.get("function", {}).get("name") for tool in tools] if tools else []
    return name in names and params.get("tool_choice") != "none"
