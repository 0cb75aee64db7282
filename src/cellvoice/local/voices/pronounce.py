"""English text to ARPAbet sounds: a dictionary for the corpus' words, letter rules for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Said", "said_words", "sounds_of"]

_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TOKEN = re.compile(r"[A-Za-z']+|[0-9]+(?:\.[0-9]+)?|[,;:.!?]+")
# Longest first; a coarse reading that a listener can follow, no more.
_RULES = (
    ("tion", "SH AH N"),
    ("ough", "AO"),
    ("igh", "AY"),
    ("tch", "CH"),
    ("dge", "JH"),
    ("sch", "SH"),
    ("th", "TH"),
    ("sh", "SH"),
    ("ch", "CH"),
    ("ph", "F"),
    ("wh", "W"),
    ("ck", "K"),
    ("ng", "NG"),
    ("qu", "K W"),
    ("ee", "IY"),
    ("ea", "IY"),
    ("oo", "UW"),
    ("ou", "AW"),
    ("ow", "OW"),
    ("oa", "OW"),
    ("ai", "EY"),
    ("ay", "EY"),
    ("oi", "OY"),
    ("oy", "OY"),
    ("au", "AO"),
    ("aw", "AO"),
    ("er", "ER"),
    ("ir", "ER"),
    ("ur", "ER"),
    ("ar", "AA R"),
    ("or", "AO R"),
    ("ll", "L"),
    ("ss", "S"),
    ("tt", "T"),
    ("pp", "P"),
    ("nn", "N"),
    ("mm", "M"),
    ("ff", "F"),
    ("rr", "R"),
    ("a", "AE"),
    ("b", "B"),
    ("c", "K"),
    ("d", "D"),
    ("e", "EH"),
    ("f", "F"),
    ("g", "G"),
    ("h", "HH"),
    ("i", "IH"),
    ("j", "JH"),
    ("k", "K"),
    ("l", "L"),
    ("m", "M"),
    ("n", "N"),
    ("o", "AA"),
    ("p", "P"),
    ("q", "K"),
    ("r", "R"),
    ("s", "S"),
    ("t", "T"),
    ("u", "AH"),
    ("v", "V"),
    ("w", "W"),
    ("x", "K S"),
    ("y", "IY"),
    ("z", "Z"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """A word's place in the text and its sounds; no sounds at all are a pause."""

    start_char: int
    end_char: int
    sounds: tuple[str, ...]


def said_words(text: str) -> Iterator[Said]:
    """What is said of `text`, in order. A number is several words in one place."""
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in ",;:.!?":
            yield Said(*token.span(), ())
        elif first.isdigit():
            for character in token[0]:
                word = "point" if character == "." else _DIGITS[int(character)]
                yield Said(*token.span(), _sounds(word))
        else:
            yield Said(*token.span(), _sounds(token[0].lower()))


def sounds_of(text: str) -> list[list[str]]:
    """The sounds word by word; an empty word is a pause."""
    return [list(said.sounds) for said in said_words(text)]


def _sounds(word: str) -> tuple[str, ...]:
    return tuple(_dictionary().get(word) or _by_rule(word))


@cache
def _dictionary() -> dict[str, list[str]]:
    lines = Path(__file__).with_name("pronunciations.txt").read_text(encoding="utf-8").splitlines()
    entries = (line.split() for line in lines if line and not line.startswith("#"))
    return {word: sounds for word, *sounds in entries}


def _by_rule(word: str) -> list[str]:
    letters = word.replace("'", "")
    # A final e is silent, and makes no syllable of its own.
    if len(letters) > 3 and letters.endswith("e"):
        letters = letters[:-1]
    sounds: list[str] = []
    at = 0
    while at < len(letters):
        spelling, reading = next(r for r in _RULES if letters.startswith(r[0], at))
        sounds += reading.split()
        at += len(spelling)
    return sounds
