"""The parameters of a request: which are acted on, which are refused, which are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import refusals
from .sampler import Sampling

__all__ = ["DEFAULT_TEMPERATURE", "boolean", "check_names", "sampling"]

# The service's default is 1. A model of a thousand words is worth reading only below that, so
# what the caller did not set is set lower; whatever the caller sets is obeyed.
DEFAULT_TEMPERATURE = 0.4

# Parameters that the first form of the engine does not act on, with the values that ask for
# nothing and are therefore no reason to refuse.
_NOT_DONE: Mapping[str, tuple[object, ...]] = {
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "moderation": (),
    "n": (1,),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "presence_penalty": (0,),
    "reasoning_effort": (),
    "response_format": ({"type": "text"},),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "verbosity": (),
    "web_search_options": (),
}
_ACTED_ON = frozenset(
    [
        "audio",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "modalities",
        "model",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
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
        elif name not in _ACTED_ON and name not in _WITHOUT_EFFECT:
            raise refusals.unknown_parameter(name)


def sampling(given: Mapping[str, Any]) -> Sampling:
    """How to draw, from the parameters that were set."""
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
    name = "max_completion_tokens" if "max_completion_tokens" in given else "max_tokens"
    return Sampling(
        temperature=_number(given, "temperature", DEFAULT_TEMPERATURE, 0, 2),
        top_p=_number(given, "top_p", 1.0, 0, 1),
        seed=_integer(given, "seed", -(2**63), 2**63 - 1),
        stop=tuple(stops),
        max_tokens=_integer(given, name, 1, 1_000_000),
    )


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


def _integer(given: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusals.invalid_type(name, "an integer")
    if not low <= value <= high:
        raise refusals.out_of_range(name, value, low, high)
    return value
