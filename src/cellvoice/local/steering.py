"""What a system message can honestly change: the length, the greeting's language, yes or no."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .messages import Message

__all__ = ["Style", "first_sentence", "style_of", "without_order"]

_SHORT = re.compile(
    r"(?<!not )\b(?:short|shortly|brief|briefly|concise|concisely|terse|one sentence)\b"
)
_LONG = re.compile(
    r"(?<!not )\b(?:long|detail|detailed|details|thorough|thoroughly|in depth|elaborate)\b"
)
_YES_NO = re.compile(r"\b(?:only|just|answer|reply|respond)\b[^.!?]{0,40}\byes\b[^.!?]{0,12}\bno\b")
_ORDER = re.compile(
    r"[\s,;:]*\b(?:(?:please|answer|reply|respond|only|just|with|a)\s+)+yes or no\b[\s:.,!]*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Style:
    """`length` is "short", "long" or ""; `language` is that of a greeting, "" for English."""

    length: str = ""
    language: str = ""
    yes_or_no: bool = False


def style_of(messages: Sequence[Message], question: str, languages: Collection[str]) -> Style:
    """The style that the system and developer messages ask for; of two the later one counts."""
    length = language = ""
    yes_or_no = bool(_YES_NO.search(question.lower()))
    for message in messages:
        if message.role not in ("system", "developer"):
            continue
        text = message.text().lower()
        if _LONG.search(text):
            length = "long"
        if _SHORT.search(text):
            length = "short"
        named = [name for name in languages if re.search(rf"\b{re.escape(name)}\b", text)]
        language = named[0] if named else language
        yes_or_no = yes_or_no or bool(_YES_NO.search(text))
    return Style(length, language, yes_or_no)


def without_order(question: str) -> str:
    """A question without the words that ask for yes or no."""
    return _ORDER.sub(" ", question).strip()


def first_sentence(text: str) -> str:
    """The first sentence of an answer."""
    match = _SENTENCE.match(text)
    return match[0] if match else text
