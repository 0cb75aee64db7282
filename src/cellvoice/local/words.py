"""Words of a text in the forms in which they are compared."""

from __future__ import annotations

import re

__all__ = ["content_words", "plain_words", "stem", "word_set"]

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


def word_set(*lines: str) -> frozenset[str]:
    """The words of some lines."""
    return frozenset(" ".join(lines).split())


_EMPTY = word_set(
    "a an and are as at be but by can could did do does for from give had has have hello hey hi",
    "how i if in into is it its just kindly let like may me my now of on or our please shall",
    "should so tell than thanks that the their them then there these they this to too us want was",
    "we were what what's when where which who whom why will with would you your",
    "able about actually again also exactly explain know many mean means more much one question",
    "really thing",
)


def plain_words(text: str) -> list[str]:
    """The words of `text` in lower case; parts of snake_case and camelCase are words too."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return [word.lower() for word in _WORD.findall(parted)]


def content_words(text: str) -> list[str]:
    """The same without those that say nothing of the matter."""
    return [word for word in plain_words(text) if word not in _EMPTY]


def stem(word: str) -> str:
    """A word without its commonest endings, so that `multiplied` and `multiply` meet."""
    for ending, kept in (
        ("ies", "y"),
        ("ied", "y"),
        ("ing", ""),
        ("ed", ""),
        ("es", ""),
        ("s", ""),
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending) + kept
    return word.removesuffix("e") if len(word) > 4 else word
