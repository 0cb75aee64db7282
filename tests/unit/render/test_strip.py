"""The strip of a turn: a row for the model and each tool, a bar for each thing that happened."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from cellvoice.render.html_tools import times_html
from cellvoice.render.strip import strip_html


def bar(kind: str, start_s: float, end_s: float | None, name: str = "") -> Any:
    return {
        "kind": kind,
        "name": name,
        "start_s": start_s,
        "end_s": end_s,
        "round": 1,
        "call_id": None,
    }


class Rows(HTMLParser):
    """Of each row its name, the left and right end of each bar in percent, and its time."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.bars: list[list[tuple[float, float]]] = []
        self.took: list[str] = []
        self._next: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = dict(attrs).get("style") or ""
        self._next = None
        if "width:28%" in style:
            self.names.append("")
            self.took.append("")
            self.bars.append([])
            self._next = self.names
        elif "text-align:right" in style:
            self._next = self.took
        elif found := re.search(r"width:([\d.]+)%;margin:0 0 0 ([\d.]+)%", style):
            width, gap = map(float, found.groups())
            row = self.bars[-1]
            left = (row[-1][1] if row else 0.0) + gap
            row.append((left, left + width))
        elif tag == "bdi":
            self._next = self.names

    def handle_data(self, data: str) -> None:
        if self._next is not None:
            self._next[-1] += data
            self._next = None


def drawn(*bars: Any) -> Rows:
    rows = Rows()
    rows.feed(strip_html(bars))
    return rows


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    rows = drawn(bar("upload", 0, 1), bar("waiting", 1, 2), bar("speech", 3, 4))
    assert rows.names == ["model"]
    assert rows.bars == [[(0, 25), (25, 50), (75, 100)]]


def test_parallel_tools_have_rows_with_their_names_and_times() -> None:
    rows = drawn(
        bar("thinking", 0, 1, "gpt-audio"), bar("tool", 1, 3, "one"), bar("tool", 1, 2, "two")
    )
    assert rows.names == ["model", "one", "two"]
    assert rows.took == ["", "2.00 s", "1.00 s"]


def test_calls_of_one_tool_share_its_row_unless_they_ran_at_once() -> None:
    rows = drawn(bar("tool", 0, 1, "one"), bar("tool", 1, 2, "one"), bar("tool", 1, 4, "one"))
    assert [len(row) for row in rows.bars] == [2, 1]
    assert rows.took == ["2.00 s", "3.00 s"]


def test_what_goes_on_reaches_the_end_and_what_took_no_time_is_seen() -> None:
    rows = drawn(bar("upload", 0, 0), bar("tool", 1, None, "slow"), bar("thinking", 0, 2))
    assert rows.bars[0][0] == (0, 0.4)
    assert rows.bars[1] == [(50, 100)]
    assert rows.took == ["", ""]


def test_a_request_is_drawn_and_told_by_its_parts() -> None:
    parts = [bar("request", 0, 2, "gpt-audio"), bar("waiting", 0, 1, "gpt-audio")]
    assert [len(row) for row in drawn(*parts).bars] == [1]
    assert times_html({"trace": parts}) == "<div><b>times</b> waiting 1.00 s</div>"  # type: ignore[typeddict-item]
    assert [len(row) for row in drawn(parts[0]).bars] == [1]


def test_no_bars_are_no_rows() -> None:
    assert drawn().names == []
