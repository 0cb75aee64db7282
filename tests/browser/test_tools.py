"""Calls of tools on the card, decided by a person: in JupyterLab, on the embedded engine."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from .conftest import OpenNotebook
from .lab import WAIT_MS, NotebookPage, outputs_of

pytestmark = pytest.mark.usefixtures("built")

TURN = "application/vnd.cellvoice.turn.v1+json"
SETUP = '''
import cellvoice as cv
session = cv.Session()
ran = []

@session.tool(approve="ask")
def weather(city: str) -> dict:
    """Current weather in a city."""
    ran.append(city)
    return {"city": city, "degrees": 21}
'''
ASK = "turn = session.say('What is the weather in Lyon?')"


def card_of(notebook: NotebookPage, cell: int) -> Locator:
    return notebook.output(cell).get_by_role("article")


async def asking(notebook: NotebookPage) -> Locator:
    """Run both cells and wait until the card asks."""
    await notebook.run_to_end(0)
    await notebook.run(1)
    card = card_of(notebook, 1)
    await expect(card.get_by_role("button", name="Approve", exact=True)).to_be_visible(
        timeout=WAIT_MS
    )
    return card


async def test_a_call_is_approved_on_the_card_and_the_answer_speaks_of_its_result(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(SETUP, ASK)
    card = await asking(notebook)
    await expect(card).to_contain_text("Lyon")
    async with await notebook.kernel() as kernel:
        await card.get_by_role("button", name="Approve", exact=True).click()
        await notebook.ran(1)
        assert await kernel.value("(ran, turn.tool_calls[0].state)") == [["Lyon"], "done"]
        assert "21" in await kernel.value("turn.text")
    # Frozen, the card tells the call and its result, and there is nothing to press.
    await expect(card).to_contain_text("weather")
    await expect(card.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    (output,) = outputs_of(await notebook.save(), 1)
    assert [call["state"] for call in output["data"][TURN]["tool_calls"]] == ["done"]


async def test_a_call_is_rejected_with_a_reason_that_the_model_is_told(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(SETUP, ASK)
    card = await asking(notebook)
    await card.get_by_role("textbox", name="reason for rejecting").fill("not today")
    await card.get_by_role("button", name="Reject", exact=True).click()
    await notebook.ran(1)
    async with await notebook.kernel() as kernel:
        assert await kernel.value("(ran, turn.tool_calls[0].state)") == [[], "rejected"]
        assert "not today" in await kernel.value("str(turn.requests[-1].messages)")


async def test_arguments_are_edited_before_a_call_is_approved(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook(SETUP, ASK)
    card = await asking(notebook)
    await card.get_by_role("button", name="Edit").click()
    await card.get_by_role("textbox", name="arguments, as JSON").fill('{"city": "Nice"}')
    await card.get_by_role("button", name="Approve", exact=True).click()
    await notebook.ran(1)
    async with await notebook.kernel() as kernel:
        assert await kernel.value("(ran, turn.tool_calls[0].arguments)") == [
            ["Nice"],
            {"city": "Nice"},
        ]
