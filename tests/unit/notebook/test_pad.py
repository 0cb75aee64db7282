"""What a pad tells its page around the conversation, and what it leaves in the file."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellvoice.notebook.pad import PAD_MIME, Conversation, pad_state, show_pad
from cellvoice.protocol import Event
from cellvoice.render import conversation_html, sentence_html
from cellvoice.session import Session, Turn

from .conftest import Notebook

RECORDED = Path(__file__).parents[2] / "fixtures/recorded/gpt-audio-1.5.basic.shortest.sse"


def test_the_price_of_a_model_that_nobody_knows_is_unknown_and_not_zero() -> None:
    session = Session("gpt-unheard-of", api_key="k", journal=False)
    assert pad_state(session)["price"] is None


def test_a_known_model_has_its_price_and_the_engine_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = pad_state(Session("gpt-audio", api_key="k", journal=False))["price"]
    assert known == {
        "input_usd_per_s": pytest.approx(0.00032),
        "output_usd_per_s": pytest.approx(0.00128),
        "history_tokens": 0,
        "history_usd": 0.0,
    }
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    engine = pad_state(Session("gpt-unheard-of", journal=False))["price"]
    assert engine is not None and not any(engine.values())


def test_the_pad_says_where_the_conversation_is_kept_and_how_much_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=RECORDED.read_bytes()
    )
    with Session(api_key="k", transport=httpx.MockTransport(lambda _: answer)) as session:
        where = f"cellvoice_journal/{session.id}"
        assert pad_state(session)["journal"] == where
        session.say("Hello.")
        assert re.fullmatch(rf"{where}, [\d.]+ kB", str(pad_state(session)["journal"]))


def test_markup_in_the_words_around_a_conversation_is_shown_and_not_obeyed() -> None:
    markup = "<img src=x onerror=alert(1)>"
    shown = conversation_html([], badge=markup, sentence=markup) + sentence_html(markup)
    assert "<img" not in shown
    assert shown.count("&lt;img src=x") == 3


class Onlooker:
    """Told of the end of a turn at the same moment as the pad."""

    def __init__(self) -> None:
        self.told = threading.Event()

    def started(self, turn: Turn) -> None: ...

    def event(self, turn: Turn, event: Event) -> None: ...

    async def ended(self, turn: Turn) -> None:
        self.told.set()


def answer(request: httpx.Request) -> httpx.Response:
    """A recorded reply, all at once."""
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=kind, content=RECORDED.read_bytes())


async def test_a_pads_older_form_never_takes_the_place_of_a_newer_one(
    notebook: Notebook, where: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(api_key="k", transport=httpx.MockTransport(answer), journal=False)
    await asyncio.to_thread(show_pad, session, where("run 1", "refreshed"))
    pad = notebook.widgets[0]
    saved, slow, go = Conversation.saved, threading.Event(), threading.Event()

    def held(conversation: Conversation, name: str) -> dict[str, object]:
        found = saved(conversation, name)
        if not slow.is_set():
            slow.set()
            go.wait(10)
        return found

    monkeypatch.setattr(Conversation, "saved", held)
    hello = {"kind": "hello", "have": 0, "lab": True}
    await asyncio.to_thread(notebook.say, pad, hello)
    await asyncio.to_thread(slow.wait, 10)
    onlooker = Onlooker()
    turn = session.start_turn("Hello.", view=onlooker)
    await asyncio.to_thread(onlooker.told.wait, 10)
    go.set()
    await asyncio.to_thread(turn.wait, 10)
    assert len(notebook.output[PAD_MIME]["turns"]) == 1
    await asyncio.to_thread(session.close)


def test_an_open_pad_follows_what_becomes_of_the_conversation(
    notebook: Notebook, where: Any
) -> None:
    session = Session(api_key="k", transport=httpx.MockTransport(answer), journal=False)
    show_pad(session, where("run 1", "followed"))
    page = notebook.sent[notebook.widgets[0]]
    notebook.say(notebook.widgets[0], {"kind": "hello", "have": 0})
    one, two = session.say("One."), session.say("Two.")
    again = session.edit(one, "Another one.")
    versions = {"k": 2, "of": 2, "ids": [one.id, again.id]}
    replaced = {"turn": again.id, "versions": versions}
    stale = {"turn": two.id, "stale": True}
    page.until("pad.turns", lambda data: data["turns"] == [replaced, stale])
    branch = session.fork()
    third = branch.say("Three.")
    session.undo()
    session.merge(branch)
    page.until("pad.turns", lambda data: data["turns"][-1]["turn"] == third.id)
    assert [card["turn"] for card in page.named("turn.ended")].count(third.id) == 1
    session.clear()
    page.until("pad.turns", lambda data: data["turns"] == [])
    session.close()
    branch.close()
