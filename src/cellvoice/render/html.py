"""A turn as HTML without script: what is shown where our JavaScript is not, now and in ten years.

It must survive JupyterLab's sanitizer in an untrusted notebook: no style or script
element, no svg element, no data attributes; inline styles from its list only. That list knows no
`currentColor`, so text keeps the page's colour, quiet text is made by opacity and lines are greys
that are half transparent: right on light and on dark pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import zip_longest
from urllib.parse import unquote

from cellvoice.audio import waveform_data_uri

from .card import Card, SoundInput, TextInput
from .html_choices import choices_html
from .html_facts import facts_html
from .html_probabilities import probabilities_html
from .html_tools import object_html, tools_html
from .markup import attribute, name, shown
from .words import as_sentence, mark_words, note_sentences, seconds

_FRAME = (
    "box-sizing:border-box;max-width:720px;margin:4px 0;padding:14px 16px;"
    "border:1px solid rgba(128,128,128,0.3);border-radius:12px;font-size:14px;line-height:1.5;"
    "overflow-wrap:break-word"
)
_LABEL = "font-size:12px;font-weight:600;opacity:0.65"
_SAID = (
    "margin:2px 0 12px 0;padding:8px 12px;border-radius:8px;"
    "background-color:rgba(128,128,128,0.1);white-space:pre-wrap;overflow-wrap:break-word"
)
_ANSWER = "margin:2px 0 8px 0;white-space:pre-wrap;overflow-wrap:break-word"
_BADGE = (
    "display:inline-block;box-sizing:border-box;max-width:100%;padding:1px 9px;"
    "border:1px solid rgba(196,137,27,0.7);"
    "border-radius:999px;background-color:rgba(196,137,27,0.14);font-size:12px;font-weight:600"
)
_CHIPS = "display:flex;flex-wrap:wrap;gap:8px;align-items:center;min-width:0;max-width:100%"
_NOTE = (
    "margin:8px 0;padding:6px 12px;border-left:3px solid rgba(196,137,27,0.8);"
    "background-color:rgba(196,137,27,0.1);font-size:14px;line-height:1.5;overflow-wrap:break-word"
)
# Two middle tones that have contrast on white and on near-black.
_MINE = "#8a9099"
_THEIRS = "#4c86d8"


def html(card: Card, *, sound_src: str | None = None, said_srcs: Sequence[str | None] = ()) -> str:
    """The card as one `div`; `sound_src` is the data URL or file that its player plays.

    `said_srcs` are those of the parts of the question, in their order; text has None.
    """
    said = (
        _part(part, src)
        for part, src in zip_longest(card["input"], said_srcs[: len(card["input"])])
    )
    parts = [
        f'<div class="cellvoice-turn" style="{_FRAME}">',
        _header(card),
        f'<div style="{_SAID}">{"".join(said)}</div>',
        _answer(card),
        _player(card, sound_src),
        _notes(card),
        object_html(card),
        probabilities_html(card),
        tools_html(card),
        choices_html(card),
        facts_html(card),
        "</div>",
    ]
    return "".join(parts)


def sentence_html(sentence: str) -> str:
    """One sentence to the user, framed like a card's notes."""
    words = shown(as_sentence(sentence))
    return f'<div class="cellvoice-note" dir="auto" style="max-width:720px;{_NOTE}">{words}</div>'


def conversation_html(cards: list[str], *, badge: str, sentence: str) -> str:
    """The pad without a kernel: the conversation so far, and one sentence about how to talk."""
    # Each card has the badge already.
    head = f'<span style="{_BADGE}">{name(badge)}</span>' if badge and not cards else ""
    return (
        f'<div class="cellvoice-pad" style="max-width:720px">{head}{"".join(cards)}'
        f'<div dir="auto" style="{_NOTE}">{shown(sentence)}</div></div>'
    )


def _header(card: Card) -> str:
    badge = (
        f'<span style="{_BADGE}">{name(card["engine"]["badge"])}</span>' if card["engine"] else ""
    )
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:8px;align-items:center;'
        'justify-content:space-between;margin:0 0 6px 0">'
        f'<span style="{_LABEL}">You</span>'
        f'<span style="{_CHIPS}">{_marks(card)}{badge}</span></div>'
    )


def _marks(card: Card) -> str:
    return "".join(f'<span style="{_LABEL}">{escape(mark)}</span>' for mark in mark_words(card))


def _part(part: TextInput | SoundInput, src: str | None) -> str:
    if part["kind"] == "text":
        return f'<div dir="auto">{shown(part["text"])}</div>'
    length = seconds(part["duration_s"])
    heard = (
        f'<div dir="auto" style="opacity:0.75">heard: “{shown(part["heard"])}”</div>'
        if part["heard"]
        else ""
    )
    # Half as wide as the reply's, with half as many bars.
    pairs = list(map(max, part["peaks"][::2], part["peaks"][1::2])) or part["peaks"]
    picture = _waveform(pairs, 240, 28, _MINE, f"Waveform of {length} of speech")
    player = _audio(src) if src is not None else ""
    return f'<div>{picture} <span style="opacity:0.65">{length}</span></div>{heard}{player}'


def _answer(card: Card) -> str:
    answer = card["reply"]["refusal"] or card["reply"]["text"]
    if not answer:
        return ""
    who = shown(card["voice"] or card["model"])
    return (
        f'<div dir="auto" style="{_LABEL}">{who}</div>'
        f'<div dir="auto" style="{_ANSWER}">{shown(answer)}</div>'
    )


def _player(card: Card, sound_src: str | None) -> str:
    sound = card["reply"]["sound"]
    if sound is None or sound_src is None:
        return ""
    label = f"Waveform of {seconds(sound['duration_s'])} of the reply"
    picture = _waveform(sound["peaks"], 480, 36, _THEIRS, label)
    player = _audio(sound_src)
    link = ""
    if sound["href"] is not None:
        link = (
            f'<div style="font-size:12px;opacity:0.75">The sound is beside the notebook: '
            f'<a href="{attribute(sound["href"])}">{name(unquote(sound["href"]))}</a></div>'
        )
    return f"<div>{picture}</div>{player}{link}"


def _audio(src: str) -> str:
    return (
        f'<audio controls preload="metadata" src="{escape(src)}" '
        'style="display:block;width:100%;height:40px;margin-top:6px"></audio>'
    )


def _waveform(peaks: list[float], width_px: int, height_px: int, color: str, label: str) -> str:
    uri = waveform_data_uri(peaks, width_px, height_px, color)
    return (
        f'<img src="{escape(uri)}" alt="{escape(label)}" width="{width_px}" height="{height_px}" '
        'style="max-width:100%;vertical-align:middle;margin:0">'
    )


def _notes(card: Card) -> str:
    sentences = note_sentences(card)
    return "".join(
        f'<div dir="auto" style="{_NOTE}">{shown(sentence)}</div>' for sentence in sentences
    )
