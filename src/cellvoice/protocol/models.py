"""What is known of each model, as data: limits, prices with their date, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from .cost import usage_cost
from .prices import FREE, PriceList, Prices, base_name, is_engine, published_prices
from .usage import Usage

__all__ = [
    "ENGINE_MODEL",
    "MODELS",
    "VOICES",
    "ModelFacts",
    "Prices",
    "SecondPrice",
    "cost_usd",
    "estimate_input_tokens",
    "facts",
    "usd_per_second",
]

# Measured in every recording: a reply has exactly 20 audio tokens a second, spoken input 10,
# rounded down.
OUTPUT_TOKENS_PER_S: Final = 20
INPUT_TOKENS_PER_S: Final = 10

# The name by which the embedded engine answers, whatever model it was asked for.
ENGINE_MODEL: Final = "cellvoice-engine-1"
_PER_MILLION = 1e-6


class ModelFacts(msgspec.Struct, frozen=True):
    """What is known of one model. None is what is not known."""

    name: str
    context_tokens: int | None
    max_output_tokens: int | None
    prices: Prices | None
    shutdown: date | None = None
    successor: str | None = None
    # Parameters that the service is known to refuse with this model, and what is known of that.
    refused: Mapping[str, str] = MappingProxyType({})
    # The voices that it is known to have; None is any.
    voices: tuple[str, ...] | None = None
    # The vocabulary of its text, by tiktoken's name.
    vocabulary: str | None = None
    # Whether a request must have sound in its input or its output.
    needs_audio: bool = False


class SecondPrice(NamedTuple):
    """US dollars for a second of speech, sent and received (text tokens not counted)."""

    input_usd: float
    output_usd: float


# The service's own list, from its refusal of a name that is not on it (gpt-audio and
# gpt-audio-mini, September 2026).
VOICES: Final = (
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
)
_NO_LOGPROBS = "audio models give no token probabilities, not for written answers either"
_AUDIO_REFUSES: Final = MappingProxyType(
    {
        # A matrix that users of gpt-4o-audio-preview put together, February 2025. The words are
        # not known; sibling models say 403 "not allowed to request" or 400 "Unsupported parameter".
        "logprobs": _NO_LOGPROBS,
        "top_logprobs": _NO_LOGPROBS,
        # 400 "Invalid parameter: 'response_format' of type 'json_schema' is not supported with
        # this model" (gpt-audio-1.5 and -mini, September 2026; json_object on the one before).
        "response_format": "audio models have no structured outputs; schema= asks another way",
        # The service's page on gpt-audio-1.5 lists predicted outputs as not supported.
        "prediction": "audio models have no predicted outputs",
    }
)


def _audio_model(
    name: str, shutdown: date | None = None, successor: str | None = None
) -> ModelFacts:
    return ModelFacts(
        name=name,
        context_tokens=128_000,
        max_output_tokens=16_384,
        prices=published_prices(name),
        shutdown=shutdown,
        successor=successor,
        refused=_AUDIO_REFUSES,
        needs_audio=True,
        voices=VOICES,
        # Not documented: the one that gpt-4o, which they descend from, has.
        vocabulary="o200k_base",
    )


MODELS: Final = {
    model.name: model
    for model in (
        # The shutdown date comes from secondary sources; the service's own page was not read.
        _audio_model("gpt-audio", date(2027, 1, 20), "gpt-audio-1.5"),
        _audio_model("gpt-audio-1.5"),
        _audio_model("gpt-audio-mini", date(2027, 1, 20), "gpt-audio-1.5"),
    )
}


def facts(model: str) -> ModelFacts | None:
    """What is known of a model by its name or dated snapshot, or None."""
    if is_engine(model):
        # It answers text with text too, refuses what it can't do itself, and costs nothing.
        return ModelFacts(model, None, None, FREE)
    return MODELS.get(model) or MODELS.get(base_name(model))


def cost_usd(usage: Usage, model: str, prices: PriceList | None = None) -> float | None:
    """What a reply cost in US dollars, or None if the model or how its tokens divide is unknown.

    What the server itself says of the cost counts before the prices.
    """
    if is_engine(model):
        return 0.0
    if usage.cost is not None:
        return usage.cost
    known = (prices or PriceList()).for_model(model)
    return None if known is None else usage_cost(usage, known).usd


def estimate_input_tokens(seconds: float) -> int:
    """Audio tokens that so many seconds of spoken input will be billed as."""
    # 3.3 × 10 is 32.99… in floating point; a billionth makes up for it.
    return math.floor(INPUT_TOKENS_PER_S * seconds + 1e-9)


def usd_per_second(model: str, prices: PriceList | None = None) -> SecondPrice | None:
    """What a second of speech costs, sent and received, or None if no price is known."""
    known = (prices or PriceList()).for_model(model)
    if known is None:
        return None
    return SecondPrice(
        input_usd=_PER_MILLION * INPUT_TOKENS_PER_S * known.audio_in_usd,
        output_usd=_PER_MILLION * OUTPUT_TOKENS_PER_S * known.audio_out_usd,
    )
