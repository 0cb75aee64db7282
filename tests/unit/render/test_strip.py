"""The strip of a turn: a bar for each thing that happened, parallel ones below each other."""

from __future__ import annotations

from base64 import b64decode
from typing import Any
from xml.etree import ElementTree

from cellvoice.render.html_tools import times_html
from cellvoice.render.strip import strip_data_uri


def bar(kind: str, start_s: float, end_s: float | None, name: str = "") -> Any:
    return {
        "kind": kind,
        "name": name,
        "start_s": start_s,
        "end_s": end_s,
        "round": 1,
        "call_id": None,
    }


def drawn(*bars: Any) -> tuple[list[tuple[float, float, float]], list[str]]:
    """Left, width and top of each bar in pixels, and the names."""
    svg = b64decode(strip_data_uri(bars).partition(",")[2]).decode()
    found, names = [], []
    for element in ElementTree.fromstring(svg):
        if element.tag.endswith("rect"):
            found.append(tuple(float(element.attrib[key]) for key in ("x", "width", "y")))
        else:
            names.append(element.text or "")
    return found, names  # type: ignore[return-value]


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    bars, _ = drawn(bar("upload", 0, 1), bar("waiting", 1, 2), bar("speech", 2, 4))
    assert [(left, width) for left, width, _ in bars] == [(0, 120), (120, 120), (240, 240)]
    assert len({top for *_, top in bars}) == 1


def test_parallel_tools_are_below_each_other_and_have_their_names() -> None:
    bars, names = drawn(
        bar("thinking", 0, 1, "gpt-audio"), bar("tool", 1, 3, "one"), bar("tool", 1, 2, "two")
    )
    assert len({top for *_, top in bars}) == 3
    assert names == ["one", "two"]


def test_one_tool_after_another_is_beside_it() -> None:
    bars, _ = drawn(bar("tool", 0, 1, "one"), bar("tool", 1, 2, "two"))
    assert bars[0][2] == bars[1][2]


def test_what_goes_on_reaches_the_end_and_what_took_no_time_is_seen() -> None:
    bars, _ = drawn(bar("upload", 0, 0), bar("tool", 1, None, "slow"), bar("thinking", 0, 2))
    assert bars[0][1] == 2
    assert bars[1][0] + bars[1][1] == 480


def test_a_request_is_drawn_and_told_by_its_parts() -> None:
    parts = [bar("request", 0, 2, "gpt-audio"), bar("waiting", 0, 1, "gpt-audio")]
    assert len(drawn(*parts)[0]) == 1
    assert times_html({"trace": parts}) == "<div><b>times</b> waiting 1.00 s</div>"  # type: ignore[typeddict-item]
    assert len(drawn(parts[0])[0]) == 1


def test_no_bars_are_a_picture_too() -> None:
    assert drawn() == ([], [])
