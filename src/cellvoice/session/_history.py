"""The conversation so far as messages: sound by its id while that lives, then by its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from cellvoice.errors import ServiceError
from cellvoice.protocol import assistant_audio, assistant_text, staying_in_voice, system_message

if TYPE_CHECKING:
    from ._asking import Settings
    from ._memory import Memory, Rung
    from .turn import Turn

__all__ = [
    "EXPIRY_MARGIN_S",
    "History",
    "forget_sound",
    "history_before",
    "replays_sound",
]

# The service's clock and ours may differ, and a request takes time to arrive.
EXPIRY_MARGIN_S = 60.0


@dataclass(frozen=True, slots=True)
class History:
    """`turns` are those that are repeated, `rungs` how each answer is, by the turn's id.

    `system` is the message in front of them all, or None.
    """

    turns: tuple[Turn, ...]
    rungs: Mapping[str, Rung]
    system: str | None

    def messages(self) -> list[Mapping[str, object]]:
        """What a next question follows."""
        found: list[Mapping[str, object]] = []
        if self.system is not None:
            found.append(system_message(self.system))
        for turn in self.turns:
            found += self.exchange(turn)
        return found

    def exchange(self, turn: Turn) -> list[Mapping[str, object]]:
        """The question and the answer of one of the turns."""
        asked, audio_id = turn._message, turn._answer.audio_id
        assert asked is not None
        before = [asked, *turn._said_before_the_answer()]
        if self.rungs[turn.id] == "audio" and audio_id is not None:
            return [*before, assistant_audio(audio_id)]
        words = _words(turn)
        return [*before, assistant_text(words)] if words else before


def history_before(turns: Iterable[Turn], settings: Settings, now_s: float) -> History:
    """What a question with these settings follows. `now_s` is in Unix seconds.

    A turn counts if the model said something in it that can be repeated, or a tool ran: a question
    without its answer would be answered again, and what was done would be done again.
    """
    heard = [turn for turn in turns if turn.finish is not None and turn._message is not None]
    as_sound = _as_sound(heard, settings.memory, now_s)
    told = tuple(
        turn
        for turn in heard
        if turn.id in as_sound or _words(turn) or turn._said_before_the_answer()
    )
    rungs: dict[str, Rung] = {
        turn.id: "audio" if turn.id in as_sound else "transcript" for turn in told
    }
    system = settings.system
    silenced = any(turn._answer.received_s and rungs[turn.id] == "transcript" for turn in told)
    if silenced and not settings.written:
        system = staying_in_voice(system)
    return History(told, MappingProxyType(rungs), system)


def _as_sound(turns: Sequence[Turn], memory: Memory, now_s: float) -> set[str]:
    if memory.history == "transcript":
        return set()
    living = [turn.id for turn in turns if replays_sound(turn, now_s)]
    if memory.audio_turns is not None:
        living = living[max(0, len(living) - memory.audio_turns) :]
    return set(living)


def replays_sound(turn: Turn, now_s: float) -> bool:
    """Whether the turn's answer can be repeated as sound, by its id."""
    reply = turn._answer
    # The id of a reply that did not end is not known to hold, so its words are sent.
    return (
        turn.finish in ("complete", "length")
        and reply.audio_id is not None
        and reply.received_s > 0
        and reply.expires_at is not None
        and reply.expires_at - EXPIRY_MARGIN_S > now_s
        and not turn._audio_gone
        and not turn._ends_with_calls
    )


def _words(turn: Turn) -> str:
    if turn._ends_with_calls:
        return ""  # they stand beside the calls
    reply = turn._answer
    words = reply.text if reply.text.strip() else reply.refusal
    return words if words.strip() else ""


def forget_sound(
    turns: Iterable[Turn], error: ServiceError, now_s: float, *, doubt_all: bool = False
) -> list[Turn]:
    """Mark the turns whose sound the service no longer has; return those that are new.

    The error names the id; if it names none that is known, every sound that was sent is doubted.
    """
    sent = [turn for turn in turns if replays_sound(turn, now_s)]
    named = [turn for turn in sent if str(turn._answer.audio_id) in str(error)]
    gone = sent if doubt_all or not named else named
    for turn in gone:
        turn._audio_gone = True
    return gone
