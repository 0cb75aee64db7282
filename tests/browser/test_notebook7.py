"""Notebook 7, which is built of JupyterLab's parts, with the same extension and kernel."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from .conftest import NEWEST, QUESTION_WORDS, NewContext, OpenNotebook
from .lab import WAIT_MS, NotebookPage, outputs_of
from .server import NOTEBOOK_7, LabServer
from .sound import correlate, spoken
from .views import Card, pad_in

pytestmark = pytest.mark.usefixtures("built")

CELLS = [
    "import cellvoice as cv\nsession = cv.Session()",
    f"session.say({QUESTION_WORDS!r})",
    "session",
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LabServer]:
    """Notebook 7 in the place of JupyterLab."""
    notebook7 = await LabServer.start(tmp_path_factory.mktemp("notebook7"), NEWEST, NOTEBOOK_7)
    yield notebook7
    await notebook7.stop()


async def test_a_turn_is_heard_while_it_comes_and_the_pad_answers(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(*CELLS)
    assert await notebook.page.evaluate("jupyterapp.name") == "Jupyter Notebook"
    await notebook.run_to_end(0)
    await notebook.run_to_end(1)
    await Card(notebook.output(1), 1).ended()
    async with await notebook.kernel() as kernel:
        reply = await kernel.samples("session.turns[0].clip")
    await notebook.until_rendered(len(spoken(reply)) / 24_000 * 0.8)
    assert correlate(await notebook.rendered(), reply).correlation > 0.99

    # The card has no widget any more, and asks the kernel for what it was before.
    await notebook.run_to_end(1)
    card = Card(notebook.output(1), 1).box
    await card.get_by_role("button", name="earlier version").click()
    await expect(card.locator(".cv-marks")).to_have_text("version 1 of 2", timeout=WAIT_MS)

    await notebook.run_to_end(2)
    pad = pad_in(notebook, notebook.output(2))
    await pad.shown()
    await pad.write("why is the sky blue")
    await Card(pad.area, 2).ended()
    assert "blue" in await Card(pad.area, 2).text()


async def test_reopened_without_a_kernel_the_card_and_the_pad_play_and_read(
    open_notebook: OpenNotebook, new_context: NewContext, server: LabServer
) -> None:
    notebook = await open_notebook(*CELLS)
    for index in range(3):
        await notebook.run_to_end(index)
    await pad_in(notebook, notebook.output(2)).shown()
    async with await notebook.kernel() as kernel:
        text = await kernel.value("session.turns[0].text")
        reply = await kernel.samples("session.turns[0].clip")
    file = await notebook.save()
    assert "application/vnd.cellvoice.turn.v1+json" in outputs_of(file, 1)[0]["data"]
    await notebook.close()
    await server.shut_down_kernel(notebook.path)

    saved = await NotebookPage.open(await new_context(), server, notebook.path)
    for index in (1, 2):
        card = Card(saved.output(index), 1)
        await expect(card.box).to_be_visible(timeout=WAIT_MS)
        assert await card.text() == text
        await saved.forget()
        await card.play()
        await saved.until_rendered(len(spoken(reply)) / 24_000 * 0.8)
        assert correlate(await saved.rendered(), reply).correlation > 0.9
    assert saved.complaints == []
    await saved.close()
    await server.shut_down_kernel(saved.path)
