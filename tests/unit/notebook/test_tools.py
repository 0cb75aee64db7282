"""What a page is told of a turn's calls, and what a person decides there."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from cellvoice.notebook._tools import ToolsTeller
from cellvoice.notebook.live import CardView
from cellvoice.session import Session, Turn

from .conftest import DEAF, Notebook, Outbox

DONE = b"data: [DONE]\n\n"


def event(delta: dict[str, object]) -> bytes:
    chunk = {"id": "c", "model": "gpt-audio", "choices": [{"index": 0, "delta": delta}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


class Asks(httpx.AsyncBaseTransport):
    """Calls `book` in the first reply, and answers in the second."""

    def __init__(self) -> None:
        function = {"name": "book", "arguments": '{"city": "Lyon"}'}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        self._replies = [event({"tool_calls": [call]}), event({"content": "Booked."})]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, stream=_Whole(self._replies.pop(0) + DONE))


class _Whole(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def book(city: str) -> str:
    """Book a room."""
    return f"<b>{city}</b>"


@pytest.fixture
def asking() -> Iterator[Session]:
    session = Session(api_key="k", transport=Asks(), journal=False)
    session.tool(approve="ask")(book)
    yield session
    # A card that is frozen later would be put into the next test's notebook.
    for turn in session.turns:
        turn.stop()
        turn.wait()
    session.close()


def say(session: Session, where: Any) -> Turn:
    """As `say` does it in a cell."""
    turn = session.pending_turn()
    return session.start_turn("Book it.", view=CardView(turn, where), turn=turn)


def decide(notebook: Notebook, asked: Turn, shown: dict[str, Any], **given: Any) -> dict[str, Any]:
    """What the buttons of the card send, and the answer to it."""
    data = {"turn": asked.id, "call": shown["id"], "hash": shown["hash"], **given}
    widget = notebook.widgets[0]
    seq = sum("id" in message for message in notebook.sent[widget]) + 1
    request = {"kind": "request", "seq": seq, "id": f"r{seq}", "name": "turn.decide", "data": data}
    notebook.say(widget, request)
    answers = [one for one in notebook.sent[widget] if one.get("id") == f"r{seq}"]
    return answers[0]


def hello(notebook: Notebook) -> Outbox:
    notebook.say(notebook.widgets[0], {"kind": "hello", "have": 0})
    return notebook.sent[notebook.widgets[0]]


def waiting(outbox: Outbox) -> dict[str, Any]:
    """The call as the page has it when it waits."""
    call: dict[str, Any] = outbox.first("turn.tools")["tool_calls"][0]
    return call


def test_a_waiting_call_is_shown_and_decided_on_the_page(
    notebook: Notebook, where: Any, asking: Session
) -> None:
    turn = say(asking, where())
    outbox = hello(notebook)
    call = waiting(outbox)
    assert (call["state"], call["arguments"]) == ("waiting", {"city": "Lyon"})
    answer = decide(notebook, turn, call, action="approve")
    assert answer["kind"] == "result" and answer["data"] == {}
    assert asking.wait(turn).text == "Booked."
    assert turn.tool_calls[0].result == "<b>Lyon</b>"


def test_a_page_may_change_the_arguments(notebook: Notebook, where: Any, asking: Session) -> None:
    turn = say(asking, where())
    call = waiting(hello(notebook))
    answer = decide(notebook, turn, call, action="approve", arguments={"city": "Nice"})
    assert answer["kind"] == "result"
    assert asking.wait(turn).tool_calls[0].arguments == {"city": "Nice"}


@pytest.mark.parametrize(
    "given",
    [
        {"action": "approve", "hash": "another"},
        {"action": "approve", "call": "another"},
        {"action": "approve", "turn": "another"},
        {"action": "approve", "arguments": {"town": "Nice"}},
        {"action": "approve", "arguments": [1]},
        {"action": "launch"},
        {},
    ],
)
def test_a_decision_about_anything_else_is_refused(
    notebook: Notebook, where: Any, asking: Session, given: dict[str, Any]
) -> None:
    turn = say(asking, where())
    shown = waiting(hello(notebook))
    answer = decide(notebook, turn, shown, **given)
    assert answer["kind"] == "error" and answer["data"]["name"] == "UsageError"
    assert turn.tool_calls[0].state == "waiting"


def test_a_cell_whose_page_can_not_be_heard_returns_and_the_turn_goes_on_later(
    notebook: Notebook, where: Any, asking: Session
) -> None:
    turn = asking.wait(say(asking, where(hearing=DEAF)))
    assert not turn.done
    call = waiting(hello(notebook))
    decide(notebook, turn, call, action="reject", reason="too dear")
    assert asking.wait(turn).done and turn.tool_calls[0].error == "too dear"
    assert "application/vnd.jupyter.widget-view+json" not in notebook.output


class Clock:
    """A loop's clock that stands still, and its timers."""

    def __init__(self) -> None:
        self.now_s = 10.0
        self.timers: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[[], object]) -> Any:
        self.timers.append((delay, callback))
        return threading.Timer(1_000, callback)  # never started, and can be called off

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds
        timers, self.timers = self.timers, []
        for _, callback in timers:
            callback()


def test_changes_are_told_ten_times_a_second_at_most_and_the_last_one_in_any_case(
    asking: Session,
) -> None:
    turn = asking.wait(asking.start_turn("Book it."))
    told: list[Any] = []
    clock = Clock()
    teller = ToolsTeller(turn, lambda _, form: told.append(form), clock, lambda work: work())
    assert len(told) == 1
    for text in ("one", "two", "three"):
        turn.tool_calls[0].progress = text
        teller.changed()
    assert len(told) == 1 and [delay for delay, _ in clock.timers] == [pytest.approx(0.1)]
    clock.pass_s(0.1)
    assert [form["tool_calls"][0]["progress"] for form in told] == ["", "three"]
    teller.end()
    teller.changed()
    assert len(told) == 2
    turn.stop()


def test_an_object_is_told_as_far_as_it_has_come(notebook: Notebook, where: Any) -> None:
    chunks = [event({"content": text}) for text in ('{"city": "Ly', 'on", "nights": 2', "}")]
    session = Session(api_key="k", transport=Pieces([*chunks, DONE]), journal=False, voice=None)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "title": "Place"}
    pending = session.pending_turn({"schema": schema, "model": "a-text-model", "voice": None})
    turn = session.start_turn("Where?", view=CardView(pending, where()), turn=pending)
    outbox = hello(notebook)
    assert outbox.first("turn.partial") == {"turn": turn.id, "partial": {"city": "Ly"}}
    assert session.wait(turn).parsed == {"city": "Lyon", "nights": 2}
    assert turn.partial == {"city": "Lyon", "nights": 2}
    session.close()


class Pieces(httpx.AsyncBaseTransport):
    """One reply, a piece at a time."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, stream=_InPieces(self._pieces))


class _InPieces(httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
