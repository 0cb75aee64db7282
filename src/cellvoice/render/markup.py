"""What every part of the static card is written with: outside text made harmless, and folds."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

__all__ = ["FOLD", "attribute", "fold", "json_block", "name", "pre", "shown", "visible"]

# Nobody reads more of a card without its kernel, and a megabyte in one line stops a browser.
_MOST_LETTERS: Final = 20_000
# Letters of JSON that are not worth a line for each member.
_ONE_LINE: Final = 60
FOLD: Final = "margin-top:6px;font-size:12px;line-height:1.5"
_PRE: Final = (
    "margin:4px 0;padding:6px 8px;border-radius:6px;background-color:rgba(128,128,128,0.1);"
    "font-size:12px;white-space:pre-wrap;overflow-wrap:break-word;max-height:320px;overflow:auto"
)
# A terminal's commands are no text: shown as the signs that stand for them. Tab and line end are.
_CONTROLS: Final = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


def visible(text: str) -> str:
    """The text with control characters as visible signs: ESC is ␛."""
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def shown(text: str) -> str:
    """Text from outside as the content of an element; of a very long one the beginning.

    The element has `dir="auto"` or is a `bdi`, so that a change of writing direction inside ends
    with it.
    """
    if len(text) > _MOST_LETTERS:
        text = f"{text[:_MOST_LETTERS]}… ({len(text) - _MOST_LETTERS:,} more letters)"
    return escape(visible(text), quote=False)


def name(text: str) -> str:
    """A name from outside in the middle of our own words."""
    return f"<bdi>{shown(text)}</bdi>"


def attribute(text: str) -> str:
    """Text from outside as the value of an attribute."""
    return escape(visible(text[:_MOST_LETTERS]))


def fold(summary: str, content: str) -> str:
    """What opens on a click; both are HTML."""
    return f'<details style="{FOLD}"><summary>{summary}</summary>{content}</details>'


def pre(text: str) -> str:
    """Outside text in its own lines."""
    return f'<pre dir="auto" style="{_PRE}">{shown(text)}</pre>'


def json_block(value: Any) -> str:
    """JSON to read: in one line where it is short."""
    short = json.dumps(value, ensure_ascii=False)
    return pre(
        short if len(short) <= _ONE_LINE else json.dumps(value, ensure_ascii=False, indent=1)
    )
