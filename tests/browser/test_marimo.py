"""marimo hosts the same widgets: a card in a cell, live while the cell runs, and the pad."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from .conftest import QUESTION_WORDS, NewContext
from .lab import WAIT_MS
from .marimo_server import MARIMO, MarimoPage, MarimoServer
from .views import Card, pad_in

pytestmark = pytest.mark.usefixtures("built")

CELLS = [
    "import cellvoice as cv\nsession = cv.Session()",
    f"session.say({QUESTION_WORDS!r})",
    "session",
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MarimoServer]:
    """marimo in the place of JupyterLab."""
    if not (MARIMO / "marimo").is_dir():
        pytest.fail(f"{MARIMO} is not there; run scripts/setup first")
    marimo = await MarimoServer.start(tmp_path_factory.mktemp("marimo"), CELLS)
    yield marimo
    await marimo.stop()


async def darkness(part: Locator) -> bool:
    """Whether light words stand on it."""
    color = await part.evaluate("(element) => getComputedStyle(element).color")
    return await part.page.evaluate(
        """(color) => {
          const pen = document.createElement('canvas').getContext('2d');
          pen.fillStyle = color;
          pen.fillRect(0, 0, 1, 1);
          return pen.getImageData(0, 0, 1, 1).data[1] > 127;
        }""",
        color,
    )


async def test_a_card_is_live_while_its_cell_runs_and_the_pad_answers(
    new_context: NewContext, server: MarimoServer, tmp_path: Path
) -> None:
    notebook = await MarimoPage.open(await new_context(), server)
    for index in range(len(CELLS)):
        await notebook.run(index)

    said = Card(notebook.output(1), 1)
    await said.running()
    await notebook.until("__tap.rendered_s() > 0.3")
    assert await notebook.is_running(1)
    await said.ended()
    assert "Paris" in await said.text()

    pad = pad_in(notebook, notebook.output(2))
    await pad.shown()
    await Card(pad.area, 1).ended()
    await notebook.forget()
    await pad.write("what is the capital of italy")
    await Card(pad.area, 2).ended()
    assert "Rome" in await Card(pad.area, 2).text()
    await notebook.until("__tap.rendered_s() > 0.3")

    # The same cell asks anew in the place of its turn, which the one after it did not know.
    await notebook.run(1)
    await expect(said.box.get_by_text("version 2 of 2")).to_be_visible(timeout=WAIT_MS)
    await expect(pad.area.get_by_role("article")).to_have_count(2)
    await expect(Card(pad.area, 2).box.get_by_text("stale")).to_be_visible(timeout=WAIT_MS)

    for scheme in ("light", "dark"):
        await notebook.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for part in (said.box, pad.area):
            # marimo hears of it some pictures later, and may draw its outputs anew.
            while await darkness(part) != (scheme == "dark"):
                await notebook.page.evaluate("new Promise(requestAnimationFrame)")
        await notebook.screenshot(tmp_path / f"{scheme}.png")
    assert notebook.complaints == []
