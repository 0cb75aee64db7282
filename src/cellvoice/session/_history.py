"""The conversation so far as messages: sound by its id while that lives, then by its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cellvoice.errors import ServiceError
from cellvoice.protocol import assistant_audio, assistant_text, system_message

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["EXPIRY_MARGIN_S", "forget_sound", "messages_before", "replays_sound"]

# The service's clock and ours may differ, and a request takes time to arrive.
EXPIRY_MARGIN_S = 60.0


def messages_before(
    turns: Iterable[Turn], system: str | None, now_s: float
) -> list[Mapping[str, object]]:
    """The messages that a next question follows. `now_s` is in Unix seconds.

    A turn counts if the model said something in it that can be repeated: a question without its
    answer would be answered again.
    """
    messages: list[Mapping[str, object]] = []
    if system is not None:
        messages.append(system_message(system))
    for turn in turns:
        answer = _answer(turn, now_s)
        asked = turn._message
        if answer is not None and asked is not None:
            messages += [asked, answer]
    return messages


def replays_sound(turn: Turn, now_s: float) -> bool:
    """Whether the turn's answer is repeated as sound, by its id."""
    reply = turn.reply
    # The id of a reply that did not end is not known to hold, so its words are sent.
    return (
        turn.finish in ("complete", "length")
        and reply.audio_id is not None
        and len(reply.pcm) > 0
        and reply.expires_at is not None
        and reply.expires_at - EXPIRY_MARGIN_S > now_s
        and not turn._audio_gone
    )


def _answer(turn: Turn, now_s: float) -> Mapping[str, object] | None:
    if turn.finish is None:
        return None
    if replays_sound(turn, now_s):
        audio_id = turn.reply.audio_id
        assert audio_id is not None
        return assistant_audio(audio_id)
    words = turn.text if turn.text.strip() else turn.reply.refusal
    return assistant_text(words) if words.strip() else None


def forget_sound(
    turns: Iterable[Turn], error: ServiceError, now_s: float, *, doubt_all: bool = False
) -> list[Turn]:
    """Mark the turns whose sound the service no longer has; return those that are new.

    The error names the id; if it names none that is known, every sound that was sent is doubted.
    """
    sent = [turn for turn in turns if replays_sound(turn, now_s)]
    named = [turn for turn in sent if turn.reply.audio_id and turn.reply.audio_id in str(error)]
    gone = sent if doubt_all or not named else named
    for turn in gone:
        turn._audio_gone = True
    return gone
