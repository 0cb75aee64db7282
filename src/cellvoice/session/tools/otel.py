"""Turns as OpenTelemetry spans, by the conventions for generative AI."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from cellvoice.errors import UsageError
from cellvoice.protocol import Event, Reply, Request

from ._exchanges import exchanges
from ._otel_attributes import Attributes, content_attributes, reply_attributes, request_attributes

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from cellvoice.session.session import Session
    from cellvoice.session.turn import Turn

__all__ = ["export_otel", "watch_otel"]

_INSTALL: Final = (
    "OpenTelemetry spans need the package opentelemetry-api, which is not installed; install it "
    "with pip install 'cellvoice[otel]' and, to send them somewhere, an SDK with an exporter"
)
# Of the conventions that have all the names used here.
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.37.0"
_AGENT: Final = "cellvoice"


class _Call(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> Mapping[str, object]: ...
    @property
    def result_text(self) -> str | None: ...


class _TraceSpan(Protocol):
    """A span of `turn.trace`, in seconds since the turn's first request was sent."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float | None: ...
    @property
    def round(self) -> int: ...
    @property
    def call_id(self) -> str | None: ...
    @property
    def call(self) -> _Call | None: ...
    @property
    def error(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Traced:
    """What is exported of a turn. `exchanges` are its requests with their replies, by round."""

    session_id: str
    turn_id: str
    began_at: datetime
    provider: str
    model: str
    finish: str
    error: BaseException | None
    cost_usd: float | None
    trace: Sequence[_TraceSpan]
    exchanges: Sequence[tuple[Request, Reply]]


def export_otel(
    turn: Turn, *, tracer_provider: TracerProvider | None = None, content: bool = False
) -> None:
    """Give a turn that has ended to OpenTelemetry, as spans of the times at which it ran.

    One `invoke_agent` span for the turn, in it a `chat` span for each request and an `execute_tool`
    span for each call that ran; upload, waiting, thinking, speech and approval are spans of their
    own. `tracer_provider` None is the global one. Words, arguments and results are part of it with
    `content=True` only; sound never is. Raises UsageError for a turn that runs, and where
    OpenTelemetry is not installed.
    """
    if not turn.done:
        raise UsageError("the turn still runs; wait until it has ended, then export it")
    export(traced(turn), tracer_provider, content=content)


def watch_otel(
    session: Session, *, tracer_provider: TracerProvider | None = None, content: bool = False
) -> Callable[[], None]:
    """Give every turn of a session to OpenTelemetry when it ends, as `export_otel` does.

    Those who wait for a turn go on after it, so take a provider that hands on in batches. Call the
    result to end it. Raises UsageError where OpenTelemetry is not installed.
    """
    _api()
    return session.watch(_Watcher(tracer_provider, content))


class _Watcher:
    """A view of every turn that shows it to nobody."""

    def __init__(self, provider: TracerProvider | None, content: bool) -> None:
        self._provider, self._content = provider, content

    def started(self, turn: Turn) -> None:
        """Nothing is told before the end: a span has the times that it is given."""

    def event(self, turn: Turn, event: Event) -> None:
        """As above."""

    async def ended(self, turn: Turn) -> None:
        """Export it; what goes wrong is logged by those who call."""
        export(traced(turn), self._provider, content=self._content)


def traced(turn: Turn) -> Traced:
    """What there is to export of a turn."""
    return Traced(
        session_id=turn.session_id,
        turn_id=turn.id,
        began_at=turn.asked_at,
        provider="cellvoice.engine" if turn.engine is not None else "openai",
        model=turn.model,
        finish=turn.finish or "",
        error=turn.error,
        cost_usd=turn.cost.usd,
        trace=turn.trace,
        exchanges=exchanges(turn),
    )


def export(of: Traced, provider: TracerProvider | None, *, content: bool) -> None:
    """Make the spans, all of them with the times that they had."""
    api = _api()
    given = provider if provider is not None else api.get_tracer_provider()
    tracer: Tracer = given.get_tracer("cellvoice", schema_url=_SCHEMA)
    _Export(of, tracer, content).run()


class _Export:
    """One turn on its way. Times in nanoseconds since 1970, as OpenTelemetry has them."""

    def __init__(self, of: Traced, tracer: Tracer, content: bool) -> None:
        self._of, self._tracer, self._content = of, tracer, content
        self._zero_ns = int(of.began_at.timestamp() * 1e9)

    def run(self) -> None:
        """The turn, its requests with what is in them, and what is between them."""
        of = self._of
        spans = list(of.trace)
        last_s = max((span.end_s or span.start_s for span in spans), default=0.0)
        root = self._begin(f"invoke_agent {_AGENT}", 0.0, None, self._of_turn(), client=False)
        requests: dict[int, Context] = {}
        for span in sorted(spans, key=lambda one: one.kind != "request"):
            inside = requests.get(span.round) if span.kind in _IN_A_REQUEST else None
            made = self._one(span, inside or _inside(root))
            if span.kind == "request":
                requests[span.round] = _inside(made)
            self._end(made, span.end_s if span.end_s is not None else last_s, span.error)
        error = f"{type(of.error).__name__}: {of.error}" if of.error is not None else None
        kind = type(of.error).__name__ if of.error is not None else ""
        self._end(root, last_s, error, kind)

    def _of_turn(self) -> Attributes:
        of = self._of
        found: Attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": of.provider,
            "gen_ai.agent.name": _AGENT,
            "gen_ai.conversation.id": of.session_id,
            "gen_ai.response.model": of.model,
            "cellvoice.turn.id": of.turn_id,
            "cellvoice.turn.finish": of.finish,
        }
        if of.cost_usd is not None:
            found["cellvoice.cost.usd"] = of.cost_usd
        usages = [reply.usage for _, reply in of.exchanges if reply.usage is not None]
        if usages:
            found["gen_ai.usage.input_tokens"] = sum(one.prompt_tokens for one in usages)
            found["gen_ai.usage.output_tokens"] = sum(one.completion_tokens for one in usages)
        return found

    def _one(self, span: _TraceSpan, inside: Context) -> Span:
        if span.kind == "request":
            return self._chat(span, inside)
        if span.kind == "tool":
            return self._tool(span, inside)
        name = f"{span.kind} {span.name}" if span.kind == "approval" else span.kind
        attributes: Attributes = {"cellvoice.span.kind": span.kind, "cellvoice.round": span.round}
        if span.call_id is not None:
            attributes["gen_ai.tool.call.id"] = span.call_id
        return self._begin(name, span.start_s, inside, attributes, client=False)

    def _chat(self, span: _TraceSpan, inside: Context) -> Span:
        of = self._of
        attributes: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": of.provider,
            "gen_ai.conversation.id": of.session_id,
            "gen_ai.request.model": span.name,
            "cellvoice.round": span.round,
        }
        if 0 < span.round <= len(of.exchanges):
            request, reply = of.exchanges[span.round - 1]
            attributes |= {**request_attributes(request), **reply_attributes(reply)}
            if self._content:
                attributes |= content_attributes(request, reply)
        model = attributes["gen_ai.request.model"]
        return self._begin(f"chat {model}", span.start_s, inside, attributes, client=True)

    def _tool(self, span: _TraceSpan, inside: Context) -> Span:
        attributes: Attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": span.name,
            "gen_ai.tool.type": "function",
            "cellvoice.round": span.round,
        }
        if span.call_id is not None:
            attributes["gen_ai.tool.call.id"] = span.call_id
        if self._content and span.call is not None:
            told = json.dumps(span.call.arguments, ensure_ascii=False, default=str)
            attributes["gen_ai.tool.call.arguments"] = told
            if span.call.result_text is not None:
                attributes["gen_ai.tool.call.result"] = span.call.result_text
        name = f"execute_tool {span.name}"
        return self._begin(name, span.start_s, inside, attributes, client=False)

    def _begin(
        self,
        name: str,
        at_s: float,
        inside: Context | None,
        attributes: Attributes,
        *,
        client: bool,
    ) -> Span:
        from opentelemetry.trace import SpanKind

        return self._tracer.start_span(
            name,
            context=inside,
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=attributes,
            start_time=self._ns(at_s),
        )

    def _end(self, span: Span, at_s: float, error: str | None, kind: str = "") -> None:
        if error is not None:
            from opentelemetry.trace import Status, StatusCode

            span.set_status(Status(StatusCode.ERROR, error))
            span.set_attribute("error.type", kind or error.partition(":")[0] or "_OTHER")
        span.end(self._ns(at_s))

    def _ns(self, at_s: float) -> int:
        return self._zero_ns + round(at_s * 1e9)


_IN_A_REQUEST: Final = ("upload", "waiting", "thinking")


def _inside(span: Span) -> Context:
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(span)


def _api() -> Any:
    try:
        from opentelemetry import trace
    except ImportError as error:
        raise UsageError(_INSTALL) from error
    return trace
