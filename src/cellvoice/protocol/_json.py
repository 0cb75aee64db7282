"""JSON that enters: the one file where a value may be of any type until it has been looked at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["NotJSON", "as_int", "as_list", "as_mapping", "as_text", "decode"]

_EMPTY: Mapping[str, Any] = {}


class NotJSON(ValueError):
    """Bytes that are no JSON, also not by the widest reading."""


def decode(payload: bytes) -> Any:
    """Decode JSON; raises NotJSON."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_widely(payload)


def _decode_widely(payload: bytes) -> Any:
    """What servers written in Python or behind a careless proxy take for JSON.

    That is NaN and Infinity, halves of a surrogate pair, letters cut in two; such halves become
    U+FFFD, because text that holds them can't be written to any file.
    """
    try:
        text = json.dumps(json.loads(payload.decode("utf-8", "replace")), ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError) as error:
        raise NotJSON(str(error)) from error


def as_mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one: absent, null and nonsense are one case."""
    return value if isinstance(value, dict) else _EMPTY


def as_list(value: object) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """The value if it is a string, else the empty string."""
    return value if isinstance(value, str) else ""


def as_int(value: object) -> int | None:
    """The value as an int if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if math.isfinite(value) else None
