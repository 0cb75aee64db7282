"""The last turns: what was asked and answered before the newest question."""

from __future__ import annotations

from collections.abc import Sequence

from .messages import Message
from .model import LanguageModel

__all__ = ["earlier_questions", "previous_answer"]

_LAST = 3  # questions that a new one may lean on


def previous_answer(messages: Sequence[Message]) -> str:
    """The assistant's last words, "" if there are none."""
    return next((m.text() for m in reversed(messages) if m.role == "assistant" and m.text()), "")


def earlier_questions(messages: Sequence[Message], model: LanguageModel) -> list[str]:
    """The questions before the newest one, the newest first.

    A spoken question is known by its answer: hearing it again would take longer than answering.
    """
    found: list[str] = []
    answer = ""
    newest = True
    for message in reversed(messages):
        if message.role == "assistant":
            answer = message.text() or answer
        elif message.role == "user":
            text = message.text()
            if not text and not newest:
                topic = model.topic_said(answer)
                text = topic.questions[0] if topic else ""
            if text and not newest:
                found.append(text)
            newest, answer = False, ""
    return found[:_LAST]
