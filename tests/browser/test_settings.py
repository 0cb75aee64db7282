"""The pad's settings panel: what a person sets is what the next turn is asked with."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from .conftest import QUESTION_WORDS, OpenNotebook
from .lab import WAIT_MS
from .views import Card, Recorder, pad_in

pytestmark = pytest.mark.usefixtures("built")

PAD = "import cellvoice as cv\nsession = cv.Session()\nsession"


def settings_button(pad: Recorder) -> Locator:
    return pad.area.get_by_role("button", name=re.compile("^Settings"))


def row(pad: Recorder, name: str) -> Locator:
    return pad.area.locator(f"[data-name={name}]")


async def test_what_is_set_in_the_panel_is_asked_and_what_does_not_fit_is_refused_at_its_row(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(PAD)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await settings_button(pad).click()

    temperature = pad.area.get_by_label("temperature", exact=True)
    await temperature.fill("3")
    await temperature.press("Enter")
    complaint = row(pad, "temperature").get_by_role("alert")
    await expect(complaint).to_contain_text("expected a number in 0…2", timeout=WAIT_MS)
    await expect(temperature).to_have_value("3")

    await temperature.fill("0.9")
    await temperature.press("Tab")
    await expect(complaint).to_have_count(0, timeout=WAIT_MS)
    await pad.area.get_by_label("stop 1", exact=True).fill("END")
    await pad.area.get_by_label("stop 1", exact=True).press("Enter")
    await pad.area.get_by_label("stop 2", exact=True).fill(r"a\n")
    await pad.area.get_by_label("stop 2", exact=True).press("Tab")
    await expect(settings_button(pad)).to_contain_text("2", timeout=WAIT_MS)
    await pad.area.get_by_label("stop 1", exact=True).press("Escape")
    await expect(settings_button(pad)).to_be_focused()

    await pad.write(QUESTION_WORDS)
    await Card(pad.area, 1).ended()
    async with await notebook.kernel() as kernel:
        params = await kernel.value("dict(session.turns[0].request.params)")
    assert (params["temperature"], params["stop"]) == (0.9, ["END", "a\n"])


async def test_no_key_of_the_panel_is_taken_for_a_command_of_the_notebook(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(PAD, "1 + 1")
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await settings_button(pad).press("Enter")
    logprobs = pad.area.get_by_role("switch", name="logprobs")
    await logprobs.focus()
    # In command mode these would delete the cell, insert two, and record nothing.
    for key in ("d", "d", "a", "b", "x", "Space"):
        await notebook.page.keyboard.press(key)
    await expect(logprobs).to_be_checked(timeout=WAIT_MS)
    await expect(notebook.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)
    await expect(pad.area.get_by_role("button", name="Record", exact=True)).to_be_visible()

    await pad.area.get_by_role("button", name="Unset logprobs").press("Enter")
    await expect(settings_button(pad)).to_have_text("Settings", timeout=WAIT_MS)
    async with await notebook.kernel() as kernel:
        assert await kernel.value("dict(session.parameters)") == {}


async def test_a_setting_outlives_the_page_and_stands_in_the_saved_notebook(
    open_notebook: OpenNotebook,
) -> None:
    notebook = await open_notebook(PAD)
    await notebook.run_to_end(0)
    pad = pad_in(notebook, notebook.output(0))
    await pad.shown()
    await settings_button(pad).click()
    await pad.area.get_by_label("voice", exact=True).select_option("marin")
    await expect(pad.area.get_by_role("heading")).to_have_text(
        "cellvoice-engine-1 marin", timeout=WAIT_MS
    )
    await notebook.save()

    await notebook.reload()
    await pad.shown()
    await settings_button(pad).click()
    await expect(pad.area.get_by_label("voice", exact=True)).to_have_value("marin")
