"""Values that a text may have for a key: copied, never understood."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .hints import Hint
from .numerals import Numeral, numerals
from .words import content_words, plain_words, stem, word_set

__all__ = ["Source", "values_for"]

_FREE = word_set(
    "answer reply response message text content explanation summary description reason reasoning",
    "sentence result output note comment",
)
_WHOLE = word_set("query question q search prompt expression input request topic title subject")
_PLACE = word_set(
    "city location place town country where destination origin room address region state capital",
    "station area",
)
_NAME = word_set("name person who author user contact recipient")
_LEADS = "(?:in|at|to|from|for|of|on|near|into|about)"
_NO_NAME = rf"(?!(?:{_LEADS}|and|or|with|by|the|next|please|today|tomorrow|now|is|are)\b)"
_WORD = rf"{_NO_NAME}[^\W\d_][\w'-]*\b"
_AFTER = re.compile(
    rf"\b{_LEADS}\s+(?:the\s+|a\s+|an\s+)?({_WORD}(?:\s+{_WORD}){{0,2}})", re.IGNORECASE
)
_CAPITAL = re.compile(r"\b[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*")
_INNER_CAPITAL = re.compile(r"(?<=[\w,] )[A-Z][\w'-]+")
_QUOTED = re.compile(r"\"([^\"]{1,200})\"|'([^']{2,200})'(?!\w)")
_CALLED = re.compile(
    r"\b(?:named|called|name is|i am|i'm|this is)\s+([A-Za-z][\w'-]*(?:\s[A-Z][\w'-]*)?)",
    re.IGNORECASE,
)
# `red, green and blue`
_ROW = re.compile(r"[\w'-]+(?:,\s*[\w'-]+)*,?\s+and\s+[\w'-]+")
_FORMATS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "time": re.compile(r"\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"),
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "uri": re.compile(r"https?://[^\s\"'<>]+"),
    "uuid": re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE),
    "ipv4": re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
}
# What stands where the text has no such value: plainly nobody's.
_NOBODYS = {
    "date": "2000-01-01",
    "time": "00:00:00Z",
    "date-time": "2000-01-01T00:00:00Z",
    "email": "nobody@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "hostname": "example.org",
    "duration": "PT0S",
}
_NO = word_set("no not off never without disable disabled false don't stop close closed")
_MOST_LETTERS = 3_000  # of a text from which values are copied; its end counts

Offer = Callable[[float, str], None]


@dataclass(slots=True)
class Source:
    """What values are copied from: what was asked, and what would be answered to it in words."""

    asked: str
    answer: str = ""
    numbers: list[Numeral] = field(init=False)

    def __post_init__(self) -> None:
        self.asked = self.asked[-_MOST_LETTERS:]
        self.numbers = numerals(self.asked)

    def cased(self, phrase: str) -> str:
        """A phrase as the answer writes it: speech has no capitals, and `france` is France."""
        match = re.search(rf"\b{re.escape(phrase)}\b", self.answer, re.IGNORECASE)
        return match[0] if match else phrase


def values_for(
    key: str, hint: Hint, source: Source, used: list[str], *, in_list: bool = False
) -> list[tuple[float, str]]:
    """JSON texts that may be the value of `key`, with weights; `used` are those already given.

    Whether the schema takes them is not asked here: the grammar decides.
    """
    found: dict[str, float] = {}
    said = Counter(number.text for number in source.numbers)

    def offer(score: float, value: str) -> None:
        if value in used and used.count(value) >= said.get(value, 1):
            score *= 0.3
        found[value] = max(found.get(value, 0.0), score)

    _listed(offer, hint, source)
    if not hint.values:
        _numbers(offer, key, hint, source)
        _strings(offer, key, hint, source)
    if in_list:
        _rows(offer, source)
    yes = not (_NO & set(plain_words(source.asked)))
    for value, score in (("true", 0.6 if yes else 0.2), ("false", 0.2 if yes else 0.6)):
        offer(score, value)
    offer(0.75 if "null" in hint.kinds else 0.15, "null")
    # The best is far ahead of the second, so that a low temperature copies what fits best.
    return sorted(((score**6, value) for value, score in found.items()), reverse=True)[:40]


def _listed(offer: Offer, hint: Hint, source: Source) -> None:
    asked = [stem(word) for word in plain_words(source.asked)]
    for at, value in enumerate(hint.values):
        words = [stem(word) for word in plain_words(value)]
        hits = sum(word in asked for word in words)
        offer(3.0 * hits / len(words) if hits else 0.5 * 0.8**at, value)


def _numbers(offer: Offer, key: str, hint: Hint, source: Source) -> None:
    names = {stem(word) for word in plain_words(key)}
    for at, number in enumerate(source.numbers):
        near = bool(names & {stem(number.before), stem(number.behind)})
        offer(3.0 * 0.6**at + near, number.text)
        if number.text.removesuffix(".0") != number.text:
            offer(1.0, number.text.removesuffix(".0"))
    for value in ("0", "1", *(f"{bound:g}" for bound in hint.bounds)):
        offer(0.3, value)
    for bound in hint.bounds:
        for value in (f"{int(bound) + 1}", f"{int(bound) - 1}", f"{bound * 2:g}"):
            offer(0.1, value)


def _strings(offer: Offer, key: str, hint: Hint, source: Source) -> None:
    def text(score: float, value: str) -> None:
        value = value.strip()
        if value:
            offer(score, json.dumps(value, ensure_ascii=False))

    asked = source.asked.strip()
    names = set(plain_words(key.replace("_", " ")))
    form = hint.format or next((name for name in ("email", "date", "uri") if name in names), "")
    pattern = _FORMATS.get(form)
    for match in pattern.finditer(asked) if pattern else ():
        text(3.5, match[0])
    if hint.format:
        text(0.6, _NOBODYS.get(form, ""))
    if names & _FREE:
        text(3.2, source.answer or asked)
    if names & _WHOLE:
        text(3.0, asked)
    for match in _QUOTED.finditer(asked):
        text(2.9, match[1] or match[2])
    for match in _CALLED.finditer(asked):
        text(3.1 if names & _NAME else 0.9, source.cased(match[1]))
    _beside(text, names, source)
    place = bool(names & _PLACE) or any(word in _PLACE for word in plain_words(hint.words))
    _phrases(text, place, bool(names & _NAME), source)
    for number in source.numbers:
        text(0.3, number.text)
    for word in content_words(asked):
        if len(word) > 3:
            text(0.4, word)
    text(0.35, "unknown")
    offer(0.05, '""')


def _phrases(text: Offer, place: bool, name: bool, source: Source) -> None:
    """Names of places and people: what follows `in`, and what begins with a capital."""
    behind = set()
    for match in _AFTER.finditer(source.asked):
        if numerals(match[1]):
            continue
        behind.add(match[1].lower())
        text(2.9 if place else 1.2, source.cased(match[1]))
    for match in _CAPITAL.finditer(source.asked):
        if match[0].lower() in behind:
            continue
        first = match.start() == 0
        if not first or content_words(match[0]):
            score = 2.6 if name else 2.5 if place else 1.5
            text(score - 0.6 * (first and not name), match[0])
    for match in _INNER_CAPITAL.finditer(source.answer):
        text(0.9, match[0])


def _rows(offer: Offer, source: Source) -> None:
    """The members of a row of words, for a list."""
    for row in _ROW.finditer(source.asked):
        for at, word in enumerate(re.split(r",?\s+and\s+|,\s*", row[0])):
            offer(2.6 * 0.95**at, json.dumps(word, ensure_ascii=False))


def _beside(text: Offer, names: set[str], source: Source) -> None:
    """Values that stand beside the key's own name: `the color is red`, `the river Seine`."""
    for name in names | ({"capital"} if "city" in names else set()):
        if len(name) < 3:
            continue
        word = re.escape(name)
        for said, extra in ((source.asked, 0.4), (source.answer, 0.3)):
            for pattern in (
                rf"\b{word}s?\s+of\s+[\w' ]+?\s+is\s+([A-Z][\w'-]+)",
                rf"\b([A-Z][\w'-]+)\s+is\s+the\s+{word}\b",
                rf"\b{word}s?\s+(?:is|are|was|=|:)\s*([\w'-]+)",
                rf"(?i:\b{word})\s+([A-Z][\w'-]+)",
            ):
                for match in re.finditer(pattern, said):
                    if content_words(match[1]):  # `what is the capital` names nothing
                        text(2.8 + extra, match[1])
