"""Questions that lean on the last turns: `and in summer?`, `why?`, `tell me more`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .corpus import spoken_words
from .retrieval import Retriever
from .words import content_words

__all__ = ["continued", "is_more", "rest_of"]

_LEAD = re.compile(
    r"^\s*(?:and|but|or|so|then|also|what about|how about|what of)\b[\s,]*", re.IGNORECASE
)
_MORE = frozenset(
    [
        *("more", "tell me more", "go on", "continue", "why", "why is that", "why so", "how so"),
        *("can you explain", "explain that", "say more", "what else", "and then", "really"),
    ]
)
_MOST_WORDS = 6  # of a question that leans on the one before
_MOST_BEFORE = 20  # words of an earlier question, from its end
_LIKE = 0.68  # how much like a question of the corpus a completed one has to be


def is_more(question: str) -> bool:
    """Whether `question` only asks for more of the same."""
    words = spoken_words(question[:80])
    while words and words[0] in ("and", "but", "please", "ok", "okay"):
        words = words[1:]
    return " ".join(words) in _MORE


def rest_of(question: str) -> str:
    """What is new in a question that leans on the one before, "" for one that stands by itself."""
    question = question[:200]
    match = _LEAD.match(question)
    rest = question[match.end() :] if match else question
    if len(spoken_words(rest)) > _MOST_WORDS or not content_words(rest):
        return ""
    return rest.strip(" ?!.")


def continued(question: str, earlier: Sequence[str], retriever: Retriever) -> str:
    """`question` completed by one of the `earlier` ones (the newest first), else as it is.

    Some words of the earlier question are replaced by the new ones, in every way there is; what
    is most like a question of the corpus was meant. `what is the capital of france` and then
    `and italy` are `what is the capital of italy`.
    """
    rest = rest_of(question)
    if not rest or (not _LEAD.match(question) and retriever.matches(question)):
        return question
    new = set(content_words(rest))
    for before in earlier:
        best, best_score = "", _LIKE
        for variant in _variants(spoken_words(before)[-_MOST_BEFORE:], spoken_words(rest)):
            score = next((match.score for match in retriever.matches(variant, 1)), 0.0)
            if score > best_score and new <= set(content_words(variant)):
                best, best_score = variant, score
        if best:
            return best
    return question


def _variants(before: list[str], new: list[str]) -> Iterator[str]:
    for start in range(len(before)):
        for length in range(1, min(3, len(before) - start) + 1):
            yield " ".join([*before[:start], *new, *before[start + length :]])
