"""What a reply used, in the service's own words and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from ._json import as_int

__all__ = ["InputDetails", "OutputDetails", "Usage"]


class InputDetails(msgspec.Struct, frozen=True):
    """How the prompt's tokens divide. None is what the service did not say."""

    audio_tokens: int | None = None
    text_tokens: int | None = None
    cached_tokens: int | None = None
    image_tokens: int | None = None

    def __add__(self, other: InputDetails) -> InputDetails:
        return InputDetails(
            audio_tokens=_sum(self.audio_tokens, other.audio_tokens),
            text_tokens=_sum(self.text_tokens, other.text_tokens),
            cached_tokens=_sum(self.cached_tokens, other.cached_tokens),
            image_tokens=_sum(self.image_tokens, other.image_tokens),
        )


class OutputDetails(msgspec.Struct, frozen=True):
    """How the reply's tokens divide. None is what the service did not say."""

    audio_tokens: int | None = None
    text_tokens: int | None = None
    reasoning_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None

    def __add__(self, other: OutputDetails) -> OutputDetails:
        return OutputDetails(
            audio_tokens=_sum(self.audio_tokens, other.audio_tokens),
            text_tokens=_sum(self.text_tokens, other.text_tokens),
            reasoning_tokens=_sum(self.reasoning_tokens, other.reasoning_tokens),
            accepted_prediction_tokens=_sum(
                self.accepted_prediction_tokens, other.accepted_prediction_tokens
            ),
            rejected_prediction_tokens=_sum(
                self.rejected_prediction_tokens, other.rejected_prediction_tokens
            ),
        )


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one reply, or of several added up.

    The details are None when the service did not give them; then no price can be told, because
    an audio token costs 6 to 13 times as much as a text token. `cost` is what the server itself
    charged, in US dollars, or None where it does not say (OpenRouter does, the service does not).
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    cost: float | None = None

    @classmethod
    def from_json(cls, value: object) -> Usage:
        """Read the service's `usage` object; what is missing or no number counts as not said."""
        usage = value if isinstance(value, Mapping) else {}
        prompt = _count(usage, "prompt_tokens") or 0
        completion = _count(usage, "completion_tokens") or 0
        total = _count(usage, "total_tokens")
        return cls(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion if total is None else total,
            prompt_tokens_details=_input_details(usage.get("prompt_tokens_details")),
            completion_tokens_details=_output_details(usage.get("completion_tokens_details")),
            cost=_charged_usd(usage),
        )

    def to_json(self) -> dict[str, object]:
        """The service's `usage` object; what it did not say is None."""
        found = msgspec.to_builtins(self)
        assert isinstance(found, dict)
        if self.cost is None:
            del found["cost"]  # no field of the service's
        return found

    def __add__(self, other: Usage) -> Usage:
        """Add up; details stay known only if they are known on both sides."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            prompt_tokens_details=_input_sum(self, other),
            completion_tokens_details=_output_sum(self, other),
            cost=_cost_sum(self, other),
        )

    @property
    def prompt_audio_tokens(self) -> int:
        """Audio tokens sent, 0 if the service did not say."""
        details = self.prompt_tokens_details
        return (details.audio_tokens or 0) if details else 0

    @property
    def prompt_text_tokens(self) -> int:
        """Text tokens sent: all that is not audio or image, if the service did not say."""
        details = self.prompt_tokens_details
        if details is None:
            return self.prompt_tokens
        if details.text_tokens is not None:
            return details.text_tokens
        return self.prompt_tokens - (details.audio_tokens or 0) - (details.image_tokens or 0)

    @property
    def completion_audio_tokens(self) -> int:
        """Audio tokens received, 0 if the service did not say."""
        details = self.completion_tokens_details
        return (details.audio_tokens or 0) if details else 0

    @property
    def completion_text_tokens(self) -> int:
        """Text tokens received: all that is not audio, if the service did not say."""
        details = self.completion_tokens_details
        if details is None:
            return self.completion_tokens
        if details.text_tokens is not None:
            return details.text_tokens
        return self.completion_tokens - (details.audio_tokens or 0)

    @property
    def cached_tokens(self) -> int:
        """Tokens sent that the service had kept, 0 if it did not say."""
        details = self.prompt_tokens_details
        return (details.cached_tokens or 0) if details else 0


def _input_details(value: object) -> InputDetails | None:
    if not isinstance(value, Mapping):
        return None
    return InputDetails(
        audio_tokens=_count(value, "audio_tokens"),
        text_tokens=_count(value, "text_tokens"),
        cached_tokens=_count(value, "cached_tokens"),
        image_tokens=_count(value, "image_tokens"),
    )


def _output_details(value: object) -> OutputDetails | None:
    if not isinstance(value, Mapping):
        return None
    return OutputDetails(
        audio_tokens=_count(value, "audio_tokens"),
        text_tokens=_count(value, "text_tokens"),
        reasoning_tokens=_count(value, "reasoning_tokens"),
        accepted_prediction_tokens=_count(value, "accepted_prediction_tokens"),
        rejected_prediction_tokens=_count(value, "rejected_prediction_tokens"),
    )


def _input_sum(one: Usage, two: Usage) -> InputDetails | None:
    # A side without tokens has nothing to divide, so it hides nothing.
    if one.prompt_tokens == 0 and one.prompt_tokens_details is None:
        return two.prompt_tokens_details
    if two.prompt_tokens == 0 and two.prompt_tokens_details is None:
        return one.prompt_tokens_details
    if one.prompt_tokens_details is None or two.prompt_tokens_details is None:
        return None
    return one.prompt_tokens_details + two.prompt_tokens_details


def _output_sum(one: Usage, two: Usage) -> OutputDetails | None:
    if one.completion_tokens == 0 and one.completion_tokens_details is None:
        return two.completion_tokens_details
    if two.completion_tokens == 0 and two.completion_tokens_details is None:
        return one.completion_tokens_details
    if one.completion_tokens_details is None or two.completion_tokens_details is None:
        return None
    return one.completion_tokens_details + two.completion_tokens_details


def _cost_sum(one: Usage, two: Usage) -> float | None:
    if one.total_tokens == 0 and one.cost is None:
        return two.cost
    if two.total_tokens == 0 and two.cost is None:
        return one.cost
    return None if one.cost is None or two.cost is None else one.cost + two.cost


def _charged_usd(usage: Mapping[str, object]) -> float | None:
    charged = _usd(usage.get("cost"))
    details = usage.get("cost_details")
    if charged is not None and usage.get("is_byok") is True and isinstance(details, Mapping):
        # With a key of the caller's own at the provider, OpenRouter charges its fee alone.
        charged += _usd(details.get("upstream_inference_cost")) or 0.0
    return charged


def _usd(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _count(mapping: Mapping[str, object], name: str) -> int | None:
    return as_int(mapping.get(name))


def _sum(one: int | None, two: int | None) -> int | None:
    return None if one is None or two is None else one + two
