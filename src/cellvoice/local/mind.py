"""From a request to a plan: what is said, or which tools are called."""

from __future__ import annotations

import re
from dataclasses import replace

from .answers import YES_OR_NO, completed, shaped_answers, yes_or_no
from .asks import Ask
from .calling import Wish, nearest, wishes
from .constrain import Constrainer
from .conversation import earlier_questions
from .extract import Source
from .fill import Filler
from .followups import rest_of
from .model import LanguageModel, weighted
from .plan import LONGEST_ANSWER, LONGEST_JSON, Begin, Call, NextProbabilities, Plan, Saying
from .results import calls_made, told
from .sampler import Guide
from .steering import style_of

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
        self._languages = sorted({topic.language for topic in model.corpus.topics} - {"english"})

    def plan(self, ask: Ask, question: str, notice: str | None) -> Plan:
        """What to do about `question`; a `notice` is said whatever was asked."""
        if notice is not None:
            return Plan(replace(self._saying_of(question, [(1.0, notice)]), notice=notice))
        made = calls_made(ask.messages)
        wished = self._wishes(ask, question, len(made))
        if wished:
            saying = self._saying_of(question, [])
            return Plan(saying, tuple(self._call(wish) for wish in wished))
        if made and ask.schema is None:
            return Plan(self._saying_of(question, weighted(told(question, made))))
        return Plan(self._saying(ask, completed(ask, question, self._model)))

    def _saying(self, ask: Ask, question: str) -> Saying:
        style = style_of(ask.messages, question, self._languages)
        if ask.schema is not None:
            results = [text for _, text in calls_made(ask.messages)]
            answer = self._model.known_answer(_FORM.sub(" ", question))
            source = Source(" ".join([question, *results]), answer)
            following = self._model.copying(question, [])
            begin = self._filling(ask.schema, source, following)
            return Saying(begin, longest=LONGEST_JSON, whole=True)
        if style.yes_or_no:
            following = self._model.copying(question, yes_or_no(question, self._model))
            return Saying(lambda: (following, self._constrainer.grammar(YES_OR_NO)))
        return self._saying_of(question, shaped_answers(ask, question, style, self._model))

    def _wishes(self, ask: Ask, question: str, made: int) -> list[Wish]:
        """The calls that are asked for and were not made yet, at least one if there must be one.

        A question may go on with the one before it: `and in London` after the weather in Paris.
        """
        tools = ask.tools.tools
        if not tools:
            return []
        found = wishes(question, tools)
        earlier = earlier_questions(ask.messages, self._model)
        if not found and rest_of(question) and earlier:
            found = [Wish(wish.tool, rest_of(question)) for wish in wishes(earlier[0], tools)[:1]]
        found = found[made:]
        if not found and ask.tools.must:
            found = [nearest(question, tools)]
        return found if ask.tools.parallel else found[:1]

    def _call(self, wish: Wish) -> Call:
        following = self._model.copying(wish.text, [])
        if wish.tool.kind == "function":
            source = Source(wish.text, self._model.known_answer(wish.text))
            return Call(wish.tool, self._filling(wish.tool.parameters, source, following))
        # A custom tool takes text: the question itself, as far as its grammar allows.
        copied = self._model.copying(wish.text, [(1.0, wish.text)])
        grammar = wish.tool.grammar
        if grammar is None:
            return Call(wish.tool, lambda: (copied, None))
        return Call(wish.tool, lambda: (copied, self._constrainer.grammar(grammar)))

    def _saying_of(self, question: str, answers: list[tuple[float, str]]) -> Saying:
        """One of the answers, or what lies between them; twice as long as the longest at most."""
        following = self._model.copying(question, answers)
        longest = max((len(self._model.tokenizer.encode(text)) for _, text in answers), default=0)
        limit = min(max(LONGEST_ANSWER, 2 * longest), LONGEST_JSON)
        return Saying(lambda: (following, None), longest=limit)

    def _filling(self, schema: str, source: Source, following: NextProbabilities) -> Begin:
        def begin() -> tuple[NextProbabilities, Guide]:
            grammar = self._constrainer.grammar(schema)
            return Filler(schema, source, self._model.tokenizer, grammar, following), grammar

        return begin
