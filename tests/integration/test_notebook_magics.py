"""`%%voice` and `%voice` in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .notebook_rig import TURN_MIME, Notebook


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    found = Notebook(str(tmp_path_factory.mktemp("notebook")))
    found.run("%load_ext cellvoice")
    yield found
    found.close()


def test_a_cell_is_said_on_a_session_that_is_made_at_first_use(notebook: Notebook) -> None:
    cell = notebook.run("%%voice\nWhat is the capital of France?")
    assert cell.error == []
    (output,) = cell.outputs
    assert output.data[TURN_MIME]["input"] == [
        {"kind": "text", "text": "What is the capital of France?"}
    ]
    assert notebook.value("type(session).__name__") == "Session"


def test_a_name_chooses_the_session(notebook: Notebook) -> None:
    notebook.run("import cellvoice as cv; other = cv.Session(journal=False)")
    notebook.run("%%voice other\nHello")
    assert notebook.value("[turn.input[0] for turn in other.turns]") == ["Hello"]
    notebook.run("%%voice session\nHello")


def test_settings_are_shown_and_set(notebook: Notebook) -> None:
    shown = notebook.run("%voice voice=marin system='Answer briefly.'").stream
    assert "voice marin" in shown
    assert "system: Answer briefly." in shown
    assert "embedded engine, not gpt-audio" in shown
    assert notebook.value("(session.voice, session.system)") == ["marin", "Answer briefly."]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%voice colour=red", "expected voice=…, model=… or system=…"),
        ("%voice marin", "for example %voice voice=marin"),
        ("%voice system='Answer", "write %voice system="),
        ("%%voice a b\nHello", "the name of a session's variable"),
        ("%%voice\n  ", "nothing to say"),
        ("number = 3\n", ""),
        ("%%voice number\nHello", "the variable number is a int"),
    ],
)
def test_a_wrong_magic_is_told_in_one_line(notebook: Notebook, code: str, words: str) -> None:
    cell = notebook.run(code)
    assert bool(cell.error) == bool(words)
    assert words in " ".join(cell.error)
    assert len(cell.error) <= 1
    notebook.run("%%voice session\nHello")
