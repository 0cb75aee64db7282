"""The pad in a cell: speak, hear, read."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import NEWEST, QUESTION_WORDS, OpenNotebook
from .lab import WAIT_MS
from .server import OLD_KERNELS
from .sound import Samples, correlate, correlate_heard, spoken
from .views import Card, pad_in

pytestmark = pytest.mark.usefixtures("built")

PAD = "import cellvoice as cv\nsession = cv.Session()\nsession"


@pytest.mark.parametrize("ipykernel", [NEWEST, *OLD_KERNELS])
async def test_a_spoken_question_is_heard_answered_and_written_down(
    open_notebook: OpenNotebook, question: Samples, ipykernel: str
) -> None:
    notebook = await open_notebook(PAD, ipykernel=ipykernel)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await pad.record(question)
    await pad.send()
    card = Card(pad.area, 1)
    await card.ended()
    async with await notebook.kernel() as kernel:
        sent = await kernel.samples("session.turns[0].input[0]")
        reply = await kernel.samples("session.turns[0].clip")
        text = await kernel.value("session.turns[0].text")

    assert correlate(sent, question).correlation > 0.9
    assert len(spoken(sent)) == pytest.approx(len(spoken(question)), rel=0.05)
    await expect(card.box.get_by_role("group", name="What was said")).to_contain_text(
        QUESTION_WORDS
    )

    assert "Paris" in text
    assert await card.text() == text

    await notebook.until_rendered(len(spoken(reply)) / 24_000 * 0.8)
    match = correlate_heard(await notebook.rendered(), reply)
    assert match.correlation > 0.99, match
    assert match.worst_block > 0.95, match


async def test_a_written_message_is_answered_aloud(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook(PAD)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await pad.write(QUESTION_WORDS)
    await Card(pad.area, 1).ended()
    assert "Paris" in await Card(pad.area, 1).text()
    await notebook.until_rendered(0.5)


async def test_a_discarded_recording_is_not_sent_and_another_can_be_made(
    open_notebook: OpenNotebook, question: Samples
) -> None:
    notebook = await open_notebook(PAD)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await pad.record(question)
    await pad.discard()
    await pad.record(question)
    await pad.send()
    await Card(pad.area, 1).ended()
    async with await notebook.kernel() as kernel:
        assert await kernel.value("len(session.turns)") == 1


async def test_a_reloaded_page_shows_the_conversation_again_and_goes_on(
    open_notebook: OpenNotebook, question: Samples
) -> None:
    notebook = await open_notebook(PAD)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await pad.write(QUESTION_WORDS)
    await Card(pad.area, 1).ended()
    await notebook.save()
    await pad.start()
    await notebook.until("__tap.hearing()")

    await notebook.reload()
    await pad.shown()
    await Card(pad.area, 1).ended()
    assert "Paris" in await Card(pad.area, 1).text()
    # What the page had heard when it was reloaded is there, once it is clear that it is gone.
    await expect(pad.send_button).to_be_visible(timeout=WAIT_MS)
    await pad.discard()
    await pad.record(question)
    await pad.send()
    await Card(pad.area, 2).ended()
    assert "Paris" in await Card(pad.area, 2).text()


async def test_a_turn_that_a_cell_and_the_pad_show_is_heard_once(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(PAD, f"session.say({QUESTION_WORDS!r})")
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await notebook.run_to_end(1)
    await Card(notebook.output(1), 1).ended()
    await Card(pad.area, 1).ended()
    async with await notebook.kernel() as kernel:
        reply = await kernel.samples("session.turns[0].clip")
    await notebook.until_rendered(len(spoken(reply)) / 24_000 * 0.8)
    heard = await notebook.rendered()
    assert correlate_heard(heard, reply).worst_block > 0.95
    assert len(spoken(heard)) == pytest.approx(len(spoken(reply)), rel=0.05)


async def test_holding_the_space_bar_records_and_letting_go_sends(
    open_notebook: OpenNotebook, question: Samples
) -> None:
    notebook = await open_notebook(PAD)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await pad.area.focus()
    await notebook.page.keyboard.down("Space")
    await notebook.until_spoken()
    await notebook.page.keyboard.up("Space")
    card = Card(pad.area, 1)
    await card.ended()
    async with await notebook.kernel() as kernel:
        sent = await kernel.samples("session.turns[0].input[0]")
    assert len(spoken(sent)) == pytest.approx(len(spoken(question)), rel=0.05)


async def test_after_a_restart_the_pad_can_be_read_says_who_is_silent_and_comes_back(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(PAD)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await pad.write(QUESTION_WORDS)
    await Card(pad.area, 1).ended()
    await notebook.until_rendered(0.5)

    await notebook.restart_kernel()
    await notebook.forget()
    await Card(pad.area, 1).play()
    await notebook.until_rendered(0.5)
    await pad.write("is anybody there")
    await expect(pad.area.get_by_text("kernel silent")).to_be_visible(timeout=WAIT_MS)

    await notebook.run_to_end(0)
    await pad.shown()
    await expect(pad.area.get_by_role("article")).to_have_count(0)
    await pad.write(QUESTION_WORDS)
    await Card(pad.area, 1).ended()
