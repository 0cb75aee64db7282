"""A whole conversation as one page, and as Markdown: for people who have neither kernel nor key."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cellvoice.audio import Clip

from .frozen import frozen
from .html import html
from .sources import sound_source
from .text import text
from .turn_like import TurnLike
from .words import dollars, seconds

# The page brings all it needs, and what came from outside can make it fetch nothing.
_POLICY = "default-src 'none'; media-src data:; img-src data:; style-src 'unsafe-inline'"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
</head>
<body style="max-width:760px;margin:24px auto;padding:0 16px;font-family:system-ui,sans-serif">
<h1 style="font-size:22px">{title}</h1>
<p style="opacity:0.8;font-size:14px">{facts}</p>
{turns}
</body>
</html>
"""


def page(turns: Sequence[TurnLike], *, title: str) -> str:
    """The conversation as one HTML page with the sound of both sides in it; no script.

    Encoding costs about 12 ms of CPU a second of speech.
    """
    return _PAGE.format(
        policy=escape(_POLICY),
        title=escape(title),
        facts=escape(" · ".join(_facts(turns))),
        turns="\n".join(map(_turn, turns)),
    )


def markdown(turns: Sequence[TurnLike], *, title: str) -> str:
    """The conversation in words, a heading for each turn."""
    parts = [f"# {_one_line(title)}", " · ".join(_facts(turns))]
    for turn in turns:
        card = frozen(turn)
        # Indented by nothing and quoted, so that what was said makes no heading of its own.
        lines = (f"> {line}".rstrip() for line in _escaped(text(card)).splitlines())
        parts += [f"## {turn.number}. {card['asked_at']}", "  \n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _turn(turn: TurnLike) -> str:
    said = [sound_source(part) if isinstance(part, Clip) else None for part in turn.input]
    clip = turn.reply.clip
    return html(
        frozen(turn), sound_src=sound_source(clip) if clip is not None else None, said_srcs=said
    )


def _facts(turns: Sequence[TurnLike]) -> list[str]:
    spoken_s = sum(turn.reply.received_s for turn in turns)
    costs = [turn.cost_usd for turn in turns if turn.cost_usd is not None]
    facts = ["1 turn" if len(turns) == 1 else f"{len(turns)} turns"]
    if turns:
        facts.insert(0, turns[0].asked_at.strftime("%Y-%m-%d %H:%M UTC"))
        facts.append(", ".join(dict.fromkeys(turn.model for turn in turns)))
    if spoken_s:
        facts.append(f"{seconds(spoken_s)} of speech in reply")
    if costs:
        facts.append(dollars(sum(costs)))
    return facts


def _one_line(words: str) -> str:
    return _escaped(" ".join(words.split()))


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")
