"""The parameters of a request: one table that everything which names a parameter reads."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from cellvoice.errors import UsageError

__all__ = ["PARAMS", "Param", "check", "check_all"]

_MAX_STOPS = 4
_MAX_METADATA = 16
_MAX_METADATA_KEY = 64
_MAX_METADATA_VALUE = 512
_MAX_BIAS = 100


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: what it may be, and what it does in a sentence.

    `default` is the service's own and is never sent; `warning` is what is known to go wrong.
    """

    name: str
    expected: str
    read: Callable[[object], object]
    default: object
    text: str
    warning: str = ""


class _Wrong(Exception):
    """The value does not fit; `check` says it with the parameter's name."""


def _number(low: float, high: float) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str):
            raise _Wrong
        number = float(value)
        if not math.isfinite(number) or not low <= number <= high:
            raise _Wrong
        return value if isinstance(value, int) else number

    return read


def _whole(low: int, high: int) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, bool):
            raise _Wrong
        try:
            number = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            raise _Wrong from None
        if not low <= number <= high:
            raise _Wrong
        return number

    return read


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise _Wrong
    return value


def _one_of(*words: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        if value not in words:
            raise _Wrong
        return value

    return read


def _text(max_chars: int) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, str) or not 1 <= len(value) <= max_chars:
            raise _Wrong
        return value

    return read


def _stops(value: object) -> object:
    if isinstance(value, str) and value:
        return value
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= _MAX_STOPS:
        raise _Wrong
    if not all(isinstance(stop, str) and stop for stop in value):
        raise _Wrong
    return list(value)


def _biases(value: object) -> object:
    if not isinstance(value, Mapping):
        raise _Wrong
    read_bias = _number(-_MAX_BIAS, _MAX_BIAS)
    biases = {}
    for token, bias in value.items():
        if isinstance(token, bool) or not str(token).isdecimal():
            raise _Wrong
        biases[str(token)] = read_bias(bias)
    return biases


def _metadata(value: object) -> object:
    if not isinstance(value, Mapping) or len(value) > _MAX_METADATA:
        raise _Wrong
    for key, content in value.items():
        if not isinstance(key, str) or not 1 <= len(key) <= _MAX_METADATA_KEY:
            raise _Wrong
        if not isinstance(content, str) or len(content) > _MAX_METADATA_VALUE:
            raise _Wrong
    return dict(value)


_ALL = (
    Param(
        "temperature", "a number in 0…2", _number(0, 2), 1,
        "How freely the model chooses its words and its voice.",
        "near 0, spoken answers have been endless noise on an earlier model; 0.6 to 1.2 is safe",
    ),
    Param(
        "top_p", "a number in 0…1", _number(0, 1), 1,
        "Choose only among the likeliest tokens that together have this probability.",
    ),
    Param(
        "frequency_penalty", "a number in −2…2", _number(-2, 2), 0,
        "Above 0, tokens become less likely the more often they have occurred.",
    ),
    Param(
        "presence_penalty", "a number in −2…2", _number(-2, 2), 0,
        "Above 0, tokens that have occurred at all become less likely.",
    ),
    Param(
        "max_completion_tokens", "a whole number of 1 or more", _whole(1, 2**31), None,
        "The most tokens a reply may have; a second of speech takes 20, and its words take more.",
        "speech is cut in the middle of a word, and a stream does not say so",
    ),
    Param(
        "stop", "a string, or a list of 1 to 4 strings", _stops, None,
        "Where the text ends; the stop itself is left out.",
    ),
    Param(
        "seed", "a whole number", _whole(-(2**63), 2**63 - 1), None,
        "The same seed and request give the same answer, as far as the service can.",
    ),
    Param(
        "logit_bias", "a mapping of token ids to numbers in −100…100", _biases, None,
        "Make tokens likelier or less likely by their id.",
    ),
    Param(
        "logprobs", "True or False", _flag, False,
        "Return the probability of each token of the text.",
        "gpt-audio models refuse it",
    ),
    Param(
        "top_logprobs", "a whole number in 0…20", _whole(0, 20), None,
        "How many other likely tokens to return for each place; needs logprobs=True.",
        "gpt-audio models refuse it",
    ),
    Param(
        "store", "True or False", _flag, False,
        "Keep the exchange at the service.",
    ),
    Param(
        "metadata", "a mapping of up to 16 names (64 characters) to texts (512 characters)",
        _metadata, None,
        "Notes that the service keeps with a stored exchange.",
    ),
    Param(
        "service_tier", "'auto', 'default', 'flex', 'scale', 'priority' or 'fast'",
        _one_of("auto", "default", "flex", "scale", "priority", "fast"), None,
        "How fast, and at which price, the service works.",
    ),
    Param(
        "safety_identifier", "a text of 1 to 128 characters", _text(128), None,
        "Names the end user to the service's abuse checks; use a hash, never a name.",
    ),
    Param(
        "prompt_cache_key", "a text of 1 to 128 characters", _text(128), None,
        "Brings similar requests to the same cache.",
    ),
)  # fmt: skip

PARAMS: Final[Mapping[str, Param]] = MappingProxyType({param.name: param for param in _ALL})

# Names that people bring with them, and what they are called here.
_OTHER_NAMES: Final = {
    "max_tokens": "max_completion_tokens",
    "max_output_tokens": "max_completion_tokens",
    "stop_sequences": "stop",
    "user": "safety_identifier",
}


def check(name: str, value: object) -> object:
    """Check one parameter and return it as it is sent.

    Raises UsageError that names the nearest known parameter, or the range that was expected.
    """
    param = PARAMS.get(name)
    if param is None:
        raise UsageError(_unknown(name))
    try:
        return param.read(value)
    except (_Wrong, TypeError, ValueError):
        raise UsageError(f"{name}={_short(value)}: expected {param.expected}") from None


def check_all(params: Mapping[str, object]) -> dict[str, object]:
    """Check parameters together; None means "not set" and is left out. Raises UsageError."""
    checked = {name: check(name, value) for name, value in params.items() if value is not None}
    for name in params:
        if name not in PARAMS:
            raise UsageError(_unknown(name))
    if "top_logprobs" in checked and checked.get("logprobs") is not True:
        raise UsageError("top_logprobs needs logprobs=True; set both, or leave it out")
    return checked


def _unknown(name: str) -> str:
    near = _OTHER_NAMES.get(name) or next(iter(get_close_matches(name, PARAMS, 1, 0.6)), None)
    if near is not None:
        return f"unknown parameter {name!r}; did you mean {near!r}?"
    return f"unknown parameter {name!r}, expected one of {', '.join(sorted(PARAMS))}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
