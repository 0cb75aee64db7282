"""A turn in a file of its own opens in JupyterLab as its card, with its sound."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from .conftest import QUESTION, NewContext
from .lab import WAIT_MS, SoundPage
from .server import ROOT, TOKEN, LabServer
from .sound import correlate, read_wav, spoken
from .views import Card

pytestmark = pytest.mark.usefixtures("built")


def _write(path: Path) -> str:
    """The example of the contract, with the shipped question as its sound; gives its text."""
    form = json.loads((ROOT / "tests/contract/turn.v1.full.json").read_text("utf-8"))
    sound = base64.b64encode(QUESTION.read_bytes()).decode()
    form["sound"] = f"data:audio/wav;base64,{sound}"
    form["reply"]["sound"] |= {"duration_s": read_wav(QUESTION).size / 24_000, "mime": "audio/wav"}
    path.write_text(json.dumps(form), "utf-8")
    text: str = form["reply"]["text"]
    return text


async def test_a_turn_file_opens_as_its_card_and_plays(
    server: LabServer, new_context: NewContext
) -> None:
    text = _write(server.folders.root / "warm.turn.json")
    context = await new_context()
    page = SoundPage(await context.new_page())
    await page.page.goto(f"{server.url}/lab/tree/warm.turn.json?token={TOKEN}")
    card = Card(page.page.locator(".jp-MimeDocument"), 2)
    await expect(card.box).to_be_visible(timeout=WAIT_MS)
    assert await card.text() == text

    await card.play()
    question = read_wav(QUESTION)
    await page.until_rendered(len(spoken(question)) / 24_000 * 0.8)
    assert correlate(await page.rendered(), question).correlation > 0.9
    await page.page.close()
