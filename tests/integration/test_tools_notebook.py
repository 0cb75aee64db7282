"""The notebook about tools, run by nbclient on the embedded engine: calls, approval, objects."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TURN_MIME = "application/vnd.cellvoice.turn.v1+json"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The cells by their ids, executed in a copy of their folder. None of them may fail."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(NOTEBOOKS / "rooms_server.py", folder)
    notebook = nbformat.read(NOTEBOOKS / "tools.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=100, resources=resources).execute()
    return {cell["id"]: cell for cell in notebook.cells}


def shown(cell: Any) -> str:
    """All that a cell shows as text."""
    texts = [out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.outputs]
    return "\n".join(texts)


def turn_of(cell: Any) -> dict[str, Any]:
    """What the last card in a cell has."""
    cards = [out["data"][TURN_MIME] for out in cell.outputs if TURN_MIME in out.get("data", {})]
    found: dict[str, Any] = cards[-1]
    return found


def test_the_model_calls_a_function_and_answers_with_its_result(executed: dict[str, Any]) -> None:
    assert "weather {'city': 'Lyon', 'unit': None} → {'city': 'Lyon', 'degrees': 21}" in shown(
        executed["calls"]
    )
    assert "21" in turn_of(executed["function"])["reply"]["text"]
    assert "tool" in shown(executed["trace"]) and "speech" in shown(executed["trace"])


def test_an_error_of_a_tool_ends_no_turn(executed: dict[str, Any]) -> None:
    assert "complete | ConnectionError: the timetable does not answer" in shown(executed["errors"])


def test_what_asks_first_waits_for_the_next_cell(executed: dict[str, Any]) -> None:
    assert "(None, [])" in shown(executed["approval"])
    assert "a room in Oslo is booked ['Oslo']" in shown(executed["decide"])


def test_an_object_comes_checked_and_with_its_chances(executed: dict[str, Any]) -> None:
    assert "Mood(tone=" in shown(executed["objects"])
    assert "counted in 20 samples for $0" in shown(executed["confidence"])
    spoken = turn_of(executed["speak"])
    assert "tone=" in shown(executed["speak"]) and spoken["reply"]["text"]
    assert "schema=Report.scores: a mapping with free keys" in shown(executed["refused"])


def test_a_server_s_tool_runs_beside_one_that_would_ask(executed: dict[str, Any]) -> None:
    assert "take_room | Take a room in a city; how many are left. | asks you" in shown(
        executed["mcp"]
    )
    assert shown(executed["mcp"]).rstrip().endswith("3")
