"""Sessions in marimo: what a cell shows, and which turns it has, run after run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellvoice.session import Session, run

from .conftest import Notebook, turn_of_the_loop
from .marimo_rig import Html, Marimo, Stack

RECORDED = Path(__file__).parents[2] / "fixtures/recorded/gpt-audio-1.5.basic.shortest.sse"


def answer(request: httpx.Request) -> httpx.Response:
    """A recorded reply, all at once."""
    headers = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=headers, content=RECORDED.read_bytes())


@pytest.fixture
def talk(notebook: Notebook) -> Iterator[Session]:
    session = Session(api_key="k", journal=False, transport=httpx.MockTransport(answer))
    yield session
    session.close()


Start = Callable[..., Marimo]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start marimo on this thread, in the place of one that was there before."""

    def make(**settings: Any) -> Marimo:
        marimo = Marimo(**settings)
        for name, module in marimo.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        return marimo

    return make


def asked(session: Session) -> list[Any]:
    return [turn.input[0] for turn in session.turns]


def say_all(session: Session, *words: str) -> Callable[[], None]:
    """A cell's code whose last value is nothing."""
    return lambda: [session.say(word) for word in words] and None


def test_a_turn_is_a_live_card_that_stays_when_it_has_ended(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start()
    marimo.run("a", say_all(talk, "one"))
    (widget,) = notebook.widgets
    assert marimo.outputs["a"] == [widget]
    assert widget.comm is not None, "it was closed"
    assert notebook.sent[widget].first("turn.ended")["card"]["state"] == "complete"


def test_the_page_is_told_of_a_turn_before_it_is_heard(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    start().run("a", say_all(talk, "one"))
    (widget,) = notebook.widgets
    sent = notebook.sent[widget]
    sent.first("turn.ended")
    names = [message["name"] for message in sent]
    assert names[0] == "turn.started"
    assert {"turn.text", "turn.audio"} <= set(names)


def test_its_module_comes_with_the_widget_since_a_busy_kernel_sends_none(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    start().run("a", say_all(talk, "one"))
    assert notebook.widgets[0]._esm == "the whole module"


def test_a_turn_that_is_the_last_value_is_shown_once_and_with_those_before_it(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start()
    marimo.run("a", lambda: talk.say("one"))
    assert marimo.outputs["a"] == notebook.widgets[:1]
    marimo.run("b", lambda: [talk.say("two"), talk.say("three")][-1])
    assert marimo.outputs["b"] == [Stack(list(notebook.widgets[1:]))]


def test_a_turn_of_another_cell_gets_a_card_of_its_own(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start()
    turn = marimo.run("a", lambda: talk.say("one"))
    marimo.run("b", lambda: turn)
    run(turn_of_the_loop())
    first, second = notebook.widgets
    assert marimo.outputs == {"a": [first], "b": [second]}
    notebook.say(second, {"kind": "hello", "have": 0})
    assert notebook.sent[second].first("turn.ended")["turn"] == turn.id


def test_a_cell_that_is_run_again_asks_in_the_place_of_its_turn_and_ends_the_old_card(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start()
    marimo.run("a", say_all(talk, "one"))
    marimo.run("b", say_all(talk, "two"))
    marimo.run("a", say_all(talk, "one again"))
    run(turn_of_the_loop())
    assert asked(talk) == ["one again", "two"]
    assert [turn.stale for turn in talk.turns] == [False, True]
    first, second, third = notebook.widgets
    assert first.comm is None
    assert second.comm is not None and third.comm is not None
    marked = notebook.sent[second].first("pad.turns")
    assert marked == {"turns": [{"turn": talk.turns[1].id, "stale": True}]}


def test_what_a_cell_asks_no_more_is_dropped_when_it_has_ended_unless_it_failed(
    start: Start, talk: Session
) -> None:
    marimo = start()
    marimo.run("a", say_all(talk, "one", "two"))
    marimo.run("a", say_all(talk, "one"), fails=True)
    assert asked(talk) == ["one", "two"]
    marimo.run("a", say_all(talk, "one"))
    assert asked(talk) == ["one"]


def test_a_deleted_cell_takes_its_turns_along(start: Start, talk: Session) -> None:
    marimo = start()
    marimo.run("a", say_all(talk, "one"))
    marimo.run("b", say_all(talk, "two"))
    marimo.delete("a")
    assert asked(talk) == ["two"]


def test_the_same_cell_of_another_visitor_is_another_cell(start: Start, talk: Session) -> None:
    for words in ("one", "two"):
        start(mode="run").run("a", say_all(talk, words))
    assert asked(talk) == ["one", "two"]


def test_what_a_visitor_was_shown_is_closed_when_the_visitor_has_gone(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start(mode="run")
    marimo.run("a", say_all(talk, "one"))
    marimo.end()
    gc.collect()
    run(turn_of_the_loop())
    assert notebook.widgets[0].comm is None


def test_without_what_is_private_to_marimo_turns_are_appended(start: Start, talk: Session) -> None:
    marimo = start(private=False)
    for _ in range(2):
        marimo.run("a", say_all(talk, "one"))
    assert asked(talk) == ["one", "one"]
    assert len(marimo.outputs["a"]) == 1


def test_where_nobody_looks_the_card_is_put_out_without_a_widget_when_it_has_ended(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start(page=False)
    marimo.run("a", say_all(talk, "one"))
    (shown,) = marimo.outputs["a"]
    assert isinstance(shown, Html)
    assert "<audio" in shown.text
    marimo.run("b", lambda: talk)
    (conversation,) = marimo.outputs["b"]
    assert "<audio" in conversation.text
    assert notebook.widgets == []


def test_the_session_itself_is_the_pad_and_answers_when_the_cell_has_ended(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start()
    marimo.run("a", lambda: talk)
    (pad,) = notebook.widgets
    assert marimo.outputs["a"] == [pad]
    notebook.say(pad, {"kind": "hello", "have": 0})
    request = {"kind": "request", "seq": 1, "id": "p.1", "name": "send", "data": {"text": "one"}}
    notebook.say(pad, request)
    notebook.sent[pad].first("turn.ended")
    assert asked(talk) == ["one"]


def test_a_recorder_does_not_keep_its_cell_waiting_and_says_why(
    start: Start, talk: Session, notebook: Notebook
) -> None:
    marimo = start()
    turn = marimo.run("a", talk.listen)
    (recorder,) = notebook.widgets
    assert marimo.outputs["a"] == [recorder]
    assert turn.finish is None
    notebook.say(recorder, {"kind": "hello", "have": 0})
    told = notebook.sent[recorder].first("listen.state")
    assert told["phase"] == "late"
    assert "while a cell runs" in told["sentence"]
    marimo.run("a", lambda: None)
    run(turn_of_the_loop())
    assert turn.finish == "stopped"
    assert recorder.comm is None


def test_another_thread_is_in_no_cell(start: Start, talk: Session) -> None:
    marimo = start()
    marimo.run("a", lambda: run(_asked_on_the_loop(talk)))
    assert [turn.cell for turn in talk.turns] == [None]


async def _asked_on_the_loop(session: Session) -> None:
    await session.asay("one")
