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


def test_parameters_are_read_by_their_kinds_and_unset(notebook: Notebook) -> None:
    line = """%voice temperature=0.8 stop='["END"]' seed=7 store=no metadata='{"lesson": "3"}'"""
    shown = notebook.run(line).stream
    assert "temperature=0.8" in shown and "stop=['END']" in shown
    assert notebook.value("dict(session.parameters)") == {
        "temperature": 0.8,
        "stop": ["END"],
        "seed": 7,
        "store": False,
        "metadata": {"lesson": "3"},
    }
    notebook.run("%voice temperature= stop= store= metadata=")
    assert notebook.value("dict(session.parameters)") == {"seed": 7}
    notebook.run("%voice seed=")


def test_a_variable_may_stand_for_a_value(notebook: Notebook) -> None:
    notebook.run("form = {'type': 'object', 'properties': {'city': {'type': 'string'}}}")
    notebook.run("%voice schema=form")
    assert notebook.value("session.settings_values()['schema']['required']") == ["city"]
    notebook.run("%voice schema=")


def test_one_wrong_setting_sets_none(notebook: Notebook) -> None:
    before = notebook.value("session.settings_values()")
    assert notebook.run("%voice voice=cedar temperature=3").error != []
    assert notebook.value("session.settings_values()") == before


def test_the_old_name_of_the_limit_is_taken_and_told(notebook: Notebook) -> None:
    shown = notebook.run("%voice max_tokens=200").stream
    assert "max_tokens is now called max_completion_tokens" in shown
    assert notebook.value("dict(session.parameters)") == {"max_completion_tokens": 200}
    notebook.run("%voice max_completion_tokens=")


def test_the_table_of_parameters_says_what_the_model_refuses(notebook: Notebook) -> None:
    shown = " ".join(notebook.run("%voice params").stream.split())
    assert "temperature How freely" in shown and "a number in 0…2" in shown
    assert "top_logprobs" in shown and "gpt-audio REFUSES IT" in shown
    assert "max_tokens" not in shown
    notebook.run("%voice temperature=0.8 model=some-model")
    shown = " ".join(notebook.run("%voice params").stream.split())
    assert "temperature = 0.8" in shown and "REFUSES" not in shown
    notebook.run("%voice temperature= model=gpt-audio")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%voice colour=red", "no setting 'colour'; %voice params shows all names"),
        ("%voice temprature=1", "no setting 'temprature'; did you mean 'temperature'?"),
        ("%voice temperature=hot", "temperature='hot': expected a number in 0…2"),
        ("%voice metadata='{'", "is no JSON"),
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
