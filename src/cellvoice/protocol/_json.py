"""JSON that enters: the one file where a value may be of any type until it has been looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["as_int", "as_list", "as_mapping", "as_text", "decode"]

_EMPTY: Mapping[str, Any] = {}


def decode(payload: bytes) -> Any:
    """Decode JSON; raises `msgspec.DecodeError` or `UnicodeDecodeError`."""
    return msgspec.json.decode(payload)


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
    """The value as an int if it is a number, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value)
