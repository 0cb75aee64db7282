"""The part of a `Turn` that is about its requests, when there are several, and their calls."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from cellvoice.protocol import CostParts, Event, Reply, Request, Schema, Usage, fold
from cellvoice.session._cost import Cost, cost_of
from cellvoice.session._sent import NOTHING_SENT

from .rounds import Round, RoundsReply, round_messages
from .trace import Trace

if TYPE_CHECKING:
    from cellvoice.session._asking import Settings
    from cellvoice.session._parsing import Parsed
    from cellvoice.session._seams import Waiting

    from .calls import ToolCall

__all__ = ["WROTE", "Tooled"]

WROTE: Final = "; the model wrote: "

_log = logging.getLogger("cellvoice.session")


class Tooled:
    """What a `Turn` knows of tools. `_reply` is the whole; `_answer` the newest request's."""

    _settings: Settings
    _request: Request | None
    _request_id: str | None
    _reply: Reply
    _lock: threading.Lock
    _ended: threading.Event

    def __init__(self) -> None:
        self._sent = NOTHING_SENT
        self._rounds: tuple[Round, ...] = ()
        self._joined: RoundsReply | None = None
        self._newest: Reply | None = None
        self._calls: tuple[ToolCall, ...] = ()
        self._trace: Callable[[], Trace] = Trace
        self._no_more_calls = False
        self._parsed: object = None
        self._parsed_error: str | None = None
        self._object_text: str | None = None
        self._on_tools: tuple[Callable[[], object], ...] = ()
        # What a tool prints is to appear in the cell that asked.
        self._context = contextvars.copy_context()
        # How somebody waits for the end of it, or None.
        self._waiting: Waiting | None = None
        # Set when whoever waits is to go on: the turn has ended, or waits for somebody else.
        self._let_go = threading.Event()
        self._on_let_go: list[Callable[[], object]] = []

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that the model made, in order, with what became of them; they change while
        the turn runs."""
        return self._calls

    @property
    def trace(self) -> Trace:
        """What happened when: requests, calls, approvals, speech; `.to_dataframe()` is a table."""
        return self._trace()

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests of the turn as they were sent; `request` is the last of them."""
        all_here = (*(one.request for one in self._rounds), self._request)
        return tuple(request for request in all_here if request is not None)

    @property
    def parsed(self) -> Any:
        """The object that `schema=` asked for: of the class that was given, or a dict.

        None before the model has given it, and when the reply is no such object; `parsed_error`
        says why.
        """
        return self._parsed

    @property
    def partial(self) -> dict[str, object] | None:
        """The object that `schema=` asked for as far as it has come, or None; not checked."""
        schema = self._settings.params.get("schema")
        if not isinstance(schema, Schema):
            return None
        from .partial import partial_object

        if self._object_text is not None:
            return partial_object(self._object_text)
        reply = self._answer
        own = [call.arguments for call in reply.tool_calls if call.name == schema.name]
        return partial_object(own[-1] if own else reply.text)

    @property
    def parsed_error(self) -> str | None:
        """Why there is no object although one was asked for, with what the model wrote, or None."""
        return self._parsed_error

    def when_tools_change(self, call: Callable[[], object]) -> None:
        """Call something whenever `tool_calls` or `trace` has changed.

        On whichever thread changes it, so only hand work over there. What it raises is logged.
        """
        with self._lock:
            self._on_tools = (*self._on_tools, call)

    @property
    def _answer(self) -> Reply:
        """The reply to the newest request."""
        return self._reply if self._newest is None else self._newest

    def _fold(self, event: Event) -> Event | None:
        """Apply an event of the newest reply; one that the whole has before it, or None."""
        fold(self._answer, event)
        if self._joined is None or self._newest is None:
            return None
        return self._joined.fold(event, self._newest)

    def _next_round(self, correction: str = "") -> None:
        """The newest reply is not the last one: another request follows."""
        done = Round(
            self._request,
            self._request_id,
            self._answer,
            self._round_cost(),
            self._newest_calls,
            correction,
        )
        self._rounds = (*self._rounds, done)
        if self._joined is None:
            self._joined = RoundsReply(self._reply)
            self._reply = self._joined.whole
        else:
            self._joined.begin()
        self._newest = Reply(engine=self._answer.engine)
        self._sent = NOTHING_SENT

    def _round_messages(self) -> list[Mapping[str, object]]:
        """What was said in the turn between its question and its newest request."""
        return [
            message
            for one in self._rounds
            for message in round_messages(one.reply, one.calls, one.correction)
        ]

    def _said_before_the_answer(self) -> list[Mapping[str, object]]:
        """What later turns repeat of it besides its question and its last words.

        Objects that did not fit are nobody's business any more. A call that has no result is not
        repeated: what was declared in the service's form is the caller's to answer.
        """
        found = [
            message
            for one in self._rounds
            if not one.correction
            for message in round_messages(one.reply, one.calls)
        ]
        if self._ends_with_calls:
            found += round_messages(self._answer, self._newest_calls)
        return found

    @property
    def _newest_calls(self) -> tuple[ToolCall, ...]:
        return tuple(call for call in self._calls if call.round == len(self._rounds) + 1)

    @property
    def _ends_with_calls(self) -> bool:
        """Whether the last that is known of it are calls with results, and no answer to these."""
        newest = self._newest_calls
        return bool(newest) and all(call.result_text is not None for call in newest)

    def _round_cost(self) -> Cost:
        """What the newest request cost."""
        reply = self._answer
        model = reply.model or self._settings.model
        return cost_of(reply, model, self._settings.prices, self._sent.tokens)

    def _all_costs(self) -> Cost:
        """What all of its requests cost together."""
        before = [one.cost for one in self._rounds]
        if before and self._sent is NOTHING_SENT:
            return _together(before)  # the newest one was not sent, or refused as a whole
        return _together([*before, self._round_cost()])

    @property
    def _rounds_usd(self) -> float:
        """What the requests before the newest one cost, as far as it is known."""
        return sum(one.cost.usd or 0.0 for one in self._rounds)

    @property
    def _all_usage(self) -> Usage | None:
        told = [one.reply.usage for one in self._rounds]
        found = [usage for usage in (*told, self._answer.usage) if usage is not None]
        return sum(found[1:], found[0]) if found else None

    def _add_calls(self, calls: Iterable[ToolCall]) -> None:
        self._calls = (*self._calls, *calls)
        self._tools_changed()

    def _take_object(self, found: Parsed) -> None:
        self._parsed = found.value
        self._object_text = None if found.error else found.text
        self._parsed_error = (
            f"{found.error}; the model wrote: {found.text}" if found.error else None
        )

    def _tools_changed(self) -> None:
        for call in self._on_tools:
            try:
                call()
            except Exception:  # noqa: BLE001 (what is not shown changes no turn)
                _log.exception("a call of a tool could not be shown")

    def _let_waiting_go(self) -> None:
        """Whoever waits for the turn goes on, though it has not ended."""
        with self._lock:
            self._let_go.set()
            calls, self._on_let_go = self._on_let_go, []
        for call in calls:
            call()

    def _hold_waiting(self) -> None:
        """From here on a wait is for the end again."""
        with self._lock:
            if not self._ended.is_set():
                self._let_go.clear()

    async def _until_let_go(self) -> None:
        """Wait on any loop until a wait is over."""
        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def tell() -> None:
            try:
                loop.call_soon_threadsafe(over.set)
            except RuntimeError:
                _log.debug("the loop that waited for a turn has ended")

        with self._lock:
            if self._let_go.is_set():
                return
            self._on_let_go.append(tell)
        await over.wait()


def _together(costs: list[Cost]) -> Cost:
    """The cost of several requests; unknown if one of them is."""
    if len(costs) == 1:
        return costs[0]
    parts: CostParts = costs[0].parts
    for cost in costs[1:]:
        parts = parts.plus(cost.parts)
    note = next((cost.note for cost in costs if cost.note), None)
    if any(cost.usd is None for cost in costs):
        return Cost(None, note=note, parts=parts)
    usd = sum(cost.usd or 0.0 for cost in costs)
    return Cost(usd, estimated=any(cost.estimated for cost in costs), note=note, parts=parts)
