"""Notebooks run by nbclient, as papermill does: nothing hangs, nothing needs a widget."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

ROOT = Path(__file__).parents[2]
TURN_MIME = "application/vnd.cellvoice.turn.v1+json"
PAD_MIME = "application/vnd.cellvoice.pad.v1+json"


def execute(notebook: Any, folder: Path) -> Any:
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=100, resources=resources).execute()
    return notebook


def cells(*sources: str) -> Any:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in sources])


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The quickstart, executed in a copy of its folder."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(ROOT / "notebooks" / "question.wav", folder)
    notebook = nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return execute(notebook, folder)


def turns_of(notebook: Any) -> list[Any]:
    return [
        out["data"][TURN_MIME]
        for cell in notebook.cells
        for out in cell.get("outputs", [])
        if TURN_MIME in out.get("data", {})
    ]


def output_types(notebook: Any) -> set[str]:
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return {kind for out in outputs for kind in out.get("data", {})}


def test_the_quickstart_runs_and_keeps_its_turns(quickstart: Any) -> None:
    turns = turns_of(quickstart)
    assert [turn["state"] for turn in turns] == ["complete", "complete"]
    assert turns[1]["input"][0]["heard"] == "what is the capital of france"
    assert all(turn["reply"]["text"] for turn in turns)
    assert "Paris" in turns[1]["reply"]["text"]


def test_a_saved_pad_does_not_tell_where_its_author_works(quickstart: Any) -> None:
    pads = [
        out["data"][PAD_MIME]
        for cell in quickstart.cells
        for out in cell.get("outputs", [])
        if PAD_MIME in out.get("data", {})
    ]
    assert [Path(pad["state"]["journal"]).parts[0] for pad in pads] == ["cellvoice_journal"]


def test_an_executed_notebook_holds_no_widget(quickstart: Any) -> None:
    assert "widgets" not in quickstart.metadata
    assert "application/vnd.jupyter.widget-view+json" not in output_types(quickstart)


def test_the_export_plays_without_a_kernel(quickstart: Any) -> None:
    page, _ = HTMLExporter().from_notebook_node(quickstart)
    assert page.count('src="data:audio/mpeg;base64,') >= 2
    # In whichever of its ways the engine said it this time.
    assert all(escape(turn["reply"]["text"]) in page for turn in turns_of(quickstart))
    assert "embedded engine, not gpt-audio" in page


def test_the_committed_quickstart_plays_on_opening() -> None:
    committed = nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)
    nbformat.validate(committed)
    assert TURN_MIME in output_types(committed)
    assert "widgets" not in committed.metadata
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count is not None for cell in code)


def test_the_look_inside_the_engine_runs_and_shows_what_it_says(tmp_path: Path) -> None:
    committed = nbformat.read(ROOT / "notebooks" / "inside-the-engine.ipynb", as_version=4)
    nbformat.validate(committed)
    shown = output_types(committed)
    assert {"image/svg+xml", "image/png", TURN_MIME} <= shown
    again = execute(committed, tmp_path)
    assert output_types(again) == shown
    printed = "".join(o.get("text", "") for c in again.cells for o in c.get("outputs", []))
    assert "temperature 0: 1 different answers of 20" in printed
    values = [
        o["data"].get("text/plain")
        for c in again.cells
        for o in c.get("outputs", [])
        if "data" in o
    ]
    assert "{'city': 'Paris', 'people': 23}" in values
    assert """[('multiply', '{"a":17,"b":23}')]""" in values


def test_listening_and_the_pad_do_not_wait_for_anybody(tmp_path: Path) -> None:
    done = execute(
        cells(
            "import cellvoice as cv; session = cv.Session(journal=False)",
            "turn = session.listen()",
            "turn = await session.alisten()",
            "session",
            "print(turn.finish, len(session.turns))",
        ),
        tmp_path,
    )
    for number in (1, 2):
        (output,) = done.cells[number].outputs
        told = output["data"]["text/plain"]
        assert "session.say(cv.Clip.read(" in told
        assert ". " not in told, "one sentence"
    assert "Run this cell in JupyterLab to talk" in done.cells[3].outputs[0]["data"]["text/html"]
    assert done.cells[4].outputs[0]["text"] == "None 0\n"


def test_a_call_that_nobody_can_decide_about_leaves_its_question_in_the_cell(
    tmp_path: Path,
) -> None:
    done = execute(
        cells(
            "import cellvoice as cv; session = cv.Session(journal=False)\n"
            "@session.tool(approve='ask')\n"
            "def weather(city: str) -> str:\n"
            "    '''Current weather in a city.'''\n"
            "    return f'rain in {city}'",
            "turn = session.say('What is the weather in Lyon?')",
            "session.pending[0].approve(); session.wait(turn)",
        ),
        tmp_path,
    )
    shown = [out for out in done.cells[1].outputs if out.output_type == "display_data"]
    assert ["What is the weather in Lyon?" in out.data["text/html"] for out in shown] == [True]
    (answer,) = turns_of(done)
    assert "rain in Lyon" in answer["reply"]["text"].replace("Rain", "rain")
