"""Turns and their cells in JupyterLab itself: run again, moved, copied, split, cut and deleted."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from .conftest import OpenNotebook
from .lab import WAIT_MS, NotebookPage

pytestmark = pytest.mark.usefixtures("built")

SETUP = "import cellvoice as cv\nsession = cv.Session()"
ONE, TWO, THREE = (f"turn = session.say({word!r})" for word in ("hello", "thank you", "goodbye"))
# The engine's answers are short: with their tokens repeated they are too long for a card.
WEIGHED = """turn = session.say("Why is the sky blue?", logprobs=True, top_logprobs=20, n=2)
for raw in list(turn.reply.logprobs.raw) * 9:
    turn.reply.logprobs.append(raw)"""
ALL = [0, 1, 2, 3]


async def run(notebook: NotebookPage, *cells: int) -> None:
    for cell in cells:
        await notebook.run_to_end(cell)


async def do(notebook: NotebookPage, cell: int, command: str) -> None:
    """Choose a cell and give one of JupyterLab's own commands."""
    await notebook.page.evaluate(
        "([cell, command]) => {"
        " jupyterapp.shell.currentWidget.content.activeCellIndex = cell;"
        " return jupyterapp.commands.execute(command); }",
        [cell, command],
    )


async def asked(notebook: NotebookPage) -> list[str]:
    async with await notebook.kernel() as kernel:
        found: list[str] = await kernel.value("[turn.input[0] for turn in session.turns]")
        return found


def marks(card: Locator) -> Locator:
    return card.locator(".cv-marks")


async def test_a_cell_that_runs_again_replaces_its_turn_and_every_card_shows_what_that_means(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(SETUP, ONE, TWO, THREE, "session", "again = session.refresh()")
    await run(notebook, *ALL, 4)
    pad = notebook.output(4).get_by_role("region", name="Conversation with")
    await expect(pad.get_by_role("article")).to_have_count(3, timeout=WAIT_MS)
    await expect(pad.locator(".cv-marks")).to_have_count(0)

    await run(notebook, 1)
    assert await asked(notebook) == ["hello", "thank you", "goodbye"]
    for cell in (2, 3):
        await expect(marks(notebook.output(cell))).to_contain_text("stale", timeout=WAIT_MS)
    await expect(marks(notebook.output(1))).to_have_text("version 2 of 2")
    # The pad shows the conversation, not all that was ever asked.
    await expect(pad.get_by_role("article")).to_have_count(3)
    shown = pad.locator(".cv-turns > li")
    await expect(shown.nth(0)).to_contain_text("hello")
    await expect(marks(shown.nth(0))).to_have_text("version 2 of 2")
    await expect(marks(shown.nth(2))).to_contain_text("stale")

    await run(notebook, 5)
    await expect(pad.locator("[data-mark=stale]")).to_have_count(0, timeout=WAIT_MS)
    await expect(pad.get_by_role("article")).to_have_count(3)
    await expect(notebook.output(2).locator("[data-mark=stale]")).to_have_count(0)
    saved = await notebook.save()
    assert "widgets" not in saved["metadata"]


async def test_a_pad_tells_what_only_the_kernel_has(open_notebook: OpenNotebook) -> None:
    """Another version, all probabilities, what came over the wire, how another choice sounds."""
    notebook = await open_notebook(SETUP, WEIGHED, "session")
    await run(notebook, 0, 1, 2)
    pad = notebook.output(2).get_by_role("region", name="Conversation with")
    card = pad.get_by_role("article").first
    await run(notebook, 1)
    await expect(marks(card)).to_have_text("version 2 of 2", timeout=WAIT_MS)
    await card.get_by_role("button", name="earlier version").click()
    await expect(marks(card)).to_have_text("version 1 of 2")
    await card.locator(".cv-fold", has_text="Probabilities").locator("summary").click()
    async with await notebook.kernel() as kernel:
        tokens = await kernel.value("len(turn.versions[0].logprobs.tokens)")
        events = await kernel.value("len(turn.versions[0].events)")
    await card.get_by_role("button", name="Show all").click()
    await expect(card.get_by_role("button", name="Show all")).to_have_count(0, timeout=WAIT_MS)
    await expect(card.locator(".cv-fold", has_text="Probabilities")).to_contain_text(
        f"of {tokens:,} tokens"
    )

    await card.locator(".cv-facts > summary").click()
    wire = card.locator(".cv-events")
    await wire.locator("summary").first.click()
    await expect(wire.locator("summary").first).to_contain_text(f"[ {events:,} ]", timeout=WAIT_MS)
    await wire.get_by_role("listbox").press("End")
    await expect(wire.locator(".cv-event")).to_contain_text("[DONE]")

    await card.get_by_role("button", name="later version").click()
    await expect(marks(card)).to_have_text("version 2 of 2")
    await card.locator(".cv-fold", has_text="1 other choice").locator("summary").click()
    await notebook.forget()
    await card.get_by_role("button", name="Play the choice 2").click()
    await notebook.until_rendered(0.3)


async def test_run_all_twice_leaves_the_conversation_of_once(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook(SETUP, ONE, TWO, THREE)
    await run(notebook, 0)
    for _ in range(2):
        await notebook.page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
        await notebook.ran(3)
        await notebook.kernel_ready()
    # The first cell makes a new session at each run, and so begins a new conversation.
    assert await asked(notebook) == ["hello", "thank you", "goodbye"]
    await run(notebook, 1, 2, 3)
    assert await asked(notebook) == ["hello", "thank you", "goodbye"]


async def test_cells_that_are_moved_copied_split_cut_and_deleted(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(SETUP, f"{ONE}\n{TWO}", THREE, "pass")
    await run(notebook, 0, 1, 2)
    await do(notebook, 1, "notebook:move-cell-down")
    await run(notebook, 2, 1)
    assert await asked(notebook) == ["hello", "thank you", "goodbye"]

    await do(notebook, 1, "notebook:copy-cell")
    await do(notebook, 1, "notebook:paste-cell-below")
    await run(notebook, 2)
    assert await asked(notebook) == ["hello", "thank you", "goodbye", "goodbye"]

    await do(notebook, 2, "notebook:delete-cell")
    await run(notebook, 3)
    assert await asked(notebook) == ["hello", "thank you", "goodbye"]

    await do(notebook, 2, "notebook:enter-edit-mode")
    await notebook.page.evaluate(
        "jupyterapp.shell.currentWidget.content.activeCell.editor"
        ".setCursorPosition({ line: 1, column: 0 })"
    )
    await do(notebook, 2, "notebook:split-cell-at-cursor")
    # The lower half has the id, and with it the places; it asks less, so one of them goes.
    await run(notebook, 2, 3)
    assert await asked(notebook) == ["thank you", "goodbye", "hello"]

    await do(notebook, 1, "notebook:cut-cell")
    await run(notebook, 3)
    assert await asked(notebook) == ["thank you", "hello"]
    await do(notebook, 1, "notebook:paste-cell-below")
    await run(notebook, 2)
    assert "goodbye" in await asked(notebook)
