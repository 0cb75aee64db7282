"""`session.listen()` in a cell: it waits where the kernel can, and says so where it can't."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import NEWEST, OpenNotebook
from .sound import Samples, correlate, correlate_heard
from .views import Card, listening_in

pytestmark = pytest.mark.usefixtures("built")

SESSION = "import cellvoice as cv\nsession = cv.Session()"


@pytest.mark.parametrize("ipykernel", [NEWEST, "7.3.0"])
async def test_listening_blocks_the_cell_until_the_question_was_spoken(
    open_notebook: OpenNotebook, question: Samples, ipykernel: str
) -> None:
    notebook = await open_notebook(SESSION, "turn = session.listen()", ipykernel=ipykernel)
    await notebook.run_to_end(0)
    await notebook.run(1)
    recorder = listening_in(notebook, notebook.output(1))
    await recorder.shown()
    await recorder.record(question)
    assert await notebook.is_running(1)
    await recorder.send()
    await notebook.ran(1)
    await Card(notebook.output(1), 1).ended()
    async with await notebook.kernel() as kernel:
        assert await kernel.value("turn.finish") == "complete"
        sent = await kernel.samples("turn.input[0]")
        reply = await kernel.samples("turn.clip")
    assert correlate(sent, question).correlation > 0.9
    await notebook.until_rendered(len(reply) / 24_000 * 0.7)
    assert correlate_heard(await notebook.rendered(), reply).worst_block > 0.95


async def test_an_old_kernel_returns_at_once_says_why_and_fills_the_turn_in_later(
    open_notebook: OpenNotebook, question: Samples
) -> None:
    notebook = await open_notebook(SESSION, "turn = session.listen()", ipykernel="6.31.0")
    await notebook.run_to_end(0)
    await notebook.run_to_end(1)
    recorder = listening_in(notebook, notebook.output(1))
    await recorder.shown()
    await expect(recorder.area.locator(".cv-note")).to_contain_text("ipykernel")
    async with await notebook.kernel() as kernel:
        assert await kernel.value("turn.finish") is None
    await recorder.record(question)
    await recorder.send()
    await Card(notebook.output(1), 1).ended()
    async with await notebook.kernel() as kernel:
        assert await kernel.value("turn.finish") == "complete"
        assert "Paris" in await kernel.value("turn.text")


async def test_an_awaited_listen_hears_the_question(
    open_notebook: OpenNotebook, question: Samples
) -> None:
    notebook = await open_notebook(SESSION, "turn = await session.alisten()")
    await notebook.run_to_end(0)
    await notebook.run(1)
    recorder = listening_in(notebook, notebook.output(1))
    await recorder.shown()
    await recorder.record(question)
    await recorder.send()
    await notebook.ran(1)
    await Card(notebook.output(1), 1).ended()


async def test_interrupting_a_listen_ends_the_cell_and_closes_the_recorder(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(SESSION, "session.listen()", "'still alive'")
    await notebook.run_to_end(0)
    await notebook.run(1)
    recorder = listening_in(notebook, notebook.output(1))
    await recorder.shown()
    await notebook.interrupt()
    await notebook.ran(1)
    await notebook.run_to_end(2)
    await expect(notebook.output(2)).to_contain_text("still alive")
