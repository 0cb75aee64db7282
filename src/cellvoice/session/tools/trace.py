"""What happened in a turn and when, as spans of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

from cellvoice.errors import UsageError
from cellvoice.protocol import AudioChunk, Event, Reply, TextChunk, TranscriptChunk
from cellvoice.session._timing import is_audible

if TYPE_CHECKING:
    import pandas as pd

    from .calls import ToolCall

__all__ = ["Span", "SpanKind", "Trace", "Tracer"]

SpanKind = Literal["upload", "waiting", "request", "thinking", "tool", "approval", "speech"]

_KINDS = ("upload", "waiting", "request", "thinking", "tool", "approval", "speech")


@dataclass(slots=True)
class Span:
    """A stretch of a turn, in seconds since its first request was sent; `end_s` None: it goes on.

    request: from sending to the end of the reply; in it upload, waiting (until something comes)
    and thinking (until there are words or sound). approval: a call waits for a person; tool: it
    runs. speech: sound as a listener hears it, from the first that is audible, for as long as it
    plays. `call` is the call of a tool or an approval, `tokens` what a request used.
    """

    kind: SpanKind
    name: str
    start_s: float
    end_s: float | None = None
    round: int = 1
    call_id: str | None = None
    call: ToolCall | None = None
    error: str | None = None
    tokens: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took, or None while it goes on."""
        return None if self.end_s is None else self.end_s - self.start_s

    def to_json(self) -> dict[str, object]:
        """The form that a card and the journal have of it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "start_s": round(self.start_s, 3),
            "end_s": None if self.end_s is None else round(self.end_s, 3),
            "round": self.round,
            "call_id": self.call_id,
            "error": self.error,
            "tokens": self.tokens,
        }


class Trace(Sequence[Span]):
    """The spans of a turn, by their start, as they were when it was asked for."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans = tuple(sorted(spans, key=lambda span: span.start_s))

    @overload
    def __getitem__(self, at: SupportsIndex) -> Span: ...
    @overload
    def __getitem__(self, at: slice) -> Trace: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Span | Trace:
        return Trace(self._spans[at]) if isinstance(at, slice) else self._spans[at]

    def __len__(self) -> int:
        return len(self._spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self._spans)

    def of_kind(self, kind: SpanKind) -> Trace:
        """The spans of one kind."""
        return Trace(span for span in self._spans if span.kind == kind)

    @property
    def silences_s(self) -> list[tuple[float, float]]:
        """Start and end of each silence that a listener feels: before speech, and between it.

        The first begins when the question was sent. What follows the last speech is none.
        """
        heard_until_s, found = 0.0, []
        for span in self.of_kind("speech"):
            if span.start_s > heard_until_s:
                found.append((heard_until_s, span.start_s))
            heard_until_s = max(heard_until_s, span.end_s or span.start_s)
        return found

    @property
    def tools_s(self) -> float | None:
        """How long tools ran, counted once where they ran at the same time; None if none did."""
        ran_until_s, total_s, found = 0.0, 0.0, False
        for span in self.of_kind("tool"):
            if span.end_s is not None:
                found = True
                total_s += max(0.0, span.end_s - max(span.start_s, ran_until_s))
                ran_until_s = max(ran_until_s, span.end_s)
        return total_s if found else None

    def to_json(self) -> list[dict[str, object]]:
        """All spans in the form that a card has of them."""
        return [span.to_json() for span in self._spans]

    @classmethod
    def from_json(cls, records: object, calls: Iterable[ToolCall]) -> Trace:
        """A trace as the journal has it; what is no span is left out."""
        known = {call.id: call for call in calls}
        found = records if isinstance(records, list) else []
        spans = (_span(record, known) for record in found if isinstance(record, Mapping))
        return cls(span for span in spans if span is not None)

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each span. Raises UsageError where pandas is not installed."""
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "to_dataframe() needs pandas, which is not installed here; run pip install pandas"
            ) from error
        return pandas.DataFrame([_row(span) for span in self._spans], columns=list(_COLUMNS))

    def __repr__(self) -> str:
        return "\n".join(map(_line, self._spans)) or "<Trace: nothing was sent yet>"


_COLUMNS = (
    "kind", "name", "start_s", "end_s", "seconds", "round", "call_id", "arguments", "result",
    "error", "tokens",
)  # fmt: skip


def _row(span: Span) -> dict[str, object]:
    call = span.call
    return {
        "kind": span.kind,
        "name": span.name,
        "start_s": span.start_s,
        "end_s": span.end_s,
        "seconds": span.seconds,
        "round": span.round,
        "call_id": span.call_id,
        "arguments": call.arguments if call is not None else None,
        "result": call.result_text if call is not None and span.kind == "tool" else None,
        "error": span.error,
        "tokens": span.tokens,
    }


def _line(span: Span) -> str:
    end = "…" if span.end_s is None else f"{span.end_s:.2f}"
    error = f"  {span.error}" if span.error else ""
    return f"{span.start_s:7.2f} to {end:>6} s  {span.kind:<9} {span.name}{error}"


def _span(record: Mapping[str, Any], calls: Mapping[str, ToolCall]) -> Span | None:
    kind, start_s = record.get("kind"), record.get("start_s")
    if kind not in _KINDS or not isinstance(start_s, (int, float)):
        return None
    end_s, call_id, tokens = record.get("end_s"), record.get("call_id"), record.get("tokens")
    return Span(
        kind=kind,
        name=str(record.get("name") or ""),
        start_s=float(start_s),
        end_s=float(end_s) if isinstance(end_s, (int, float)) else None,
        round=record["round"] if isinstance(record.get("round"), int) else 1,
        call_id=call_id if isinstance(call_id, str) else None,
        call=calls.get(call_id) if isinstance(call_id, str) else None,
        error=record["error"] if isinstance(record.get("error"), str) else None,
        tokens=tokens if isinstance(tokens, int) else None,
    )


class Tracer:
    """Makes the spans while a turn runs. `clock` gives seconds that only go on. Loop thread only.

    `changed` is called when a span begins or ends.
    """

    def __init__(
        self, clock: Callable[[], float], changed: Callable[[], object] = lambda: None
    ) -> None:
        self._clock = clock
        self._changed = changed
        self._zero_s: float | None = None
        self._round = 0
        self._model = ""
        self._phases: dict[SpanKind, Span] = {}
        self._heard_until_s = 0.0
        self.spans: tuple[Span, ...] = ()

    @property
    def now_s(self) -> float:
        """Seconds since the first request was sent."""
        return 0.0 if self._zero_s is None else self._clock() - self._zero_s

    def begin(
        self, kind: SpanKind, name: str, call: ToolCall | None = None, *, at_s: float | None = None
    ) -> Span:
        """A span begins, now if not told otherwise."""
        start_s = self.now_s if at_s is None else at_s
        call_id = call.id if call is not None else None
        span = Span(kind, name, start_s, None, max(self._round, 1), call_id, call)
        self.spans = (*self.spans, span)
        self._changed()
        return span

    def end(self, span: Span, error: str | None = None) -> None:
        """A span ends now."""
        span.end_s, span.error = self.now_s, error
        self._changed()

    def sent(self, model: str, round_: int) -> None:
        """A request goes out."""
        if self._zero_s is None:
            self._zero_s = self._clock()
        self._round, self._model = round_, model
        self._phases = {"request": self.begin("request", model)}
        self._phase("waiting")

    def uploaded(self) -> None:
        """Its last piece was handed to the network."""
        waiting = self._phases.get("waiting")
        if waiting is not None and waiting.end_s is None:
            upload = self.begin("upload", self._model, at_s=waiting.start_s)
            upload.end_s = waiting.start_s = self.now_s

    def took(self, event: Event) -> None:
        """An event of its reply has come."""
        self._end_phase("waiting")
        if "thinking" not in self._phases:
            self._phase("thinking")
        match event:
            case TranscriptChunk(text) | TextChunk(text) if text:
                self._end_phase("thinking")
            case AudioChunk(pcm, rate_hz):
                self._end_phase("thinking")
                self._hear(pcm, rate_hz)
            case _:
                pass

    def replied(self, reply: Reply, error: str | None = None) -> None:
        """Its reply has ended, well or with an error."""
        for kind in ("waiting", "thinking"):
            self._end_phase(kind)
        span = self._phases.pop("request", None)
        if span is not None and span.end_s is None:
            span.tokens = reply.usage.total_tokens if reply.usage is not None else None
            self.end(span, error)

    def close(self, error: str | None) -> None:
        """The turn has ended: so has all that still went on."""
        for span in self.spans:
            if span.end_s is None:
                span.end_s, span.error = self.now_s, error

    def _phase(self, kind: SpanKind) -> None:
        self._phases[kind] = self.begin(kind, self._model)

    def _end_phase(self, kind: SpanKind) -> None:
        span = self._phases.get(kind)
        if span is not None and span.end_s is None:
            self.end(span)

    def _hear(self, pcm: bytes, rate_hz: int) -> None:
        """Sound comes faster than it plays: what is heard ends when it has been played."""
        speech = self._phases.get("speech")
        duration_s = len(pcm) / 2 / rate_hz
        if speech is None:
            if not is_audible(pcm):
                return
            start_s = max(self.now_s, self._heard_until_s)
            speech = self._phases["speech"] = self.begin("speech", self._model, at_s=start_s)
            speech.end_s = start_s
        # A gap in the stream is waited for by the player as well.
        played_s = max(speech.end_s or 0.0, self.now_s)
        speech.end_s = self._heard_until_s = played_s + duration_s
