"""Which topic a question is about: TF-IDF over words, word pairs and letter triples."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .corpus import Corpus, spoken_words
from .words import content_words, stem

__all__ = ["Match", "Retriever"]

# Below this similarity the engine says that it does not know.
KNOWN_AT_LEAST = 0.42
# A long sentence is searched in windows of this many words, so that politeness around a
# question does not drown it.
_WINDOW_WORDS = 7
_WINDOW_WEIGHT = 0.9
# `who invented the telephone` has much of `who invented writing`, but nobody is told of telephones
# there: words that a topic never says make it less likely.
_STRANGE = 0.8
# The question stands at the end of whatever was pasted before it.
_MOST_LETTERS = 600
_SHORT = frozenset({"what's", "who's", "where's", "how's", "it's", "that's", "when's"})


@dataclass(frozen=True, slots=True)
class Match:
    """A topic's number and how similar the question is to it, 0 to 1."""

    topic: int
    score: float


class Retriever:
    """Finds the topics nearest to a question; pure and deterministic."""

    def __init__(self, corpus: Corpus) -> None:
        self._topics: list[int] = []
        self._told = [_stems(" ".join([*t.questions, *t.answers])) for t in corpus.topics]
        bags: list[Counter[str]] = []
        for topic, question in corpus.questions():
            self._topics.append(topic)
            bags.append(_features(spoken_words(question)))
        spread = Counter(feature for bag in bags for feature in bag)
        self._rarity = {f: math.log(1 + len(bags) / n) for f, n in spread.items()}
        self._unseen = math.log(1 + len(bags))
        # Where each feature occurs: a question shares a few dozen features with a few others.
        self._places: dict[str, list[tuple[int, float]]] = {}
        for number, bag in enumerate(bags):
            for feature, weight in self._vector(bag).items():
                self._places.setdefault(feature, []).append((number, weight))

    def matches(self, text: str, limit: int = 3) -> list[Match]:
        """The best topics for `text`, best first; only those the engine may answer from."""
        words = _expanded(spoken_words(text[-_MOST_LETTERS:]))
        best = self._scores(words)
        for at in range(max(0, len(words) - _WINDOW_WORDS) + 1 if len(words) > 9 else 0):
            for topic, score in self._scores(words[at : at + _WINDOW_WORDS]).items():
                best[topic] = max(best.get(topic, 0.0), _WINDOW_WEIGHT * score)
        ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return [Match(t, s) for t, s in ordered[:limit] if s >= KNOWN_AT_LEAST]

    def _scores(self, words: Sequence[str]) -> dict[int, float]:
        query = self._vector(_features(words))
        asked = _stems(" ".join(words))
        scores: dict[int, float] = {}
        for feature, weight in query.items():
            for number, other in self._places.get(feature, ()):
                scores[number] = scores.get(number, 0.0) + weight * other
        best: dict[int, float] = {}
        for number, score in scores.items():
            topic = self._topics[number]
            best[topic] = max(best.get(topic, 0.0), score)
        for topic, score in best.items():
            if asked:
                share = len(asked & self._told[topic]) / len(asked)
                best[topic] = score * share**_STRANGE
        return best

    def _vector(self, bag: Counter[str]) -> dict[str, float]:
        weights = {f: n * self._rarity.get(f, self._unseen) * _share(f) for f, n in bag.items()}
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {feature: weight / norm for feature, weight in weights.items()}


def _expanded(words: Sequence[str]) -> list[str]:
    """`what's` as `what is`, because the questions are written in full."""
    full = [word.removesuffix("'s") + " is" if word in _SHORT else word for word in words]
    return " ".join(full).split()


def _stems(text: str) -> set[str]:
    return {stem(word) for word in content_words(text)}


def _features(words: Sequence[str]) -> Counter[str]:
    bag: Counter[str] = Counter(f"w:{word}" for word in words)
    bag.update(f"p:{a} {b}" for a, b in pairwise(words))
    for word in words:
        padded = f" {word} "
        bag.update(f"c:{padded[at : at + 3]}" for at in range(len(padded) - 2))
    return bag


def _share(feature: str) -> float:
    """Words decide; pairs and letter triples help with word order and with misheard endings."""
    return {"w": 1.0, "p": 0.6, "c": 0.25}[feature[0]]
