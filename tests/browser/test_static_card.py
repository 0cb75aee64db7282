"""The card that needs no script, as a browser shows it: under a strict policy, narrow, hostile."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from cellvoice.audio import Clip
from cellvoice.render import html

CARD = json.loads(
    (Path(__file__).parents[1] / "contract/turn.v1.full.json").read_text(encoding="utf-8")
)
ADDRESS = "http://card.test/"
PICTURES_AND_SOUND = "default-src 'none'; img-src data:; media-src data:"
# No script, no style element; the style attributes that a card has are let through …
NO_ELEMENTS = f"{PICTURES_AND_SOUND}; style-src-elem 'none'; style-src-attr 'unsafe-inline'"
HOSTILE = "</pre></details></div><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b[2J"


def with_text(card: Any, text: str) -> Any:
    """The card with this text in the place of every text from outside."""
    if isinstance(card, dict):
        kept = ("kind", "state", "asked_at", "mime", "href", "version", "result_html")
        return {
            key: value if key in kept else with_text(value, text) for key, value in card.items()
        }
    if isinstance(card, list):
        return [with_text(value, text) for value in card]
    return text if isinstance(card, str) else card


def sound() -> str:
    hum = 0.3 * np.sin(np.arange(24_000) * 0.05)
    data = Clip.from_array(hum, 24_000).to_bytes("mp3")
    return f"data:audio/mpeg;base64,{b64encode(data).decode()}"


class Sheet:
    """A page with one card and nothing else."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def show(self, card: Any, policy: str) -> None:
        content = html(card, sound_src=sound())
        body = (
            "<!doctype html><meta charset=utf-8>"
            f'<meta name=viewport content="width=device-width"><body>{content}'
        )

        async def answer(route: Route) -> None:
            headers = {"content-type": "text/html", "content-security-policy": policy}
            await route.fulfill(body=body, headers=headers)

        await self.page.route(ADDRESS, answer)
        await self.page.goto(ADDRESS)

    async def open_all(self) -> None:
        """As a reader who clicks on everything."""
        folds = self.page.locator("summary")
        for place in range(await folds.count()):
            await folds.nth(place).click()


@pytest_asyncio.fixture(loop_scope="session")
async def sheet(browser: Browser) -> AsyncIterator[Sheet]:
    context = await browser.new_context(viewport={"width": 760, "height": 900})
    yield Sheet(await context.new_page())
    await context.close()


async def test_a_strict_policy_takes_nothing_away(sheet: Sheet) -> None:
    await sheet.show(CARD, NO_ELEMENTS)
    await sheet.open_all()
    assert sheet.complaints == []
    widths = "images => images.map(image => image.naturalWidth)"
    assert all(await sheet.page.locator("img").evaluate_all(widths))
    player = sheet.page.locator("audio")
    await expect(player).to_be_visible()
    await sheet.page.wait_for_function("document.querySelector('audio').duration > 0.9")
    await expect(sheet.page.get_by_text('"city": "Zürich"').first).to_be_visible()
    await expect(sheet.page.get_by_text("⟨wav 4.2 s⟩")).to_be_visible()


async def test_without_any_style_all_of_it_can_be_read(sheet: Sheet) -> None:
    await sheet.show(CARD, PICTURES_AND_SOUND)
    await sheet.open_all()
    for words in (
        CARD["reply"]["text"],
        "embedded engine, not gpt-audio",
        "probabilities of 9 tokens",
        "4 tool calls",
        "rejected: not today",
        "fp_local_1",
    ):
        await expect(sheet.page.get_by_text(words).first).to_be_visible()


@pytest.mark.parametrize("width_px", [360, 760])
async def test_a_megabyte_without_a_space_stays_inside_the_card(
    sheet: Sheet, width_px: int
) -> None:
    await sheet.page.set_viewport_size({"width": width_px, "height": 900})
    await sheet.show(with_text(copy.deepcopy(CARD), "x" * 1_000_000), NO_ELEMENTS)
    await sheet.open_all()
    assert await sheet.page.evaluate("document.scrollingElement.scrollWidth") <= width_px


@pytest.mark.parametrize("width_px", [360, 760])
async def test_everything_open_fits_a_narrow_and_a_wide_page(sheet: Sheet, width_px: int) -> None:
    await sheet.page.set_viewport_size({"width": width_px, "height": 900})
    await sheet.show(CARD, NO_ELEMENTS)
    await sheet.open_all()
    assert await sheet.page.evaluate("document.scrollingElement.scrollWidth") <= width_px


async def test_markup_and_commands_are_text_where_nothing_is_forbidden(sheet: Sheet) -> None:
    dialogs: list[str] = []
    sheet.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await sheet.show(with_text(copy.deepcopy(CARD), HOSTILE), "default-src * 'unsafe-inline' data:")
    await sheet.open_all()
    assert dialogs == []
    assert await sheet.page.locator("script, img[src=x]").count() == 0
    # The card is still one card: nothing has closed it.
    inside = "document.body.children.length"
    assert await sheet.page.evaluate(inside) == 1
