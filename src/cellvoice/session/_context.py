"""What the conversation adds to a request, and whether the model can take so much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError
from cellvoice.protocol import PriceList, Request, Tokens, facts, tokens_cost

from ._cost import Cost
from ._history import History, history_before, replays_sound
from ._sent import history_tokens, sent_in

if TYPE_CHECKING:
    from ._asking import Settings
    from .turn import Turn

__all__ = ["HistoryPrice", "check_fits", "history_prices"]

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


def history_prices(
    turns: Sequence[Turn], settings: Settings, now_s: float, prices: PriceList
) -> Mapping[str, HistoryPrice]:
    """The price of the history as it is set ("now") and of either choice for all of it."""
    choices = {
        "now": settings,
        "audio": _with_memory(settings, "audio", None),
        "transcript": _with_memory(settings, "transcript", None),
    }
    return {
        name: _price(history_before(turns, chosen, now_s), settings.model, prices)
        for name, chosen in choices.items()
    }


def check_fits(request: Request, history: History, settings: Settings, now_s: float) -> None:
    """Raise UsageError if the model can't take so much, and say what can be left out."""
    known = facts(request.model)
    window = known.context_tokens if known is not None else None
    if window is None:
        return
    sent = sent_in(request, history.turns)
    limit = request.params.get("max_completion_tokens")
    besides = sent.question.total + sent.around.total + (limit if isinstance(limit, int) else 0)
    before = sent.history.total
    if before + besides <= window:
        return
    raise UsageError(
        f"this turn would need about {before + besides:,} tokens, of which {before:,} are the "
        f"conversation so far, but {request.model} takes {window:,}; "
        + _proposal(history, settings, window - besides, now_s)
    )


def _proposal(history: History, settings: Settings, room: int, now_s: float) -> str:
    spoken = sum(replays_sound(turn, now_s) for turn in history.turns)
    for count in range(spoken - 1, -1, -1):
        fewer = history_before(history.turns, _with_memory(settings, "audio", count), now_s)
        if _tokens(fewer).total <= room:
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


def _price(history: History, model: str, prices: PriceList) -> HistoryPrice:
    tokens = _tokens(history)
    as_sound = sum(rung == "audio" for rung in history.rungs.values())
    usd = tokens_cost(prices.for_model(model), text_in=tokens.text, audio_in=tokens.audio).usd
    if usd is None:
        cost = Cost(None, note=f"no price is known for {model}; prices= can tell it")
    else:
        cost = Cost(usd, estimated=usd > 0, note=_ESTIMATED if usd > 0 else None)
    return HistoryPrice(tokens.audio, tokens.text, as_sound, cost)


def _tokens(history: History) -> Tokens:
    return history_tokens(history.messages(), history.turns)
