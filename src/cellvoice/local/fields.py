"""The parameters of a request: which are acted on, which are refused, which are wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import refusals
from .sampler import Sampling

__all__ = [
    "ACTED_ON",
    "DEFAULT_TEMPERATURE",
    "boolean",
    "check_names",
    "integer",
    "sampling",
    "wants_logprobs",
]

# The service's default is 1. A model of a thousand words is worth reading only below that, so
# what the caller did not set is set lower; whatever the caller sets is obeyed.
DEFAULT_TEMPERATURE = 0.4

# Parameters of the service that the engine does not act on, with the values that ask for nothing
# and are therefore no reason to refuse.
_NOT_DONE: Mapping[str, tuple[object, ...]] = {
    "function_call": ("none",),
    "functions": ([],),
    "moderation": (),
    "prediction": (),
    "reasoning_effort": (),
    "verbosity": (),
    "web_search_options": (),
}
ACTED_ON = frozenset(
    [
        "audio",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "modalities",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
    ]
)
# They change nothing in an answer of the service either.
_WITHOUT_EFFECT = frozenset(
    [
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    ]
)


def check_names(given: Mapping[str, Any]) -> None:
    """Refuse what the engine would have to ignore, and what nobody knows."""
    for name, value in given.items():
        if name in _NOT_DONE:
            if value not in _NOT_DONE[name]:
                raise refusals.unsupported_parameter(name)
        elif name not in ACTED_ON and name not in _WITHOUT_EFFECT:
            raise refusals.unknown_parameter(name)


def sampling(given: Mapping[str, Any], vocabulary_size: int | None = None) -> Sampling:
    """How to draw, from the parameters that were set; token ids end below `vocabulary_size`."""
    name = "max_completion_tokens" if "max_completion_tokens" in given else "max_tokens"
    return Sampling(
        temperature=_number(given, "temperature", DEFAULT_TEMPERATURE, 0, 2),
        top_p=_number(given, "top_p", 1.0, 0, 1),
        seed=integer(given, "seed", -(2**63), 2**63 - 1),
        stop=_stops(given),
        max_tokens=integer(given, name, 1, 1_000_000),
        presence_penalty=_number(given, "presence_penalty", 0.0, -2, 2),
        frequency_penalty=_number(given, "frequency_penalty", 0.0, -2, 2),
        logit_bias=_logit_bias(given, vocabulary_size),
        top_logprobs=integer(given, "top_logprobs", 0, 20) or 0,
    )


def wants_logprobs(given: Mapping[str, Any]) -> bool:
    """Whether each token comes with its probability. Raises Refusal for alternatives alone."""
    wanted = boolean(given, "logprobs", False)
    if given.get("top_logprobs") and not wanted:
        raise refusals.Refusal(
            "Invalid value for 'top_logprobs': 'top_logprobs' is only allowed when 'logprobs' is "
            "set to true.",
            param="top_logprobs",
            code="invalid_value",
        )
    return wanted


def _stops(given: Mapping[str, Any]) -> tuple[str, ...]:
    stop = given.get("stop", [])
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(text, str) for text in stops):
        raise refusals.invalid_type("stop", "a string or an array of strings")
    if len(stops) > 4:
        raise refusals.Refusal(
            f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got an "
            f"array with length {len(stops)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    return tuple(stops)


def _logit_bias(given: Mapping[str, Any], vocabulary_size: int | None) -> dict[int, float]:
    raw = given.get("logit_bias", {})
    if not isinstance(raw, dict):
        raise refusals.invalid_type("logit_bias", "an object")
    found: dict[int, float] = {}
    for key, amount in raw.items():
        highest = "" if vocabulary_size is None else f" Maximum value is {vocabulary_size - 1}."
        # A key of a thousand digits is no number that anybody has to read.
        if not re.fullmatch("[0-9]{1,9}", key) or not (
            vocabulary_size is None or int(key) < vocabulary_size
        ):
            raise refusals.Refusal(
                f"Invalid key in 'logit_bias': {key[:40]}.{highest} This engine has token ids of "
                "its own; GET /v1/engine/tokens lists them.",
                param="logit_bias",
                code="invalid_value",
            )
        if isinstance(amount, bool) or not isinstance(amount, (int, float)):
            raise refusals.invalid_type(f"logit_bias.{key}", "a number")
        if not -100 <= amount <= 100:
            raise refusals.out_of_range(f"logit_bias.{key}", amount, -100, 100)
        found[int(key)] = float(amount)
    return found


def boolean(given: Mapping[str, Any], name: str, default: bool) -> bool:
    """A true or false, and nothing that merely looks like it."""
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise refusals.invalid_type(name, "a boolean")
    return value


def _number(given: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refusals.invalid_type(name, "a decimal")
    if not low <= value <= high:
        raise refusals.out_of_range(name, float(value), low, high)
    return float(value)


def integer(given: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number within its range, or None where it is not given."""
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusals.invalid_type(name, "an integer")
    if not low <= value <= high:
        raise refusals.out_of_range(name, value, low, high)
    return value
