"""A saved notebook plays and reads without the kernel that made it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from .conftest import NEWEST, QUESTION_WORDS, NewContext
from .lab import TAP, WAIT_MS, NotebookPage, SoundPage, mime_types, untrusted_copy
from .server import LabServer, kernel_name
from .sound import Samples, correlate, spoken
from .views import Card, pad_in

pytestmark = pytest.mark.usefixtures("built")

PATH = "saved.ipynb"
CELLS = [
    "import cellvoice as cv\nsession = cv.Session()",
    f"session.say({QUESTION_WORDS!r})",
    "session",
]
DEAD = re.compile("model not found|Loading widget|Error displaying widget", re.IGNORECASE)
WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True, slots=True)
class Saved:
    """What was said before the kernel was shut down: a turn in a cell, another in the pad."""

    texts: tuple[str, str]
    sounds: tuple[Samples, Samples]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def saved(built: None, server: LabServer, browser: Browser) -> AsyncIterator[Saved]:
    """A notebook with a card and a pad, saved; its kernel is gone and its page closed."""
    context = await browser.new_context(viewport={"width": 1200, "height": 900})
    await context.add_init_script(path=TAP)
    server.write_notebook(PATH, CELLS, kernel_name(NEWEST))
    notebook = await NotebookPage.open(context, server, PATH)
    await notebook.kernel_ready()
    for index in range(3):
        await notebook.run_to_end(index)
    pad = pad_in(notebook, notebook.output(2))
    await pad.shown()
    await pad.write("why is the sky blue")
    await Card(pad.area, 2).ended()
    async with await notebook.kernel() as kernel:
        texts = [await kernel.value(f"session.turns[{n}].text") for n in (0, 1)]
        sounds = [await kernel.samples(f"session.turns[{n}].clip") for n in (0, 1)]
    file = await notebook.save()
    assert WIDGET not in mime_types(file)
    await notebook.close()
    await context.close()
    await server.shut_down_kernel(PATH)
    yield Saved((texts[0], texts[1]), (sounds[0], sounds[1]))


async def _plays_and_reads(page: SoundPage, card: Card, text: str, sound: Samples) -> None:
    await expect(card.box).to_be_visible(timeout=WAIT_MS)
    assert await card.text() == text
    await page.forget()
    await card.play()
    await page.until_rendered(len(spoken(sound)) / 24_000 * 0.8)
    _same_sound(await page.rendered(), sound)


def _same_sound(heard: Samples, sound: Samples) -> None:
    match = correlate(heard, sound)
    assert match.correlation > 0.9, match
    assert len(spoken(heard)) == pytest.approx(len(spoken(sound)), rel=0.05)


async def _nothing_dead(area: Locator) -> None:
    await expect(area.get_by_text(DEAD)).to_have_count(0)


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
async def test_reopened_without_its_kernel_it_plays_and_reads(
    saved: Saved, server: LabServer, new_context: NewContext, trusted: bool
) -> None:
    path = PATH if trusted else "copy.ipynb"
    if not trusted:
        untrusted_copy(server, PATH, path)
    notebook = await NotebookPage.open(await new_context(), server, path)
    assert await notebook.is_trusted() is trusted
    await _plays_and_reads(notebook, Card(notebook.output(1), 1), saved.texts[0], saved.sounds[0])
    pad = notebook.output(2)
    await _plays_and_reads(notebook, Card(pad, 2), saved.texts[1], saved.sounds[1])
    # The kernel that it has now never heard of these turns.
    await notebook.kernel_ready()
    facts = notebook.output(1).locator(".cv-facts")
    await facts.locator("summary").click()
    await expect(facts).to_contain_text("kept by the kernel only")
    await _nothing_dead(notebook.page.locator(".jp-Notebook"))
    assert notebook.complaints == []
    await notebook.close()
    await server.shut_down_kernel(path)


async def test_saving_a_reopened_notebook_loses_nothing(
    saved: Saved, server: LabServer, new_context: NewContext
) -> None:
    path = "again.ipynb"
    untrusted_copy(server, PATH, path)
    before = server.read_notebook(path)
    notebook = await NotebookPage.open(await new_context(), server, path)
    await expect(Card(notebook.output(1), 1).box).to_be_visible(timeout=WAIT_MS)
    await notebook.kernel_ready()
    await notebook.append_to_cell(0, "  # looked at")
    after = await notebook.save()
    assert after["cells"][0]["source"] != before["cells"][0]["source"]
    assert after["cells"][1]["outputs"] == before["cells"][1]["outputs"]
    assert after["cells"][2]["outputs"] == before["cells"][2]["outputs"]
    await server.shut_down_kernel(path)


async def test_exported_to_html_it_plays_and_reads_with_no_server(
    saved: Saved, server: LabServer, new_context: NewContext
) -> None:
    html = server.folders.root / "saved.html"
    nbconvert = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nbconvert", "--to", "html"),
        str(server.folders.root / PATH),
        stderr=asyncio.subprocess.PIPE,
    )
    _, log = await nbconvert.communicate()
    assert html.exists(), log.decode()

    context = await new_context()
    await context.route(re.compile("^https?:"), lambda route: route.abort())
    page = SoundPage(await context.new_page())
    await page.page.goto(html.as_uri(), wait_until="domcontentloaded")
    for index, (text, sound) in enumerate(zip(saved.texts, saved.sounds, strict=True)):
        output = page.page.locator(".jp-CodeCell").nth(index + 1)
        await expect(output).to_contain_text(text)
        await page.forget()
        audio = output.locator("audio").nth(index)
        await page.until("__tap.ready()")
        await audio.focus()
        await page.page.keyboard.press("Space")
        await page.until_rendered(len(spoken(sound)) / 24_000 * 0.8)
        _same_sound(await page.rendered(), sound)
    await _nothing_dead(page.page.locator("body"))
