"""What happened when in a turn, in rows: the model's own, then one for each tool.

Boxes with margins and no picture, which a narrow page would shrink together with its names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from .card import TraceForm, TraceKind
from .markup import attribute, name
from .words import seconds

__all__ = ["strip_html", "without_wholes"]

_LEAST_PERCENT: Final = 0.4
_LONGEST_NAME: Final = 40
_OF_TOOLS: Final = ("tool", "approval")
# A hair of overlap comes from rounding and is no second row.
_HAIR_S: Final = 0.002
# Middle tones, as of the waveforms: they have contrast on white and on near-black.
_COLORS: Final[dict[TraceKind, str]] = {
    "upload": "#7a869c",
    "waiting": "#9aa2ae",
    "request": "#8a94a4",
    "thinking": "#9a7bd0",
    "tool": "#479b73",
    "approval": "#c4891b",
    "speech": "#4c86d8",
}
_ROW: Final = "display:flex;gap:8px;align-items:center"
_NAME: Final = "width:28%;max-width:160px;overflow-wrap:break-word"
_TRACK: Final = (
    "flex:1;display:flex;min-width:0;height:18px;box-sizing:border-box;padding:4px 0;"
    "background-color:rgba(128,128,128,0.1)"
)
_TOOK: Final = "width:52px;text-align:right;white-space:nowrap"


@dataclass(slots=True)
class _Row:
    tool: str | None
    bars: list[TraceForm] = field(default_factory=list)
    free_s: float = 0.0


def strip_html(bars: Sequence[TraceForm]) -> str:
    """The rows, the meaning of their colours, and how long all of it took."""
    bars = without_wholes(bars)
    whole_s = max([bar["end_s"] or bar["start_s"] for bar in bars] + [0.001])
    rows = "".join(_row(row, whole_s) for row in _rows(bars, whole_s))
    kinds = {bar["kind"] for bar in bars}
    legend = "".join(_kind(kind) for kind in _COLORS if kind in kinds)
    line = (
        'style="display:flex;flex-wrap:wrap;gap:12px;margin:4px 0 8px 0;font-size:11px;'
        'opacity:0.75"'
    )
    total = f"<span>{seconds(whole_s)} in all</span>"
    return f'<div style="margin:6px 0 0 0">{rows}</div><div {line}>{legend}{total}</div>'


def without_wholes(bars: Sequence[TraceForm]) -> list[TraceForm]:
    """The bars without the requests whose parts are known: upload, waiting, thinking."""
    return [bar for bar in bars if bar["kind"] != "request" or not _has_parts(bar, bars)]


def _has_parts(request: TraceForm, bars: Sequence[TraceForm]) -> bool:
    parts = ("upload", "waiting", "thinking")
    return any(bar["round"] == request["round"] and bar["kind"] in parts for bar in bars)


def _rows(bars: Sequence[TraceForm], whole_s: float) -> list[_Row]:
    """Calls of one tool are in its row, unless they ran at once."""
    model = _Row(None)
    tools: list[_Row] = []
    for bar in sorted(bars, key=lambda bar: bar["start_s"]):
        if bar["kind"] not in _OF_TOOLS:
            model.bars.append(bar)
            continue
        row = next(
            (
                row
                for row in tools
                if row.tool == bar["name"] and row.free_s <= bar["start_s"] + _HAIR_S
            ),
            None,
        )
        if row is None:
            row = _Row(bar["name"])
            tools.append(row)
        row.bars.append(bar)
        row.free_s = _end_s(bar, whole_s)
    return [model, *tools] if model.bars else tools


def _end_s(bar: TraceForm, whole_s: float) -> float:
    return whole_s if bar["end_s"] is None else max(bar["start_s"], bar["end_s"])


def _row(row: _Row, whole_s: float) -> str:
    drawn, at_percent = "", 0.0
    for bar in row.bars:
        box, at_percent = _bar(bar, at_percent, whole_s)
        drawn += box
    lasts = row.tool is None or any(bar["end_s"] is None for bar in row.bars)
    took_s = sum(_end_s(bar, whole_s) - bar["start_s"] for bar in row.bars)
    label = "model" if row.tool is None else name(row.tool[:_LONGEST_NAME] or "tool")
    return (
        f'<div style="{_ROW}"><span style="{_NAME}">{label}</span>'
        f'<span style="{_TRACK}">{drawn}</span>'
        f'<span style="{_TOOK}">{"" if lasts else seconds(took_s)}</span></div>'
    )


def _bar(bar: TraceForm, at_percent: float, whole_s: float) -> tuple[str, float]:
    """A box after the one that ends at `at_percent`, and where it ends."""
    from_percent = max(at_percent, bar["start_s"] / whole_s * 100)
    to_percent = _end_s(bar, whole_s) / whole_s * 100
    width_percent = max(to_percent - from_percent, _LEAST_PERCENT)
    words = attribute(f"{bar['kind']} {seconds(_end_s(bar, whole_s) - bar['start_s'])}")
    box = (
        f'<span title="{words}" style="box-sizing:border-box;height:10px;border-radius:2px;'
        f"width:{width_percent:.1f}%;margin:0 0 0 {from_percent - at_percent:.1f}%;"
        f'background-color:{_COLORS[bar["kind"]]}"></span>'
    )
    return box, from_percent + width_percent


def _kind(kind: TraceKind) -> str:
    spot = (
        "display:inline-block;width:9px;height:9px;border-radius:2px;margin:0 5px 0 0;"
        f"background-color:{_COLORS[kind]}"
    )
    return f'<span><span style="{spot}"></span>{kind}</span>'
