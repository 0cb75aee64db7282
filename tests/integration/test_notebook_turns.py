"""Cells of a real kernel, run as JupyterLab runs them, and the conversation that they leave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .notebook_rig import TURN_MIME, Cell, Notebook

ONE, TWO, THREE = "session.say('one')", "session.say('two')", "session.say('three')"
LOOP = "for question in ('two', 'three'):\n    session.say(question)"
INTERRUPTED = """
import _thread
session.say('two, better')
_thread.interrupt_main()
for _ in range(10_000_000): pass
session.say('never reached')
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """One kernel for this file; each test has a session of its own."""
    notebook = Notebook(str(tmp_path_factory.mktemp("notebook")))
    yield notebook
    notebook.close()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    # Without subshells there is no page to wait for; the cell's id is there all the same.
    run(kernel, "import cellvoice as cv; session = cv.Session(journal=False)", "setup")
    return kernel


def run(notebook: Notebook, code: str, cell: str, *deleted: str) -> Cell:
    found = notebook.run(code, cell_id=cell, subshells=False, deleted=deleted)
    assert not found.error, found.error
    return found


def asked(notebook: Notebook) -> list[str]:
    found: list[str] = notebook.value("[turn.input[0] for turn in session.turns]")
    return found


def cells_of(notebook: Notebook) -> list[str]:
    found: list[str] = notebook.value("[turn.cell.id for turn in session.turns]")
    return found


def stale(notebook: Notebook) -> list[bool]:
    found: list[bool] = notebook.value("[turn.stale for turn in session.turns]")
    return found


def test_running_all_cells_twice_leaves_the_conversation_of_once(notebook: Notebook) -> None:
    for _ in range(2):
        run(notebook, ONE, "a")
        run(notebook, LOOP, "b")
        run(notebook, "session.say('four')", "c")
    assert asked(notebook) == ["one", "two", "three", "four"]
    assert cells_of(notebook) == ["a", "b", "b", "c"] and not any(stale(notebook))
    assert notebook.value("[len(turn.versions) for turn in session.turns]") == [1, 1, 1, 1]


def test_a_cell_that_is_moved_keeps_its_id_and_its_place(notebook: Notebook) -> None:
    run(notebook, ONE, "a")
    run(notebook, TWO, "b")
    # Dragged below b, which JupyterLab reports as nothing at all.
    run(notebook, ONE, "a")
    assert asked(notebook) == ["one", "two"] and stale(notebook) == [False, True]


def test_a_cell_that_was_cut_and_pasted_keeps_its_turns(notebook: Notebook) -> None:
    run(notebook, ONE, "a")
    run(notebook, TWO, "b")
    run(notebook, ONE, "a", "a")
    assert asked(notebook) == ["one", "two"]
    # Another cell runs first: until the pasted one does, it counts as deleted.
    run(notebook, THREE, "c", "a")
    assert asked(notebook) == ["two", "three"]
    run(notebook, ONE, "a")
    assert asked(notebook) == ["one", "two", "three"]
    assert notebook.value("len(session[0].versions)") == 2


def test_deleted_cells_drop_their_turns_at_the_next_execution_of_any_cell(
    notebook: Notebook,
) -> None:
    run(notebook, ONE, "a")
    run(notebook, TWO, "b")
    run(notebook, "1 + 1", "c", "a")
    assert asked(notebook) == ["two"] and stale(notebook) == [True]


def test_a_cell_that_is_split_keeps_its_first_turns_and_appends_the_rest(
    notebook: Notebook,
) -> None:
    run(notebook, f"{ONE}\n{TWO}", "a")
    run(notebook, THREE, "b")
    # The lower half has the old id in JupyterLab, the upper one a new id.
    run(notebook, ONE, "upper half")
    run(notebook, TWO, "a")
    assert asked(notebook) == ["two", "three", "one"]
    assert cells_of(notebook) == ["a", "b", "upper half"]


def test_a_copied_cell_appends(notebook: Notebook) -> None:
    run(notebook, ONE, "a")
    run(notebook, TWO, "b")
    run(notebook, ONE, "copy of a")
    assert asked(notebook) == ["one", "two", "one"]


def test_a_cell_that_asks_less_drops_the_surplus_and_one_that_breaks_keeps_it(
    notebook: Notebook,
) -> None:
    run(notebook, LOOP, "a")
    broken = notebook.run(f"{TWO}\n1 / 0", cell_id="a", subshells=False)
    assert broken.error and asked(notebook) == ["two", "three"]
    run(notebook, TWO, "a")
    assert asked(notebook) == ["two"]
    run(notebook, "1 + 1", "a")
    assert asked(notebook) == []


def test_turns_after_a_replaced_one_are_refreshed_in_place(notebook: Notebook) -> None:
    run(notebook, ONE, "a")
    run(notebook, LOOP, "b")
    run(notebook, "session.say('one, better')", "a")
    assert stale(notebook) == [False, True, True]
    shown = run(notebook, "refreshed = session.refresh()", "c")
    assert len(shown.outputs) == 2 and not any(stale(notebook))
    assert cells_of(notebook) == ["a", "b", "b"]


def test_cards_in_other_cells_show_what_became_of_their_turns(notebook: Notebook) -> None:
    first = run(notebook, ONE, "a")
    after = run(notebook, TWO, "b")
    edited = run(notebook, "turn = session.edit(0, 'one, better')", "c")

    def form(cell: Cell) -> dict[str, Any]:
        (output,) = cell.outputs
        found: dict[str, Any] = output.data[TURN_MIME]
        return found

    notebook.until(lambda: "stale" in form(after) and "versions" in form(first))
    assert form(first)["versions"] == {"k": 1, "of": 2}
    both = form(edited)["versions"]
    assert (both["k"], both["of"], len(both["ids"])) == (2, 2, 2)
    assert "stale" in after.outputs[0].data["text/html"]
    assert "<audio controls" in after.outputs[0].data["text/html"]
    run(notebook, "session.refresh()", "d")
    notebook.until(lambda: "stale" not in form(after))


def test_an_interrupted_run_keeps_what_it_did_not_come_to(notebook: Notebook) -> None:
    run(notebook, LOOP, "a")
    assert "KeyboardInterrupt" in "".join(notebook.run(INTERRUPTED, cell_id="a").error)
    assert asked(notebook) == ["two, better", "three"]


def test_a_magic_is_a_turn_of_its_cell(notebook: Notebook) -> None:
    for _ in range(2):
        run(notebook, "%reload_ext cellvoice", "ext")
        run(notebook, "%%voice\nWhat is the capital of France?", "a")
    assert len(asked(notebook)) == 1 and cells_of(notebook) == ["a"]


def test_without_a_cell_id_every_run_appends(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.run(ONE)
    assert asked(notebook) == ["one", "one"]
    assert notebook.value("[turn.cell for turn in session.turns]") == [None, None]


def test_tasks_of_a_cell_belong_to_it_also_when_they_end_later(notebook: Notebook) -> None:
    for _ in range(2):
        run(notebook, "task = __import__('asyncio').create_task(session.asay('one'))", "a")
        run(notebook, "turn = await task", "b")
    assert asked(notebook) == ["one"] and cells_of(notebook) == ["a"]
