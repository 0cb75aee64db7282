"""A turn's tool calls and what happened when, as they are in its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from .card import CallState, ToolCallForm, TraceForm, TraceKind
from .clipped import clipped, clipped_text
from .turn_like import CallLike, SpanLike, TimingLike, TurnLike

__all__ = ["tool_forms", "trace_forms"]

_STATES: Final[Mapping[str, CallState]] = {
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "rejected": "rejected",
}
_KINDS: Final[Mapping[str, TraceKind]] = {
    "upload": "upload",
    "waiting": "waiting",
    "request": "request",
    "thinking": "thinking",
    "tool": "tool",
    "approval": "approval",
    "speech": "speech",
}
# Of a form that is limited: one result may take this part of it, so that the others have room.
_SHARE: Final = 4
# A plot of a usual size; it is in the form and in the HTML, so it counts twice.
_LARGEST_PICTURE_BYTES: Final = 200_000


def tool_forms(calls: Iterable[CallLike], max_bytes: int | None) -> list[ToolCallForm]:
    """The calls in their order; long results are cut, and pictures that are too large left out."""
    share = None if max_bytes is None else max_bytes // _SHARE
    return [_call(call, share) for call in calls]


def _call(call: CallLike, share: int | None) -> ToolCallForm:
    pretty = call.result_html
    return {
        "id": call.id,
        "name": call.name,
        "arguments": clipped(dict(call.arguments), share) if call.is_object else None,
        "arguments_text": clipped_text(call.arguments_text, share),
        "state": _STATES.get(call.state, "failed" if call.error else "done"),
        "result": _text(call.result_text, share),
        "result_html": pretty if pretty is not None and _fits(pretty, share) else None,
        "error": _text(call.error, share),
        "asked_s": _seconds(call.asked_s),
        "started_s": _seconds(call.started_s),
        "ended_s": _seconds(call.ended_s),
        "round": call.round,
        "hash": call.hash,
    }


def _text(text: str | None, share: int | None) -> str | None:
    return None if text is None else clipped_text(text, share)


def _fits(html: str, share: int | None) -> bool:
    return share is None or len(html) <= _LARGEST_PICTURE_BYTES


def trace_forms(turn: TurnLike) -> list[TraceForm]:
    """The bars of the strip; of a turn without tools they are made of its times."""
    bars = [bar for bar in map(_bar, turn.trace) if bar is not None]
    if bars or turn.finish is None:
        return bars
    return _from_timing(turn.timing)


def _bar(one: SpanLike) -> TraceForm | None:
    kind, start_s = _KINDS.get(one.kind), _seconds(one.start_s)
    if kind is None or start_s is None:
        return None
    return {
        "kind": kind,
        "name": clipped_text(one.name, 200),
        "start_s": start_s,
        "end_s": _seconds(one.end_s),
        "round": one.round,
        "call_id": one.call_id,
    }


def _from_timing(timing: TimingLike) -> list[TraceForm]:
    """One bar up to each moment that is known, in the order in which they come."""
    reached: float = 0.0
    bars: list[TraceForm] = []
    spoken = timing.first_words_s or timing.first_sound_s
    moments: tuple[tuple[TraceKind, float | None], ...] = (
        ("upload", timing.upload_s),
        ("waiting", timing.first_byte_s or timing.first_event_s),
        ("thinking", spoken),
        ("speech", timing.total_s),
    )
    for kind, moment_s in moments:
        if moment_s is None or moment_s <= reached:
            continue
        if kind == "speech" and spoken is None:
            continue
        end_s = round(moment_s, 3)
        bars.append(
            {
                "kind": kind,
                "name": "",
                "start_s": round(reached, 3),
                "end_s": end_s,
                "round": 1,
                "call_id": None,
            }
        )
        reached = moment_s
    return bars


def _seconds(value: float | None) -> float | None:
    return None if value is None or not 0 <= value < 1e9 else round(value, 3)
