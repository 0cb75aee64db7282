"""What one request has other than another, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ._json import as_list, as_mapping, as_text
from .asked import SHOWN_CHARS, Asked, plain, shown_parts

__all__ = ["differences", "likeness"]


def differences(asked: Asked, recorded: Asked) -> list[str]:
    """What the first request has other than the second, a clause each, most telling first."""
    if asked.operation != recorded.operation:
        return [f"it is {asked.operation}, the recorded one {recorded.operation}"]
    mine, theirs = asked.body, recorded.body
    found: list[str] = []
    if mine.get("model") != theirs.get("model"):
        found.append(_one("model", mine, theirs))
    found += _of_messages(as_list(mine.get("messages")), as_list(theirs.get("messages")))
    names = [*mine, *(name for name in theirs if name not in mine)]
    found += [
        _one(name, mine, theirs)
        for name in names
        if name not in ("model", "messages") and plain(mine.get(name)) != plain(theirs.get(name))
    ]
    return found


def likeness(asked: Asked, recorded: Asked) -> float:
    """How near two questions are, 0…1: for choosing which recorded one to show."""
    from difflib import SequenceMatcher

    mine, theirs = " ".join(asked.question)[:200], " ".join(recorded.question)[:200]
    return SequenceMatcher(None, mine, theirs, autojunk=False).ratio()


def _of_messages(mine: list[Any], theirs: list[Any]) -> list[str]:
    found: list[str] = []
    if len(mine) != len(theirs):
        found.append(f"it has {_count(len(mine))}, the recorded one {len(theirs)}")
    for number, (one, other) in enumerate(zip(mine, theirs, strict=False), start=1):
        if plain(one) == plain(other):
            continue
        found.append(_of_message(number, as_mapping(one), as_mapping(other)))
        # What follows another message differs as a rule, and would hide where it began.
        return found
    if len(mine) != len(theirs) and mine and theirs:
        newest, recorded = (" + ".join(shown_parts(said[-1])) for said in (mine, theirs))
        found.append(f"its newest message is {newest}, the recorded one {recorded}")
    return found


def _count(messages: int) -> str:
    return "1 message" if messages == 1 else f"{messages} messages"


def _of_message(number: int, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    role = as_text(one.get("role")) or "no role"
    if one.get("role") != other.get("role"):
        return f"message {number} is of {role}, the recorded one of {other.get('role')}"
    mine, theirs = _sound_in(one), _sound_in(other)
    if mine and theirs and plain(mine) != plain(theirs):
        return f"the sound in message {number} {_of_sounds(mine, theirs)}"
    said, recorded = " + ".join(shown_parts(one)), " + ".join(shown_parts(other))
    return f"message {number} ({role}) is {said or 'empty'}, the recorded one {recorded or 'empty'}"


def _of_sounds(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    one, other = mine.get("seconds"), theirs.get("seconds")
    if one is None or other is None:
        return "is another file than the recorded one"
    if round(one, 1) == round(other, 1):
        return f"is {one:.1f} s like the recorded one, but with other samples (another take?)"
    return f"is {one:.1f} s, the recorded one {other:.1f} s"


def _sound_in(message: Mapping[str, Any]) -> Mapping[str, Any]:
    for part in as_list(message.get("content")):
        data = as_mapping(as_mapping(as_mapping(part).get("input_audio")).get("data"))
        if "sound" in data:
            return data
    return {}


def _one(name: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    if name not in mine:
        return f"{name} is not set, the recorded one has {_json(theirs[name])}"
    if name not in theirs:
        return f"{name} is {_json(mine[name])}, the recorded one has none"
    return f"{name} is {_json(mine[name])}, the recorded one {_json(theirs[name])}"


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 2 * SHOWN_CHARS else f"{text[: 2 * SHOWN_CHARS - 1]}…"
