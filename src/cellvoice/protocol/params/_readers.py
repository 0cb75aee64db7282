"""Readers of single values: each takes what the user gave and returns it as it is sent."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

__all__ = [
    "Read",
    "Wrong",
    "extra_body",
    "flag",
    "metadata",
    "modalities",
    "number",
    "one_of",
    "stops",
    "text",
    "token_biases",
    "voice",
    "whole",
]

Read = Callable[[object], object]

MAX_BIAS: Final = 100
_MAX_STOPS = 4
_MAX_METADATA = 16
_MAX_METADATA_KEY = 64
_MAX_METADATA_VALUE = 512
_NOT_EXTRA: Final = {
    "messages": "say them: session.say(…)",
    "model": "set model=",
    "stream": "set format=, which says whether a reply can be streamed",
}


class Wrong(Exception):
    """The value does not fit. With a text, that says where; else the parameter's range does."""


def number(low: float, high: float) -> Read:
    def read(value: object) -> object:
        if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str):
            raise Wrong
        found = float(value)
        if not math.isfinite(found) or not low <= found <= high:
            raise Wrong
        return value if isinstance(value, int) else found

    return read


def whole(low: int, high: int) -> Read:
    def read(value: object) -> object:
        if isinstance(value, bool):
            raise Wrong
        try:
            found = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            raise Wrong from None
        if not low <= found <= high:
            raise Wrong
        return found

    return read


def flag(value: object) -> object:
    if not isinstance(value, bool):
        raise Wrong
    return value


def one_of(*words: str) -> Read:
    def read(value: object) -> object:
        if not isinstance(value, str) or value not in words:
            raise Wrong
        return value

    return read


def text(max_chars: int) -> Read:
    def read(value: object) -> object:
        if not isinstance(value, str) or not 1 <= len(value) <= max_chars:
            raise Wrong
        return value

    return read


def stops(value: object) -> object:
    if isinstance(value, str) and value:
        return value
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= _MAX_STOPS:
        raise Wrong
    if not all(isinstance(stop, str) and stop for stop in value):
        raise Wrong
    return list(value)


def token_biases(value: object) -> object:
    """Words are left as they are: which tokens they are depends on the model."""
    if not isinstance(value, Mapping):
        raise Wrong
    read_bias = number(-MAX_BIAS, MAX_BIAS)
    biases = {}
    for token, bias in value.items():
        if isinstance(token, bool) or not isinstance(token, (int, str)) or token == "":
            raise Wrong(f"the key {token!r} is no token, expected an id such as 1734 or a word")
        if isinstance(token, int) and token < 0:
            raise Wrong(f"the key {token} is no token id, expected 0 or more")
        biases[str(token)] = read_bias(bias)
    return biases


def metadata(value: object) -> object:
    if not isinstance(value, Mapping) or len(value) > _MAX_METADATA:
        raise Wrong
    for key, content in value.items():
        if not isinstance(key, str) or not 1 <= len(key) <= _MAX_METADATA_KEY:
            raise Wrong
        if not isinstance(content, str) or len(content) > _MAX_METADATA_VALUE:
            raise Wrong
    return dict(value)


def modalities(value: object) -> object:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise Wrong
    if len(value) != len(set(value)) or set(value) not in ({"text"}, {"text", "audio"}):
        raise Wrong
    return ["text", "audio"] if "audio" in value else ["text"]


def voice(value: object) -> object:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, Mapping) and set(value) == {"id"}:
        name = value["id"]
        if isinstance(name, str) and name.strip():
            return {"id": name}
    raise Wrong


def extra_body(value: object) -> object:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise Wrong
    for name, instead in _NOT_EXTRA.items():
        if name in value:
            raise Wrong(f"{name!r} may not be replaced in this way; {instead}")
    return json_copy(value)


def json_copy(value: object) -> object:
    """A deep copy made of JSON's own types. Raises Wrong for what JSON cannot say."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise Wrong(f"it is no JSON ({error}), expected numbers, texts, lists, mappings") from error
