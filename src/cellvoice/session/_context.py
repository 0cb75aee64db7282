"""How many tokens a request has, by the measured rates, and whether the model can take them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.protocol import estimate_input_tokens, facts
from cellvoice.protocol.models import OUTPUT_TOKENS_PER_S

from ._cost import Cost
from ._history import History, history_before, replays_sound

if TYPE_CHECKING:
    from ._asking import Settings
    from .turn import Turn

__all__ = ["HistoryPrice", "check_fits", "history_prices"]

_LETTERS_PER_TOKEN = 4
# Each message has a role and its borders.
_TOKENS_PER_MESSAGE = 4
_ESTIMATED = "estimated by the measured token rates"


@dataclass(frozen=True, slots=True)
class HistoryPrice:
    """What the conversation so far adds to the next turn, estimated: tokens and US dollars.

    `answers_as_sound` counts the answers that are repeated as sound.
    """

    audio_tokens: int
    text_tokens: int
    answers_as_sound: int
    cost: Cost

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.audio_tokens + self.text_tokens


@dataclass(frozen=True, slots=True)
class _Tokens:
    audio: int = 0
    text: int = 0

    def __add__(self, other: _Tokens) -> _Tokens:
        return _Tokens(self.audio + other.audio, self.text + other.text)

    @property
    def all(self) -> int:
        return self.audio + self.text


def history_prices(
    turns: Sequence[Turn], settings: Settings, now_s: float, *, free: bool
) -> Mapping[str, HistoryPrice]:
    """The price of the history as it is set ("now") and of either choice for all of it."""
    choices = {
        "now": settings,
        "audio": _with_memory(settings, "audio", None),
        "transcript": _with_memory(settings, "transcript", None),
    }
    return {
        name: _price(history_before(turns, chosen, now_s), settings.model, free=free)
        for name, chosen in choices.items()
    }


def check_fits(
    history: History, parts: Sequence[str | Clip], settings: Settings, now_s: float
) -> None:
    """Raise UsageError if the model can't take so much, and say what can be left out."""
    known = facts(settings.model)
    window = known.context_tokens if known is not None else None
    if window is None:
        return
    asked = _input_tokens(parts) + _Tokens(text=_tools_tokens(settings))
    answer = settings.params.get("max_completion_tokens")
    room = window - asked.all - (answer if isinstance(answer, int) else 0)
    sent = _history_tokens(history).all
    if sent <= room:
        return
    least = asked.all + (answer if isinstance(answer, int) else 0)
    whole = f"about {sent + least:,} tokens, of which {sent:,} are the conversation so far"
    raise UsageError(
        f"this turn would need {whole}, but {settings.model} takes {window:,}; "
        + _proposal(history, settings, room, now_s)
    )


def _proposal(history: History, settings: Settings, room: int, now_s: float) -> str:
    spoken = sum(replays_sound(turn, now_s) for turn in history.turns)
    for count in range(spoken - 1, -1, -1):
        fewer = history_before(history.turns, _with_memory(settings, "audio", count), now_s)
        if _history_tokens(fewer).all <= room:
            if count == 0:
                return "history='transcript' repeats the earlier answers by their words, and fits"
            return f"audio_turns={count} repeats only the newest answers as sound, and fits"
    if not history.turns or room <= 0:
        return "what is asked is too long by itself; send a shorter part of it"
    return (
        "session.clear() begins anew, session.fork(at=…) goes on from an earlier place, and "
        "history='transcript' makes every turn smaller"
    )


def _with_memory(settings: Settings, history: str, audio_turns: int | None) -> Settings:
    given: dict[str, object] = {"history": history, "audio_turns": audio_turns}
    return replace(settings, memory=settings.memory.taken_from(given))


def _price(history: History, model: str, *, free: bool) -> HistoryPrice:
    tokens = _history_tokens(history)
    as_sound = sum(rung == "audio" for rung in history.rungs.values())
    known = facts(model)
    prices = known.prices if known is not None else None
    if free:
        cost = Cost(0.0)
    elif prices is None:
        cost = Cost(None, note=f"no price is known for {model}")
    else:
        usd = (tokens.audio * prices.audio_in_usd + tokens.text * prices.text_in_usd) / 1e6
        cost = Cost(usd, estimated=True, note=_ESTIMATED)
    return HistoryPrice(tokens.audio, tokens.text, as_sound, cost)


def _history_tokens(history: History) -> _Tokens:
    total = _Tokens(text=_text_tokens(history.system or ""))
    for turn in history.turns:
        total += _input_tokens(turn.input) + _answer_tokens(turn, history.rungs[turn.id])
    return total


def _answer_tokens(turn: Turn, rung: str) -> _Tokens:
    words = _text_tokens(turn.text or turn.reply.refusal)
    if rung != "audio":
        return _Tokens(text=words)
    # A replayed answer is billed at the count that it was made with.
    usage = turn.usage
    made = usage.completion_audio_tokens if usage is not None else 0
    return _Tokens(made or round(turn.reply.generated_s * OUTPUT_TOKENS_PER_S), words)


def _input_tokens(parts: Sequence[str | Clip]) -> _Tokens:
    text = " ".join(part for part in parts if isinstance(part, str))
    clips = (part for part in parts if isinstance(part, Clip))
    return _Tokens(
        sum(estimate_input_tokens(clip.duration_s) for clip in clips), _text_tokens(text)
    )


def _tools_tokens(settings: Settings) -> int:
    tools = settings.params.get("tools")
    return len(json.dumps(tools, default=str)) // _LETTERS_PER_TOKEN if tools else 0


def _text_tokens(text: str) -> int:
    return math.ceil(len(text) / _LETTERS_PER_TOKEN) + _TOKENS_PER_MESSAGE
