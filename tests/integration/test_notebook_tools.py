"""Tools in cells of a real kernel: approved while the kernel is busy, or after the cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .notebook_rig import TURN_MIME, WIDGET_MIME, Cell, Notebook, Page

BUNDLE = {TURN_MIME, "text/html", "text/plain"}

SETUP = '''
import json, httpx, cellvoice as cv

def chunk(delta):
    body = {"id": "c", "model": "gpt-audio", "choices": [{"index": 0, "delta": delta}]}
    return b"data: " + json.dumps(body).encode() + b"\\n\\n"

class Body(httpx.AsyncByteStream):
    def __init__(self, body): self.body = body
    async def __aiter__(self): yield self.body

class Service(httpx.AsyncBaseTransport):
    """Calls `book`, then answers; again and again."""
    def __init__(self): self.asked = []
    async def handle_async_request(self, request):
        body = json.loads(await request.aread())
        self.asked.append(body)
        if body["messages"][-1]["role"] == "tool":
            reply = chunk({"content": "Booked."})
        else:
            function = {"name": "book", "arguments": '{"city": "Lyon"}'}
            call = {"index": 0, "id": f"call_{len(self.asked)}", "function": function}
            reply = chunk({"tool_calls": [call]})
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=Body(reply + b"data: [DONE]\\n\\n"))

service = Service()
session = cv.Session(api_key="k", transport=service, journal=False, guard=False)

@session.tool(approve="ask")
def book(city: str) -> str:
    """Book a room."""
    print("booking", city)
    return city
'''


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """One kernel for this file; each test has a session of its own."""
    notebook = Notebook(str(tmp_path_factory.mktemp("notebook")))
    yield notebook
    notebook.close()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    cell = kernel.run(SETUP)
    assert not cell.error, cell.error
    kernel.comms.clear()
    return kernel


def waiting(notebook: Notebook, page: Page) -> Any:
    """The call that waits, as the page has it."""
    notebook.until(
        lambda: any(
            told["tool_calls"][-1]["state"] == "waiting" for told in page.named("turn.tools")
        )
    )
    return page.named("turn.tools")[-1]


def decide(notebook: Notebook, page: Page, told: Any, **given: Any) -> Any:
    call = told["tool_calls"][-1]
    data = {"turn": told["turn"], "call": call["id"], "hash": call["hash"], **given}
    request = page.request("turn.decide", data)
    notebook.until(lambda: request in page.answers)
    return page.answers[request]


def frozen(cell: Cell) -> bool:
    return set(cell.outputs[0].data) == BUNDLE


def test_a_call_is_approved_while_the_cell_waits_for_it(notebook: Notebook) -> None:
    if notebook.subshell is None:
        pytest.skip("this kernel does not hear a page while a cell runs")
    cell = notebook.start("turn = session.say('Book it.')", cell_id="a")
    page = notebook.page("card")
    told = waiting(notebook, page)
    assert not cell.idle
    answer = decide(notebook, page, told, action="approve", arguments={"city": "Nice"})
    assert answer["kind"] == "result", answer
    notebook.until(lambda: cell.idle)
    assert cell.error == [] and frozen(cell)
    assert notebook.value("(turn.text, turn.tool_calls[0].result)") == ["Booked.", "Nice"]
    # What the tool prints stands in the cell that asked.
    assert cell.stream == "booking Nice\n"


def test_where_the_page_can_not_be_heard_the_cell_returns_and_the_page_decides_later(
    notebook: Notebook,
) -> None:
    cell = notebook.run("turn = session.say('Book it.')\nturn", cell_id="b", subshells=False)
    assert cell.error == [] and "book(city='Lyon') waits for a decision" in cell.stream
    assert notebook.value("(turn.finish, len(session.pending))") == [None, 1]
    (output,) = cell.outputs
    assert WIDGET_MIME in output.data
    page = notebook.page("card")
    told = waiting(notebook, page)
    assert decide(notebook, page, told, action="approve")["kind"] == "result"
    notebook.until(lambda: frozen(cell))
    assert notebook.value("(turn.finish, turn.text)") == ["complete", "Booked."]


def test_another_cell_decides_and_nothing_new_is_asked_before(notebook: Notebook) -> None:
    cell = notebook.run("turn = session.say('Book it.')", cell_id="c", subshells=False)
    refused = notebook.run("session.say('And now?')", cell_id="d", subshells=False)
    assert "UsageError: turn 1 is open" in refused.error[0]
    code = "session.pending[0].approve(city='Nice')\nsession.wait(turn).text"
    notebook.run(code, cell_id="e", subshells=False)
    notebook.until(lambda: frozen(cell))
    assert notebook.value("turn.tool_calls[0].arguments") == {"city": "Nice"}


def test_a_cell_that_is_run_again_stops_the_turn_that_waits_in_it(notebook: Notebook) -> None:
    notebook.run("first = session.say('Book it.')", cell_id="f", subshells=False)
    notebook.run("second = session.say('Book it.')", cell_id="f", subshells=False)
    assert notebook.value("first.wait(10) and first.finish") == "stopped"
    assert notebook.value("[one.turn is second for one in session.pending]") == [True]
    notebook.run("session.pending[0].reject('no'); session.wait(second)", cell_id="g")
    assert notebook.value("[turn.id == second.id for turn in session.turns]") == [True]


def test_interrupting_a_cell_that_waits_for_a_decision_stops_its_turn(notebook: Notebook) -> None:
    if notebook.subshell is None:
        pytest.skip("this kernel does not hear a page while a cell runs")
    cell = notebook.start("turn = session.say('Book it.')", cell_id="h")
    page = notebook.page("card")
    waiting(notebook, page)
    notebook.manager.interrupt_kernel()
    notebook.until(lambda: cell.idle)
    assert cell.error == []
    assert notebook.value("(turn.finish, len(session.pending))") == ["stopped", 0]
    notebook.until(lambda: frozen(cell))


def test_an_awaited_turn_returns_open_where_the_page_can_not_be_heard(notebook: Notebook) -> None:
    cell = notebook.run("turn = await session.asay('Book it.')", cell_id="i", subshells=False)
    if notebook.value("turn.finish") is None:
        assert "waits for a decision" in cell.stream
        notebook.run("session.pending[0].approve(); session.wait(turn)")
    assert notebook.value("turn.text") == "Booked."
