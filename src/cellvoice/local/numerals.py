"""Numbers in a text, in digits or in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Numeral", "numerals"]

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: at for at, word in enumerate(_ONES)}
_SMALL |= {word: 10 * at for at, word in enumerate(_TENS, start=2)}
_LARGE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_WORD = re.compile(r"-?\d+(?:\.\d+)?|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as JSON writes it, the word before it and the word behind it (lower case)."""

    text: str
    before: str
    behind: str


def numerals(text: str) -> list[Numeral]:
    """All numbers from left to right: "twenty five days" is 25, "minus 3.5" is -3.5."""
    # A thousand's comma is no end of a number.
    words = _WORD.findall(re.sub(r"(?<=\d),(?=\d{3})", "", text.lower()))
    found: list[Numeral] = []
    at = 0
    while at < len(words):
        number, length = _number(words, at)
        if not length:
            at += 1
            continue
        before = words[at - 1] if at else ""
        if before in ("minus", "negative") and (at == 1 or not _is_number(words[at - 2])):
            number = f"-{number}"
        behind = words[at + length] if at + length < len(words) else ""
        found.append(Numeral(number, before, behind))
        at += length
    return found


def _is_number(word: str) -> bool:
    return word in _SMALL or word in _LARGE or word.lstrip("-")[:1].isdigit()


def _number(words: list[str], at: int) -> tuple[str, int]:
    """The number that begins here and how many words it takes, 0 for none."""
    if re.fullmatch(r"-?\d+(?:\.\d+)?", words[at]):
        return words[at], 1
    total = part = length = 0
    while at + length < len(words):
        word = words[at + length]
        if word in _SMALL and _may_follow(part, _SMALL[word]):
            part += _SMALL[word]
        elif word in _LARGE and (part or word == "hundred") and length:
            part, total = (
                (part * 100, total) if word == "hundred" else (0, total + part * _LARGE[word])
            )
        elif not (word == "and" and length and _joins(words, at + length)):
            break
        length += 1
    if length and at + length < len(words) and words[at + length] == "point":
        digits = ""
        behind = at + length + 1
        while behind < len(words) and words[behind] in _ONES[:10]:
            digits += str(_SMALL[words[behind]])
            behind += 1
        if digits:
            return f"{total + part}.{digits}", behind - at
    return str(total + part), length


def _may_follow(part: int, small: int) -> bool:
    """`twenty` takes `five`, `hundred` takes anything smaller; `two three` are two numbers."""
    if part == 0:
        return True
    if part % 100 == 0:
        return True
    return part % 100 >= 20 and part % 10 == 0 and 0 < small < 10


def _joins(words: list[str], at: int) -> bool:
    """Whether `and` stands inside a number: one hundred and five."""
    return words[at - 1] in _LARGE and at + 1 < len(words) and words[at + 1] in _SMALL
