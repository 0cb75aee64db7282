"""What stays in a cell after it has run: how it ends, and what it leaves in the file."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from cellvoice.errors import Stopped
from cellvoice.notebook import _cells
from cellvoice.notebook.listen import listen
from cellvoice.notebook.pad import show_pad
from cellvoice.session import Session, run

from .conftest import DEAF, Notebook, turn_of_the_loop

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
FROZEN = {"text/html", "text/plain"}


def closed(widget: Any) -> bool:
    run(turn_of_the_loop())
    return widget.comm is None


def view(delta: int, seq: int) -> dict[str, Any]:
    return {"kind": "event", "seq": seq, "name": "view", "data": {"delta": delta}}


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda session, turn: session.close(), "the session was closed"),
        (lambda session, turn: turn.stop(), "stopped before anything was sent"),
    ],
    ids=["session closed", "turn stopped"],
)
def test_a_recorder_that_will_send_nothing_leaves_a_sentence(
    notebook: Notebook, session: Session, where: Any, end: Any, words: str
) -> None:
    turn = listen(session, {}, where(hearing=DEAF))
    assert WIDGET_MIME in notebook.output
    end(session, turn)
    assert closed(notebook.widgets[0])
    assert set(notebook.output) == FROZEN
    assert words in notebook.output["text/html"]


def test_closing_the_session_ends_a_cell_that_waits_for_speech(
    notebook: Notebook, session: Session, where: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def person() -> None:
        notebook.say(notebook.widgets[0], hello())
        session.close()

    publish, away = notebook.publish, threading.Thread(target=person)

    def shown(**bundle: Any) -> None:
        publish(**bundle)
        if away.ident is None:
            away.start()

    monkeypatch.setattr("cellvoice.notebook._slot.publish_display_data", shown)
    turn = listen(session, {}, where())
    assert turn.finish == "stopped"
    assert set(notebook.output) == FROZEN


def test_an_interrupt_while_the_recorder_is_shown_leaves_a_sentence(
    notebook: Notebook, session: Session, where: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, calls = notebook.publish, []

    def interrupted(**bundle: Any) -> None:
        publish(**bundle)
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("cellvoice.notebook._slot.publish_display_data", interrupted)
    with pytest.raises(Stopped, match="nothing was sent"):
        listen(session, {}, where())
    assert set(notebook.output) == FROZEN
    assert closed(notebook.widgets[0])


def hello() -> dict[str, Any]:
    return {"kind": "hello", "have": 0, "lab": False}


def test_running_a_cell_again_closes_its_recorder(
    notebook: Notebook, session: Session, where: Any
) -> None:
    listen(session, {}, where("run 1", hearing=DEAF))
    listen(session, {}, where("run 2", hearing=DEAF))
    assert closed(notebook.widgets[0])
    assert not closed(notebook.widgets[1])


def test_a_pad_ends_with_its_cell_unless_it_is_in_sight(
    notebook: Notebook, session: Session, where: Any
) -> None:
    show_pad(session, where("run 1", "mine"))
    pad = notebook.widgets[0]
    notebook.say(pad, hello())
    notebook.say(pad, view(1, 1))
    _cells.close_deleted(where("run 2", "other", deleted=["mine", "unknown"]))
    assert not closed(pad), "the cell was cut and pasted"
    notebook.say(pad, view(-1, 2))
    _cells.close_deleted(where("run 3", "other", deleted=["mine"]))
    assert closed(pad)


def test_a_session_is_freed_when_its_pad_is_closed(notebook: Notebook, where: Any) -> None:
    session = Session(api_key="k", journal=False)
    for number in range(3):
        show_pad(session, where(f"run {number}", "freed"))
    assert [closed(widget) for widget in notebook.widgets] == [True, True, False]
    _cells.close_deleted(where("run 4", "other", deleted=["freed"]))
    assert closed(notebook.widgets[2])
    gone = weakref.ref(session)
    notebook.sent.clear()
    notebook.widgets.clear()
    del session
    gc.collect()
    assert gone() is None
