"""The language model: an n-gram mixed with a distribution that copies retrieved answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .corpus import UNKNOWN_ANSWERS, Corpus, Topic
from .ngram import NgramModel
from .retrieval import Retriever
from .tokenizer import ASSISTANT, END, SPECIALS, START, USER, Tokenizer

__all__ = ["LanguageModel", "UNKNOWN_ANSWERS", "weighted"]

_COPY_SHARE = 0.92
_SECOND_PARAPHRASE = 0.6
_FORGET = 4.0
_LONGEST_MATCH = 8


class LanguageModel:
    """Gives the exact probability of every next token of an answer to a question."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.tokenizer = Tokenizer([*corpus.texts(), *UNKNOWN_ANSWERS])
        self.retriever = Retriever(corpus)
        self._ngram = NgramModel(self._sequences(), len(self.tokenizer))
        self._allowed = np.ones(len(self.tokenizer))
        self._allowed[[at for at in range(len(SPECIALS)) if at != END]] = 0.0

    def answering(
        self, question: str, previous_answer: str | None = None
    ) -> Callable[[Sequence[int]], NDArray[np.float64]]:
        """A function from the tokens so far to P(next token), for the answer to `question`."""
        return self.copying(question, self.candidates(question, previous_answer))

    def copying(
        self, question: str, answers: Sequence[tuple[float, str]]
    ) -> Callable[[Sequence[int]], NDArray[np.float64]]:
        """The same, with the answers that may be copied, and their weights, given."""
        candidates = [(weight, [*self.tokenizer.encode(text), END]) for weight, text in answers]
        prompt = [START, USER, *self.tokenizer.encode(question), ASSISTANT]

        def next_probabilities(tokens: Sequence[int]) -> NDArray[np.float64]:
            mixed = self._ngram.distribution([*prompt, *tokens])
            votes = _copying(candidates, tokens, len(self.tokenizer))
            if votes is not None:  # else nothing in common any more: the n-gram finds the way out
                mixed = (1 - _COPY_SHARE) * mixed + _COPY_SHARE * votes
            mixed *= self._allowed  # a role token inside an answer would be nonsense
            mixed /= mixed.sum()
            return mixed

        return next_probabilities

    def known_answer(self, question: str) -> str:
        """The answer that fits best, "" if the question is not known."""
        topic = self.topic_of(question)
        return topic.answers[0] if topic else ""

    def topic_of(self, question: str) -> Topic | None:
        """What the question is about, None if nothing fits."""
        matches = self.retriever.matches(question, 1)
        return self.corpus.topics[matches[0].topic] if matches else None

    def topic_said(self, answer: str) -> Topic | None:
        """The topic from which an earlier answer came, None if it came from none."""
        return next((t for t in self.corpus.topics if answer.strip() in t.answers), None)

    def candidates(
        self, question: str, previous_answer: str | None = None
    ) -> list[tuple[float, str]]:
        """Answers that may be copied, with their weights; two honest ones if nothing fits."""
        said = _asked_to_say(question)
        if said:
            return [(1.0, said)]
        found: list[tuple[float, str]] = []
        matches = self.retriever.matches(question)
        for match in matches:
            topic = self.corpus.topics[match.topic]
            answers = topic.answers
            if topic.repeats and previous_answer:
                answers = (previous_answer,)
            weight = (match.score / matches[0].score) ** 12
            for rank, answer in enumerate(answers):
                found.append((weight * _SECOND_PARAPHRASE**rank, answer))
        return found[:6] or weighted(UNKNOWN_ANSWERS)

    def _sequences(self) -> list[list[int]]:
        encode = self.tokenizer.encode
        return [
            [START, USER, *encode(question), ASSISTANT, *encode(answer), END]
            for topic in self.corpus.topics
            for question in topic.questions
            for answer in topic.answers
        ]


def weighted(answers: Sequence[str]) -> list[tuple[float, str]]:
    """Answers with weights: each counts for less than the one before it."""
    return [(_SECOND_PARAPHRASE**at, text) for at, text in enumerate(answers)]


def _asked_to_say(question: str) -> str | None:
    """The words after "say exactly:" or "repeat after me:", else None."""
    for order in ("say exactly", "repeat after me"):
        if question.lower().lstrip().startswith(order):
            return question.lstrip()[len(order) :].strip(" :,\"'") or None
    return None


def _copying(
    candidates: Sequence[tuple[float, list[int]]], tokens: Sequence[int], size: int
) -> NDArray[np.float64] | None:
    """Every candidate votes for what follows its longest match with the end of the answer so far.

    A match one token longer counts four times as much, so that two answers are joined only where
    they really share their words. An only candidate is to be said as it is: where it repeats
    itself, the place that the whole text so far leads to counts most.
    """
    votes = np.zeros(size)
    said = [START, *tokens]
    alone = len(candidates) == 1
    for weight, answer in candidates:
        anchored = [START, *answer]
        for at in range(1, len(anchored)):
            length = _matched(anchored, at, said)
            if length:
                votes[anchored[at]] += weight * _FORGET**length
        here = len(said)
        if alone and here < len(anchored) and anchored[:here] == said:
            votes[anchored[here]] += _FORGET ** (2 * _LONGEST_MATCH)
    total = votes.sum()
    return votes / total if total else None


def _matched(answer: Sequence[int], at: int, tokens: Sequence[int]) -> int:
    """How many tokens before `at` equal the last tokens said; beyond eight it is all the same."""
    length, most = 0, min(at, len(tokens), _LONGEST_MATCH)
    while length < most and answer[at - 1 - length] == tokens[-1 - length]:
        length += 1
    return length
