"""Tool calls on the static card: a strip of the times, and each call in a fold."""

from __future__ import annotations

import json
from typing import Final

from .card import Card, ToolCallForm, TraceForm
from .markup import fold, json_block, name, pre, shown
from .strip import strip_html, without_wholes
from .words import seconds

__all__ = ["object_html", "times_html", "tools_html"]

_LONGEST_BRIEF: Final = 80


def tools_html(card: Card) -> str:
    """A fold with all calls, or "" where there were none."""
    calls = card.get("tool_calls") or []
    if not calls:
        return ""
    trace = card.get("trace") or []
    strip = strip_html(trace) if trace else ""
    count = "1 tool call" if len(calls) == 1 else f"{len(calls)} tool calls"
    names = ", ".join(dict.fromkeys(name(call["name"]) for call in calls))
    tree = "".join(map(_call, calls))
    return fold(f"{count}: {names}", f'{strip}<div style="margin:0 0 0 14px">{tree}</div>')


def times_html(card: Card) -> str:
    """What happened when, in one line; "" where nothing is known."""
    trace = card.get("trace") or []
    return f"<div><b>times</b> {shown(_in_words(trace))}</div>" if trace else ""


def object_html(card: Card) -> str:
    """The object that was asked for, in a fold."""
    if card.get("parsed") is None:
        return ""
    return fold("object", json_block(card["parsed"]))


def _in_words(trace: list[TraceForm]) -> str:
    return " · ".join(map(_bar_words, without_wholes(trace)))


def _bar_words(bar: TraceForm) -> str:
    # What is no tool has the model's name.
    what: str = bar["kind"]
    if bar["kind"] == "tool":
        what = bar["name"] or "tool"
    elif bar["kind"] == "approval" and bar["name"]:
        what = f"approval of {bar['name']}"
    end_s = bar["end_s"]
    return what if end_s is None else f"{what} {seconds(max(end_s - bar['start_s'], 0.0))}"


def _call(call: ToolCallForm) -> str:
    started_s, ended_s = call["started_s"], call["ended_s"]
    took = ""
    if started_s is not None and ended_s is not None:
        took = f" · {seconds(max(ended_s - started_s, 0.0))}"
    parts = [_arguments(call)]
    if call["result_html"] is not None:
        parts.append(f"<div><b>result</b></div>{call['result_html']}")
    elif call["result"] is not None:
        parts.append(f"<div><b>result</b></div>{pre(call['result'])}")
    if call["error"]:
        parts.append(f"<div><b>error</b></div>{pre(call['error'])}")
    asked = f'{name(call["name"])}<span style="opacity:0.75">({name(_brief(call))})</span>'
    return fold(f"{asked} · {call['state']}{took}", "".join(parts))


def _brief(call: ToolCallForm) -> str:
    """The arguments in a few letters."""
    given = call["arguments"]
    words = call["arguments_text"]
    if given is not None:
        words = ", ".join(
            f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for key, value in given.items()
        )
    return words if len(words) <= _LONGEST_BRIEF else f"{words[: _LONGEST_BRIEF - 1]}…"


def _arguments(call: ToolCallForm) -> str:
    if call["arguments"] is not None:
        return f"<div><b>arguments</b></div>{json_block(call['arguments'])}"
    return f"<div><b>arguments</b></div>{pre(call['arguments_text'])}"
