"""Which answers a question may get: candidates for the copying, shaped by the style asked for."""

from __future__ import annotations

from collections.abc import Sequence

from .asks import Ask
from .conversation import earlier_questions, previous_answer
from .corpus import Topic
from .followups import continued, is_more
from .model import LanguageModel, weighted
from .steering import Style, first_sentence, without_order
from .words import content_words, stem

__all__ = ["YES_OR_NO", "completed", "shaped_answers", "yes_or_no"]

YES_OR_NO = ("regex", r"(Yes|No)\.")


def completed(ask: Ask, question: str, model: LanguageModel) -> str:
    """The question as it would be asked if nothing had been said before."""
    if is_more(question):
        return question
    return continued(question, earlier_questions(ask.messages, model), model.retriever)


def shaped_answers(
    ask: Ask, question: str, style: Style, model: LanguageModel
) -> list[tuple[float, str]]:
    """Answers with weights, for a question that stands by itself."""
    previous = previous_answer(ask.messages)
    topic = model.topic_of(question)
    if is_more(question):
        more = _more(previous, model)
        if more:
            return weighted(more)
    greeting = _greeting(topic, style, model)
    if greeting:
        return weighted(greeting)
    found = model.candidates(question, previous)
    if style.length == "short":
        return [(weight, first_sentence(text)) for weight, text in found]
    if style.length == "long" and topic is not None and found[0][1] == topic.answers[0]:
        return [(1.0, " ".join(topic.answers)), (0.3, " ".join(reversed(topic.answers)))]
    return found


def yes_or_no(question: str, model: LanguageModel) -> list[tuple[float, str]]:
    """`Yes.` and `No.` with the weights of what is known: evenly if nothing is.

    A question whose every word stands in its topic is taken for true: `is paris the capital of
    france`. That is all the reasoning there is.
    """
    question = without_order(question)
    topic = model.topic_of(question)
    share = 0.5
    if topic is not None:
        known = _stems([question]) <= _stems([*topic.questions, *topic.answers])
        firsts = {answer.partition(" ")[0].strip(",.").lower() for answer in topic.answers}
        said_yes, said_no = "yes" in firsts, "no" in firsts
        share = 0.95 if said_yes else 0.05 if said_no else 0.9 if known else 0.1
    return [(share, "Yes."), (1 - share, "No.")]


def _more(previous: str, model: LanguageModel) -> list[str]:
    """What else the topic of the previous answer has to say."""
    topic = model.topic_said(previous)
    return [text for text in topic.answers if text != previous] if topic else []


def _greeting(topic: Topic | None, style: Style, model: LanguageModel) -> Sequence[str]:
    if topic is None or not style.language:
        return ()
    if topic.language == "english" and "hello" not in topic.questions:
        return ()
    return next((t.answers for t in model.corpus.topics if t.language == style.language), ())


def _stems(texts: Sequence[str]) -> set[str]:
    return {
        stem(word) for text in texts for word in content_words(text) if word not in ("yes", "no")
    }
