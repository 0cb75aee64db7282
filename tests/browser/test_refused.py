"""No microphone: one sentence, one action, and a file does as well."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Playwright, expect

from .conftest import QUESTION, QUESTION_WORDS, NewContext, OpenNotebook, launch
from .lab import TAP
from .sound import Samples, correlate
from .views import Card, Recorder, pad_in

pytestmark = pytest.mark.usefixtures("built")

PAD = "import cellvoice as cv\nsession = cv.Session()\nsession"


async def _refused(pad: Recorder) -> str:
    await pad.shown()
    await pad.area.get_by_role("button", name="Record", exact=True).click()
    alert = pad.area.get_by_role("alert")
    await expect(alert).to_be_visible()
    return await alert.locator("p").inner_text()


async def test_a_denied_microphone_is_explained_and_a_file_is_heard_instead(
    open_notebook: OpenNotebook, new_context: NewContext, question: Samples
) -> None:
    notebook = await open_notebook(PAD, context=await new_context(microphone=False))
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    words = await _refused(pad)
    assert re.search("microphone", words)
    assert len(re.findall(r"[.!?](?:\s|$)", words)) == 2, f"one sentence and one action: {words}"

    await pad.upload(QUESTION)
    await pad.send()
    card = Card(pad.area, 1)
    await card.ended()
    await expect(card.box.get_by_role("group", name="What was said")).to_contain_text(
        QUESTION_WORDS
    )
    async with await notebook.kernel() as kernel:
        sent = await kernel.samples("session.turns[0].input[0]")
    assert correlate(sent, question).correlation > 0.99


async def test_a_machine_without_a_microphone_is_told_apart_from_a_denied_one(
    open_notebook: OpenNotebook, playwright: Playwright
) -> None:
    bare = await launch(playwright, without=("--use-fake-device", "--use-file-for-fake"))
    try:
        context = await bare.new_context(viewport={"width": 1200, "height": 900})
        await context.grant_permissions(["microphone"])
        await context.add_init_script(path=TAP)
        notebook = await open_notebook(PAD, context=context)
        await notebook.run_to_end(0)
        words = await _refused(pad_in(notebook, notebook.output(0)))
        assert re.search("no microphone", words, re.IGNORECASE), words
    finally:
        await bare.close()
