"""The numbers of a turn as they are in its form: tokens, cost, times, and what support asks for."""

from __future__ import annotations

from cellvoice.protocol import CostParts, Usage

from .card import CostPartForm, Facts, MoreFacts, UsageForm
from .turn_like import TurnLike

__all__ = ["facts_form", "usage_form"]


def facts_form(turn: TurnLike) -> Facts:
    """What a turn used, cost and how long it took."""
    return {
        "usage": usage_form(turn.usage),
        "cost_usd": turn.cost_usd,
        "cost_note": turn.cost_note,
        "first_event_s": _seconds(turn.timing.first_event_s),
        "first_sound_s": _seconds(turn.timing.first_sound_s),
        "total_s": _seconds(turn.timing.total_s),
        "request_id": turn.request_id,
        "expires_at": turn.reply.expires_at,
        **_more(turn),
    }


def _more(turn: TurnLike) -> MoreFacts:
    found: MoreFacts = {}
    seed = turn.request.params.get("seed") if turn.request is not None else None
    if isinstance(seed, int):
        found["seed"] = seed
    if turn.reply.fingerprint:
        found["fingerprint"] = turn.reply.fingerprint
    timing = turn.timing
    if timing.upload_s is not None:
        found["upload_s"] = round(timing.upload_s, 3)
    if timing.first_byte_s is not None:
        found["first_byte_s"] = round(timing.first_byte_s, 3)
    if timing.first_words_s is not None:
        found["first_words_s"] = round(timing.first_words_s, 3)
    rungs = list(turn.rungs.values())
    if rungs:
        found["rungs"] = {"audio": rungs.count("audio"), "transcript": rungs.count("transcript")}
    parts = _cost_parts(turn.cost.parts)
    if parts:
        found["cost_parts"] = parts
    return found


def _cost_parts(parts: CostParts) -> list[CostPartForm]:
    return [
        {"part": name, "tokens": part.tokens, "usd": _usd(part.usd)}
        for name, part in zip(parts._fields, parts, strict=True)
        if part.tokens
    ]


def _usd(value: float | None) -> float | None:
    return None if value is None else round(value, 8)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def usage_form(usage: Usage | None) -> UsageForm | None:
    """The tokens as one flat object; a detail that the service left out counts as 0."""
    if usage is None:
        return None
    sent = usage.prompt_tokens_details
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_audio_tokens": usage.prompt_audio_tokens,
        "prompt_text_tokens": usage.prompt_text_tokens,
        "completion_audio_tokens": usage.completion_audio_tokens,
        "completion_text_tokens": usage.completion_text_tokens,
        "cached_tokens": (sent.cached_tokens if sent is not None else None) or 0,
    }
