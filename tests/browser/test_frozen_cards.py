"""Cards of finished turns, which no widget shows: what they ask of the kernel while it is there."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from .conftest import NewContext, OpenNotebook
from .lab import WAIT_MS, NotebookPage, outputs_of
from .server import LabServer

pytestmark = pytest.mark.usefixtures("built")

SETUP = "import cellvoice as cv\nsession = cv.Session()"
# The engine's answers are short: with their tokens repeated they are too long for a card.
WEIGHED = """turn = session.say("Why is the sky blue?", logprobs=True, top_logprobs=20, n=2)
for raw in list(turn.reply.logprobs.raw) * 9:
    turn.reply.logprobs.append(raw)
turn"""
BUSY = "import time\nfor _ in range(3_000):\n    time.sleep(0.02)"


def step(card: Locator, name: str) -> Locator:
    return card.get_by_role("button", name=f"{name} version")


def marks(card: Locator) -> Locator:
    return card.locator(".cv-marks")


async def open_events(card: Locator) -> Locator:
    """Unfold the facts and what came over the wire; gives the line above the events."""
    await card.locator(".cv-facts > summary").click()
    line = card.locator(".cv-events summary").first
    await line.click()
    return line


async def test_a_finished_card_tells_what_only_the_kernel_has(open_notebook: OpenNotebook) -> None:
    """Other versions, all probabilities, raw events, another choice's sound; also of a busy kernel."""
    notebook = await open_notebook(SETUP, WEIGHED, BUSY)
    await notebook.run_to_end(0)
    await notebook.run_to_end(1)
    await notebook.run_to_end(1)
    card = notebook.output(1).get_by_role("article").last
    await expect(step(card, "earlier")).to_be_visible(timeout=WAIT_MS)
    before = outputs_of(await notebook.save(), 1)
    await notebook.page.screenshot(path="/tmp/link-1.png")
