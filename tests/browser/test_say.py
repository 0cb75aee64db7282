"""`session.say()` in a cell: live while it runs, frozen when it is done, stopped when asked."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import QUESTION_WORDS, OpenNotebook
from .lab import mime_types, outputs_of
from .sound import correlate_heard
from .views import Card

pytestmark = pytest.mark.usefixtures("built")

SESSION = "import cellvoice as cv\nsession = cv.Session()"
TURN = "application/vnd.cellvoice.turn.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
LONG_QUESTION = "why is the sky blue"


async def test_a_reply_is_live_while_it_runs_and_frozen_afterwards(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(SESSION, f"session.say({LONG_QUESTION!r})", realtime=True)
    await notebook.run_to_end(0)
    await notebook.run(1)
    card = Card(notebook.output(1), 1)
    await card.running()
    await notebook.until("__tap.rendered_s() > 0.3")
    # The word that is spoken lights up while the reply still comes.
    await expect(notebook.output(1).locator("[data-state=running] .cv-lit")).to_have_count(1)
    assert await notebook.is_running(1)
    await notebook.ran(1)
    await card.ended()

    async with await notebook.kernel() as kernel:
        reply = await kernel.samples("session.turns[0].clip")
        text = await kernel.value("session.turns[0].text")
    await notebook.until_rendered(len(reply) / 24_000 * 0.7)
    match = correlate_heard(await notebook.rendered(), reply)
    assert match.worst_block > 0.95, match

    # The Turn is the cell's value and is shown once all the same.
    await expect(notebook.output(1).get_by_role("article")).to_have_count(1)
    saved = await notebook.save()
    assert WIDGET not in mime_types(saved)
    assert "widgets" not in saved["metadata"]
    (output,) = outputs_of(saved, 1)
    assert {TURN, "text/html", "text/plain"} <= output["data"].keys()
    assert text in "".join(output["data"]["text/plain"])


async def test_the_stop_button_of_a_card_keeps_what_was_heard(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook(SESSION, f"turn = session.say({LONG_QUESTION!r})", realtime=True)
    await notebook.run_to_end(0)
    await notebook.run(1)
    card = Card(notebook.output(1), 1)
    await card.running()
    await notebook.until("__tap.rendered_s() > 0.5")
    await card.stop()
    await notebook.ran(1)
    await card.ended("stopped")
    async with await notebook.kernel() as kernel:
        assert await kernel.value("turn.finish") == "stopped"
        assert 0.3 < await kernel.value("turn.clip.duration_s") < 4
        assert await kernel.value("turn.text")


async def test_the_interrupt_button_stops_a_reply_and_keeps_what_was_heard(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(SESSION, f"session.say({LONG_QUESTION!r})", realtime=True)
    await notebook.run_to_end(0)
    await notebook.run(1)
    await Card(notebook.output(1), 1).running()
    await notebook.until("__tap.rendered_s() > 0.5")
    await notebook.interrupt()
    await notebook.ran(1)
    await Card(notebook.output(1), 1).ended("stopped")
    async with await notebook.kernel() as kernel:
        assert await kernel.value("session.turns[0].finish") == "stopped"
        assert 0.3 < await kernel.value("session.turns[0].clip.duration_s") < 4


async def test_two_turns_in_one_cell_give_two_cards_in_order(open_notebook: OpenNotebook) -> None:
    code = f"for word in ({QUESTION_WORDS!r}, {LONG_QUESTION!r}):\n    session.say(word)"
    notebook = await open_notebook(SESSION, code)
    await notebook.run_to_end(0)
    await notebook.run_to_end(1)
    await Card(notebook.output(1), 1).ended()
    await Card(notebook.output(1), 2).ended()
    await expect(notebook.output(1).get_by_role("article")).to_have_count(2)
