"""What happened when in a turn, as a picture: a bar for each, parallel ones below each other."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Final

from .card import TraceForm, TraceKind
from .markup import visible

__all__ = ["strip_data_uri", "without_wholes"]

_WIDTH_PX: Final = 480
_LANE_PX: Final = 16
_BAR_PX: Final = 11
_LONGEST_NAME: Final = 24
_NAMED: Final = ("tool", "approval")
# Middle tones, as of the waveforms: they have contrast on white and on near-black.
_COLORS: Final[dict[TraceKind, str]] = {
    "upload": "#8a9099",
    "waiting": "#b0b4ba",
    "request": "#8a9099",
    "thinking": "#9a7bd0",
    "tool": "#c4891b",
    "approval": "#d0655f",
    "speech": "#4c86d8",
}


def strip_data_uri(bars: Sequence[TraceForm]) -> str:
    """The picture as a `data:` address for an `img`; the time goes from its left to its right."""
    bars = without_wholes(bars)
    end_s = max([bar["end_s"] or bar["start_s"] for bar in bars] + [0.001])
    lanes = _lanes(bars)
    height_px = (max(lanes, default=0) + 1) * _LANE_PX
    drawn = "".join(_bar(bar, lane, end_s) for bar, lane in zip(bars, lanes, strict=True))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH_PX}" height="{height_px}" '
        f'viewBox="0 0 {_WIDTH_PX} {height_px}" font-family="sans-serif" font-size="10">'
        f"{drawn}</svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def without_wholes(bars: Sequence[TraceForm]) -> list[TraceForm]:
    """The bars without the requests whose parts are known: upload, waiting, thinking."""
    return [bar for bar in bars if bar["kind"] != "request" or not _has_parts(bar, bars)]


def _has_parts(request: TraceForm, bars: Sequence[TraceForm]) -> bool:
    parts = ("upload", "waiting", "thinking")
    return any(bar["round"] == request["round"] and bar["kind"] in parts for bar in bars)


def _bar(bar: TraceForm, lane: int, whole_s: float) -> str:
    x_px = bar["start_s"] / whole_s * _WIDTH_PX
    end_s = whole_s if bar["end_s"] is None else bar["end_s"]
    width_px = max((end_s - bar["start_s"]) / whole_s * _WIDTH_PX, 2.0)
    y_px = lane * _LANE_PX + (_LANE_PX - _BAR_PX) // 2
    color = _COLORS[bar["kind"]]
    drawn = (
        f'<rect x="{x_px:.0f}" y="{y_px}" width="{width_px:.0f}" height="{_BAR_PX}" rx="3" '
        f'fill="{color}"/>'
    )
    if not bar["name"] or bar["kind"] not in _NAMED:
        return drawn
    words = escape(visible(bar["name"][:_LONGEST_NAME]))
    right = x_px + width_px + 4
    # Beside the bar where there is room, else before it.
    place = (
        f'x="{right:.0f}"' if right < _WIDTH_PX * 0.75 else f'x="{x_px - 4:.0f}" text-anchor="end"'
    )
    return f'{drawn}<text {place} y="{y_px + 9}" fill="#8a9099">{words}</text>'


def _lanes(bars: Sequence[TraceForm]) -> list[int]:
    """The lane of each bar: the first one that is free when it begins; tools from the second on."""
    free_from_s: list[float] = [0.0]
    found: list[int] = []
    for bar in bars:
        first = 1 if bar["kind"] in _NAMED else 0
        end_s = float("inf") if bar["end_s"] is None else bar["end_s"]
        lane = first
        while lane < len(free_from_s) and free_from_s[lane] > bar["start_s"] + 1e-9:
            lane += 1
        free_from_s += [0.0] * (lane + 1 - len(free_from_s))
        free_from_s[lane] = end_s
        found.append(lane)
    return found
