"""What tokens cost together, part by part."""

from __future__ import annotations

from typing import Final, NamedTuple

from .prices import Prices
from .usage import Usage

__all__ = ["NO_PARTS", "CostPart", "CostParts", "tokens_cost", "usage_cost"]

_PER_MILLION: Final = 1e-6


class CostPart(NamedTuple):
    """Tokens of one kind and what they cost in US dollars; None where that is not known."""

    tokens: int = 0
    usd: float | None = 0.0

    def plus(self, other: CostPart) -> CostPart:
        """Both together; dollars stay known only if they are known on both sides."""
        known = self.usd is not None and other.usd is not None
        usd = (self.usd or 0.0) + (other.usd or 0.0)
        return CostPart(self.tokens + other.tokens, usd if known else None)


class CostParts(NamedTuple):
    """The parts of a cost; no token is in two of them.

    `cached_in` are tokens sent that the service had kept; the service lists no discount on them.
    """

    text_in: CostPart = CostPart()
    cached_in: CostPart = CostPart()
    audio_in: CostPart = CostPart()
    text_out: CostPart = CostPart()
    audio_out: CostPart = CostPart()

    @property
    def usd(self) -> float | None:
        """All parts together, in US dollars, or None if one of them is not known."""
        known = [part.usd for part in self if part.usd is not None]
        return sum(known) if len(known) == len(self) else None

    def plus(self, other: CostParts) -> CostParts:
        """The parts of both costs."""
        return CostParts(*(one.plus(two) for one, two in zip(self, other, strict=True)))

    def unpriced(self) -> CostParts:
        """The tokens alone: the dollars are known in sum only, or not at all."""
        return CostParts(*(CostPart(part.tokens, None if part.tokens else 0.0) for part in self))


NO_PARTS: Final = CostParts()


def tokens_cost(
    prices: Prices | None,
    *,
    text_in: int = 0,
    audio_in: int = 0,
    text_out: int = 0,
    audio_out: int = 0,
    cached_in: int = 0,
) -> CostParts:
    """What so many tokens cost; `cached_in` of those that are sent were kept.

    The service does not say what the kept ones are, so they count as text as far as there is any.
    """
    cached_text = min(cached_in, text_in)
    cached_audio = min(cached_in - cached_text, audio_in)
    parts = CostParts(
        text_in=CostPart(text_in - cached_text),
        cached_in=CostPart(cached_text + cached_audio),
        audio_in=CostPart(audio_in - cached_audio),
        text_out=CostPart(text_out),
        audio_out=CostPart(audio_out),
    )
    if prices is None:
        return parts.unpriced()
    kept_usd = prices.cached_text_in_usd
    cached_usd = cached_text * (prices.text_in_usd if kept_usd is None else kept_usd)
    cached_usd += cached_audio * prices.audio_in_usd
    return CostParts(
        _priced(parts.text_in, prices.text_in_usd),
        CostPart(parts.cached_in.tokens, _PER_MILLION * cached_usd),
        _priced(parts.audio_in, prices.audio_in_usd),
        _priced(parts.text_out, prices.text_out_usd),
        _priced(parts.audio_out, prices.audio_out_usd),
    )


def usage_cost(usage: Usage, prices: Prices | None) -> CostParts:
    """The parts of what a server says that it used; without dollars where it did not divide it."""
    parts = tokens_cost(
        prices,
        text_in=usage.prompt_text_tokens,
        audio_in=usage.prompt_audio_tokens,
        text_out=usage.completion_text_tokens,
        audio_out=usage.completion_audio_tokens,
        cached_in=usage.cached_tokens,
    )
    return parts if _divided(usage) else parts.unpriced()


def _divided(usage: Usage) -> bool:
    sent, received = usage.prompt_tokens_details, usage.completion_tokens_details
    if usage.prompt_tokens and (sent is None or sent.audio_tokens is None):
        return False
    return not usage.completion_tokens or (
        received is not None and received.audio_tokens is not None
    )


def _priced(part: CostPart, usd_per_million: float) -> CostPart:
    return CostPart(part.tokens, _PER_MILLION * part.tokens * usd_per_million)
