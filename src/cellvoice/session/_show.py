"""A conversation in words and in HTML without script, for a console and for a cell's output."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["cell_html", "conversation_html", "marks_of", "said", "short", "table_html", "turn_line"]

_SHORT_LETTERS = 72
# As on the cards: only what JupyterLab's sanitizer keeps, right on light and on dark pages.
_TABLE = "border-collapse:collapse;font-size:13px;line-height:1.5"
_CELL = "padding:4px 14px 4px 0;text-align:left;vertical-align:top;border:none"
_MARK = (
    "padding:1px 8px;border:1px solid rgba(196,137,27,0.7);border-radius:999px;"
    "background-color:rgba(196,137,27,0.14);font-size:12px"
)


def said(turn: Turn) -> str:
    """What a person said: texts, and sound by its length."""
    return " ".join(
        part if isinstance(part, str) else f"[sound {part.duration_s:.1f} s]" for part in turn.input
    )


def marks_of(turn: Turn) -> list[str]:
    """What is to be known of a turn besides its words, each in a word or two."""
    marks = ["stale"] if turn.stale else []
    number, count = turn.version
    if count > 1:
        marks.append(f"version {number} of {count}")
    if turn.finish != "complete":
        marks.append(turn.finish or "running")
    return marks


def short(text: str, letters: int = _SHORT_LETTERS) -> str:
    """A text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[: letters - 1]}…"


def turn_line(turn: Turn) -> str:
    """A turn on one line."""
    marks = marks_of(turn)
    told = f" ({', '.join(marks)})" if marks else ""
    answer = short(turn.text or turn.reply.refusal) or "–"
    return f"{turn.number}. {short(said(turn), 40)} → {answer}{told}"


def conversation_html(turns: Iterable[Turn]) -> str:
    """The conversation as a table; where the system prompt changed, a row says so."""
    rows, system = "", None
    for turn in turns:
        told = turn._settings.system
        if told != system:
            words = f"system: {told}" if told is not None else "no system prompt from here on"
            rows += f'<tr><td style="{_CELL};opacity:0.65" colspan="4">{escape(words)}</td></tr>'
            system = told
        rows += _row(turn)
    if not rows:
        return '<div class="cellvoice-turns">No turns yet.</div>'
    return f'<div class="cellvoice-turns"><table style="{_TABLE}">{rows}</table></div>'


def _row(turn: Turn) -> str:
    marks = " ".join(f'<span style="{_MARK}">{escape(mark)}</span>' for mark in marks_of(turn))
    answer = turn.text or turn.reply.refusal
    cells = (f"{turn.number}", said(turn), answer)
    shown = "".join(cell_html(escape(words)) for words in cells)
    return f'<tr>{shown}<td style="{_CELL};white-space:nowrap">{marks}</td></tr>'


def cell_html(content: str) -> str:
    """A cell of a table; the content is HTML."""
    return f'<td style="{_CELL};white-space:pre-wrap">{content}</td>'


def table_html(kind: str, rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML."""
    lines = "".join(f"<tr>{''.join(map(cell_html, row))}</tr>" for row in rows)
    return f'<div class="cellvoice-{kind}"><table style="{_TABLE}">{lines}</table></div>'
