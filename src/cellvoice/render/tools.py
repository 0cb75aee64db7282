"""A turn's tool calls and what happened when, as they are in its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from .card import CallState, ToolCallForm, TraceForm, TraceKind
from .clipped import clipped, clipped_text

__all__ = ["tool_forms", "trace_forms"]

_STATES: Final[Mapping[str, CallState]] = {
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "rejected": "rejected",
}
_KINDS: Final = ("upload", "waiting", "request", "thinking", "tool", "approval", "speech")
# Of a form that is limited: one result may take this part of it, so that the others have room.
_SHARE: Final = 4
# A plot of a usual size; it is in the form and in the HTML, so it counts twice.
_LARGEST_PICTURE_BYTES: Final = 200_000


def tool_forms(calls: Iterable[Any], max_bytes: int | None) -> list[ToolCallForm]:
    """The calls in their order; long results are cut, and pictures that are too large left out."""
    share = None if max_bytes is None else max_bytes // _SHARE
    return [_call(call, share) for call in calls]


def _call(call: Any, share: int | None) -> ToolCallForm:
    arguments = getattr(call, "arguments", None)
    error, result = getattr(call, "error", None), getattr(call, "result_text", None)
    if result is None and getattr(call, "result", None) is not None:
        result = str(call.result)
    pretty = getattr(call, "result_html", None)
    known = isinstance(arguments, Mapping)
    return {
        "id": str(getattr(call, "id", "")),
        "name": str(getattr(call, "name", "")),
        "arguments": clipped(dict(arguments), share) if isinstance(arguments, Mapping) else None,
        "arguments_text": clipped_text(_arguments_text(call, known), share),
        "state": _STATES.get(str(getattr(call, "state", "")), "failed" if error else "done"),
        "result": None if result is None else clipped_text(str(result), share),
        "result_html": pretty if isinstance(pretty, str) and _fits(pretty, share) else None,
        "error": None if error is None else clipped_text(str(error), share),
        "asked_s": _seconds(getattr(call, "asked_s", None)),
        "started_s": _seconds(getattr(call, "started_s", None)),
        "ended_s": _seconds(getattr(call, "ended_s", None)),
        "round": int(getattr(call, "round", 0) or 0),
        "hash": str(getattr(call, "hash", "") or ""),
    }


def _arguments_text(call: Any, known: bool) -> str:
    text = getattr(call, "arguments_text", None)
    if isinstance(text, str):
        return text
    return "" if known else str(getattr(call, "arguments", "") or "")


def _fits(html: str, share: int | None) -> bool:
    return share is None or len(html) <= _LARGEST_PICTURE_BYTES


def trace_forms(turn: Any) -> list[TraceForm]:
    """The bars of the strip; of a turn without tools they are made of its times."""
    told = [_bar(one) for one in getattr(turn, "trace", None) or ()]
    bars = [bar for bar in told if bar is not None]
    if bars or getattr(turn, "finish", None) is None:
        return bars
    return _from_timing(turn.timing)


def _bar(one: Any) -> TraceForm | None:
    kind, start_s = str(_of(one, "kind")), _seconds(_of(one, "start_s"))
    if kind not in _KINDS or start_s is None:
        return None
    call_id = _of(one, "call_id")
    return {
        "kind": cast("TraceKind", kind),
        "name": clipped_text(str(_of(one, "name") or ""), 200),
        "start_s": start_s,
        "end_s": _seconds(_of(one, "end_s")),
        "round": int(_of(one, "round") or 0),
        "call_id": None if call_id is None else str(call_id),
    }


def _of(one: Any, name: str) -> Any:
    return one.get(name) if isinstance(one, Mapping) else getattr(one, name, None)


def _from_timing(timing: Any) -> list[TraceForm]:
    """One bar up to each moment that is known, in the order in which they come."""
    reached: float = 0.0
    bars: list[TraceForm] = []
    spoken = getattr(timing, "first_words_s", None) or timing.first_sound_s
    moments: tuple[tuple[TraceKind, float | None], ...] = (
        ("upload", getattr(timing, "upload_s", None)),
        ("waiting", getattr(timing, "first_byte_s", None) or timing.first_event_s),
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


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        return None
    return round(float(value), 3)
