"""The examples of docs/journal.md, one after the other, as a reader would run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import cellvoice
from cellvoice.session import Session

from .rig import SHORTEST_EXPIRES_AT, Service, recorded

PAGE = Path(__file__).parents[3] / "docs" / "journal.md"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Played(Session):
    """A session that a recorded reply answers, half an hour before its sound expires."""

    made: list[Session]

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        played = {
            "transport": Service(recorded()),
            "clock": lambda: SHORTEST_EXPIRES_AT - 1800.0,
            "model": "gpt-audio-1.5",
        }
        super().__init__(*arguments, **{**played, **settings})
        self.made.append(self)


def test_every_example_runs_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = FENCE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(examples) >= 4
    monkeypatch.setattr(cellvoice, "Session", Played)
    monkeypatch.setattr(Played, "made", [], raising=False)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    try:
        for example in examples:
            exec(compile(example, str(PAGE), "exec"), names)
    finally:
        for session in Played.made:
            session.close()
    made = {path.name for path in tmp_path.iterdir()}
    assert made >= {"talk.zip", "talk.html", "talk.md", "talk.mp3", "talk.py", "elsewhere"}


def test_the_page_names_every_kind_of_line_and_file() -> None:
    from cellvoice.session.journal import _layout

    page = PAGE.read_text(encoding="utf-8")
    for name in ("TURNS", "INDEX", "PAGE", "LOCK", "SOUND", "RUNNING", "TAKES"):
        assert getattr(_layout, name) in page
    for kind in ("session", "asked", "ended", "outline"):
        assert f"| `{kind}` |" in page
    assert f"The format, version {_layout.FORMAT_VERSION}" in page
