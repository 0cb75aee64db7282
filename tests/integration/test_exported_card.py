"""What `nbconvert --to html` and `--to markdown` make of a notebook with a card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter

from cellvoice.render import TURN_MIME, html, text

CARD = json.loads(
    (Path(__file__).parents[1] / "contract/turn.v1.full.json").read_text(encoding="utf-8")
)
SOUND = "data:audio/mpeg;base64,AAAA"


@pytest.fixture
def notebook() -> Any:
    """A saved notebook whose only cell shows a turn."""
    data = {TURN_MIME: CARD, "text/html": html(CARD, sound_src=SOUND), "text/plain": text(CARD)}
    output = nbformat.v4.new_output("display_data", data)
    cell = nbformat.v4.new_code_cell("session.say('…')", outputs=[output])
    made = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(made)
    return made


def test_a_page_has_the_card_with_its_sound(notebook: Any) -> None:
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "cellvoice-turn" in page
    assert CARD["reply"]["text"] in page
    for part in ("probabilities of 9 tokens", "4 tool calls", "⟨wav 4.2 s⟩", "<summary>"):
        assert part in page
    assert f'src="{SOUND}"' in page and "<audio" in page
    assert "data:image/svg+xml" in page
    assert TURN_MIME not in page


def test_a_document_in_markdown_has_the_words(notebook: Any) -> None:
    page, _ = MarkdownExporter().from_notebook_node(notebook)
    assert CARD["reply"]["text"] in page
