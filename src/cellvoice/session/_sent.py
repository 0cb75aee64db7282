"""What a request is likely to be billed as: its question, the conversation before it, the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellvoice.protocol import (
    NO_TOKENS,
    TOKENS_PER_REQUEST,
    Request,
    Tokens,
    estimate_text_tokens,
    fields_tokens,
    messages_tokens,
)
from cellvoice.protocol.models import OUTPUT_TOKENS_PER_S

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["NOTHING_SENT", "Sent", "history_tokens", "sent_in"]


@dataclass(frozen=True, slots=True)
class Sent:
    """Tokens of a request: the question, the conversation before it, and what stands beside both.

    `around` is the system prompt, tools, a schema.
    """

    question: Tokens = NO_TOKENS
    history: Tokens = NO_TOKENS
    around: Tokens = NO_TOKENS

    @property
    def tokens(self) -> Tokens:
        """All of them."""
        return self.question.plus(self.history).plus(self.around)


NOTHING_SENT = Sent()


def sent_in(request: Request, turns: Iterable[Turn]) -> Sent:
    """The likely tokens of a request; `turns` are those whose answers may be replayed in it."""
    made = _Made(turns)
    at = _question_at(request.messages)
    before, question = request.messages[:at], request.messages[at:]
    system = [message for message in before if _is_system(message)]
    history = [message for message in before if not _is_system(message)]
    beside = TOKENS_PER_REQUEST + fields_tokens(request.params)
    return Sent(
        question=messages_tokens(question, made),
        history=messages_tokens(history, made),
        around=messages_tokens(system, made).plus(Tokens(text=beside)),
    )


def _question_at(messages: Sequence[Mapping[str, object]]) -> int:
    """Where the turn's own messages begin: its question, and what came of calls since."""
    asked = [at for at, message in enumerate(messages) if message.get("role") == "user"]
    return asked[-1] if asked else len(messages) - 1


def history_tokens(messages: Iterable[Mapping[str, object]], turns: Iterable[Turn]) -> Tokens:
    """The likely tokens of the conversation among some messages."""
    return messages_tokens(
        [message for message in messages if not _is_system(message)], _Made(turns)
    )


def _is_system(message: Mapping[str, object]) -> bool:
    return message.get("role") in ("system", "developer")


class _Made:
    """By its audio id: what an earlier answer is billed as when it is replayed.

    As it was made (measured: 93 tokens of sound came back as 93, with the words beside them).
    """

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = {turn._answer.audio_id: turn for turn in turns if turn._answer.audio_id}

    def __call__(self, audio_id: str) -> Tokens:
        turn = self._turns.get(audio_id)
        if turn is None:
            return NO_TOKENS
        reply, usage = turn._answer, turn._answer.usage
        sound = usage.completion_audio_tokens if usage is not None else 0
        # With several replies the usage is that of all of them.
        if not sound or reply.others:
            sound = round(reply.generated_s * OUTPUT_TOKENS_PER_S)
        return Tokens(estimate_text_tokens(reply.transcript), sound, replayed=sound)
