"""Cards of finished turns, which no widget shows: what they ask of the kernel while it is there."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from .conftest import NewContext, OpenNotebook
from .lab import WAIT_MS, NotebookPage
from .server import LabServer
from .views import Card

pytestmark = pytest.mark.usefixtures("built")

SETUP = "import cellvoice as cv\nsession = cv.Session()"
FIRST = "first = session.say('hello')"
# The engine's answers are short: with their tokens repeated they are too long for the next card.
WEIGHED = """turn = session.say("Why is the sky blue?", logprobs=True, top_logprobs=20, n=2)
for raw in list(turn.reply.logprobs.raw) * 9:
    turn.reply.logprobs.append(raw)"""
BUSY = "import time\nfor _ in range(3_000):\n    time.sleep(0.02)"


def step(card: Locator, name: str) -> Locator:
    return card.get_by_role("button", name=f"{name} version")


def marks(card: Locator) -> Locator:
    return card.locator(".cv-marks")


def chip(card: Locator) -> Locator:
    return marks(card).locator(".cv-chip").first


def card_of(notebook: NotebookPage, cell: int) -> Locator:
    return notebook.output(cell).get_by_role("article")


async def asked_twice(open_notebook: OpenNotebook, *more: str, **options: object) -> NotebookPage:
    """A notebook whose third cell was run twice, and then the one before it."""
    notebook = await open_notebook(SETUP, FIRST, WEIGHED, *more, **options)  # type: ignore[arg-type]
    for cell in (0, 1, 2, 2, 1):
        await notebook.run_to_end(cell)
    card = card_of(notebook, 2)
    await expect(marks(card)).to_contain_text("stale", timeout=WAIT_MS)
    await expect(step(card, "earlier")).to_be_visible(timeout=WAIT_MS)
    return notebook


async def open_events(card: Locator) -> Locator:
    """Unfold the facts and what came over the wire; gives the line above the events."""
    await card.locator(".cv-facts > summary").click()
    line = card.locator(".cv-events summary").first
    await line.click()
    return line


async def is_as_saved(card: Locator) -> None:
    """It asks nobody: no steps, and where the events are is said."""
    await expect(card).to_be_visible(timeout=WAIT_MS)
    await expect(step(card, "earlier")).to_have_count(0, timeout=WAIT_MS)
    await expect(chip(card)).to_have_text("version 2 of 2")
    if not await card.locator(".cv-facts").evaluate("(facts) => facts.open"):
        await card.locator(".cv-facts > summary").click()
    await expect(card.locator(".cv-facts")).to_contain_text("kept by the kernel only")
    await expect(card.locator(".cv-events")).to_have_count(0)


async def test_a_finished_card_tells_what_only_the_kernel_has(
    open_notebook: OpenNotebook, new_context: NewContext, server: LabServer
) -> None:
    """Other versions, all probabilities, what came over the wire, how another choice sounds."""
    notebook = await asked_twice(open_notebook)
    card = card_of(notebook, 2)
    assert "widgets" not in (await notebook.save())["metadata"]
    async with await notebook.kernel() as kernel:
        events = await kernel.value("len(turn.versions[0].events)")
        tokens = await kernel.value("len(turn.logprobs.tokens)")

    await card.locator(".cv-fold", has_text="Probabilities").locator("summary").click()
    await card.get_by_role("button", name="Show all").click()
    await expect(card.get_by_role("button", name="Show all")).to_have_count(0, timeout=WAIT_MS)
    await expect(card.locator(".cv-fold", has_text="Probabilities")).to_contain_text(
        f"of {tokens:,} tokens"
    )
    await card.locator(".cv-fold", has_text="1 other choice").locator("summary").click()
    await notebook.forget()
    await card.get_by_role("button", name="Play the choice 2").click()
    await notebook.until_rendered(0.3)

    await step(card, "earlier").click()
    await expect(chip(card)).to_have_text("version 1 of 2")
    line = await open_events(card)
    await expect(line).to_contain_text(f"[ {events:,} ]", timeout=WAIT_MS)
    await notebook.forget()
    await Card(notebook.output(2), 2).play()
    await notebook.until_rendered(0.3)
    # Whatever was looked at, the notebook is as it was saved.
    assert not await notebook.page.evaluate("jupyterapp.shell.currentWidget.context.model.dirty")
    await step(card, "later").click()
    await expect(chip(card)).to_have_text("version 2 of 2")

    # Another page of the same kernel finds it, too; without the kernel both show what was saved.
    other = await NotebookPage.open(await new_context(), server, notebook.path)
    also = card_of(other, 2)
    await step(also, "earlier").click()
    await expect(chip(also)).to_have_text("version 1 of 2", timeout=WAIT_MS)
    await notebook.restart_kernel()
    await is_as_saved(card)
    await is_as_saved(also)
    assert other.complaints == []
    await other.close()


async def test_a_busy_kernel_answers_the_card_of_a_cell_that_has_ended(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await asked_twice(open_notebook, BUSY)
    card = card_of(notebook, 2)
    await notebook.run(3)
    await step(card, "earlier").click()
    await expect(chip(card)).to_have_text("version 1 of 2", timeout=WAIT_MS)
    assert await notebook.is_running(3)
    await notebook.interrupt()
