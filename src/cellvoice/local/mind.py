"""From a request to a plan: what is said, or which tools are called."""

from __future__ import annotations

import re

from .asks import Ask
from .calling import Wish, wishes
from .constrain import Constrainer, Grammar
from .extract import Source
from .fill import Filler
from .messages import Message
from .model import LanguageModel
from .plan import LONGEST_JSON, Begin, Call, NextProbabilities, Plan, Saying
from .results import calls_made, told
from .sampler import Guide

__all__ = ["Mind"]

# `as JSON with the keys city and river:` is about the form of the answer, not about its matter.
_FORM = re.compile(
    r"\b(?:(?:as|in|an?|some)\s+)?json\b(?:\s+object)?(?:[^.:?!]*\bkeys?\b[^.:?!]*)?",
    re.IGNORECASE,
)


class Mind:
    """Decides, for one request after the other; it remembers nothing between them."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._constrainer = Constrainer(model.tokenizer)

    def plan(self, ask: Ask, question: str, notice: str | None) -> Plan:
        """What to do about `question`; a `notice` is said whatever was asked."""
        saying = self._saying(ask, question)
        if notice is not None:
            return Plan(Saying(saying.begin, notice=notice))
        made = calls_made(ask.messages)
        wished = wishes(question, ask.tools, len(made))
        if wished:
            return Plan(saying, tuple(self._call(wish) for wish in wished))
        if made and ask.schema is None:
            weighted = [(0.6**at, text) for at, text in enumerate(told(question, made))]
            following = self._model.copying(question, weighted)
            return Plan(Saying(lambda: (following, None)))
        return Plan(saying)

    def _saying(self, ask: Ask, question: str) -> Saying:
        previous = _newest(ask, "assistant")
        following = self._model.answering(question, previous.text() if previous else None)
        if ask.schema is None:
            return Saying(lambda: (following, None))
        results = [text for _, text in calls_made(ask.messages)]
        answer = self._model.known_answer(_FORM.sub(" ", question))
        source = Source(" ".join([question, *results]), answer)
        begin = self._filling(ask.schema, source, following)
        return Saying(begin, longest=LONGEST_JSON, whole=True)

    def _call(self, wish: Wish) -> Call:
        following = self._model.answering(wish.text)
        if wish.tool.kind == "function":
            source = Source(wish.text, self._model.known_answer(wish.text))
            return Call(wish.tool, self._filling(wish.tool.parameters, source, following))
        # A custom tool takes text: the question itself, as far as its grammar allows.
        copied = self._model.copying(wish.text, [(1.0, wish.text)])
        grammar = wish.tool.grammar
        if grammar is None:
            return Call(wish.tool, lambda: (copied, None))
        return Call(wish.tool, lambda: (copied, self._constrainer.grammar(grammar)))

    def _filling(self, schema: str, source: Source, following: NextProbabilities) -> Begin:
        def begin() -> tuple[NextProbabilities, Guide]:
            grammar: Grammar = self._constrainer.grammar(schema)
            return Filler(schema, source, self._model.tokenizer, grammar, following), grammar

        return begin


def _newest(ask: Ask, role: str) -> Message | None:
    return next((message for message in reversed(ask.messages) if message.role == role), None)
