"""JSON from outside, made small enough for a card and free of keys."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from cellvoice.protocol import mask_keys

__all__ = ["clipped", "clipped_text", "plain_json"]

# Letters of a text and members of a list or object; each step is tried until the whole fits.
_STEPS: Final = ((2_000, 200), (400, 40), (120, 16), (60, 6), (24, 3))
_DEEPEST: Final = 24


def clipped(value: Any, max_bytes: int | None) -> Any:
    """The value without keys, and with long texts and lists cut until it has at most so many bytes.

    The beginning and the end of a list are kept: of messages, the system's and the newest.
    """
    whole = _cut(value, 1 << 62, 1 << 62, 0)
    if max_bytes is None or _size(whole) <= max_bytes:
        return whole
    for letters, members in _STEPS:
        cut = _cut(value, letters, members, 0)
        if _size(cut) <= max_bytes:
            return cut
    return {"…": f"{_size(whole):,} bytes"}


def clipped_text(text: str, max_letters: int | None) -> str:
    """The text without keys; a longer one ends with … and how much was left out."""
    shown = mask_keys(text)
    if max_letters is None or len(shown) <= max_letters:
        return shown
    return f"{shown[:max_letters]}… ({len(shown) - max_letters:,} more letters)"


def plain_json(value: Any) -> Any:
    """An object of any class as JSON: pydantic's, a dataclass, msgspec's, or what a dict holds."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    if hasattr(value, "__struct_fields__"):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    return value


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _cut(value: Any, letters: int, members: int, depth: int) -> Any:
    if isinstance(value, str):
        return clipped_text(value, letters)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        # NaN is no JSON.
        return value if math.isfinite(value) else str(value)
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return _cut_mapping(value, letters, members, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _cut_list(list(value), letters, members, depth)
    inner = plain_json(value)
    if inner is value:
        return clipped_text(str(value), letters)
    return _cut(inner, letters, members, depth + 1)


def _cut_mapping(value: Mapping[Any, Any], letters: int, members: int, depth: int) -> Any:
    kept = list(value.items())[:members]
    cut = {mask_keys(str(name)): _cut(item, letters, members, depth + 1) for name, item in kept}
    if len(value) > len(kept):
        cut["…"] = f"{len(value) - len(kept):,} more"
    return cut


def _cut_list(value: list[Any], letters: int, members: int, depth: int) -> list[Any]:
    left_out = len(value) - members
    if left_out <= 0:
        return [_cut(item, letters, members, depth + 1) for item in value]
    head, tail = value[:1], value[len(value) - members + 1 :]
    return [
        *(_cut(item, letters, members, depth + 1) for item in head),
        f"… {left_out:,} more …",
        *(_cut(item, letters, members, depth + 1) for item in tail),
    ]
