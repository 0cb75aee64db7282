"""What the service takes of a schema at most, and patterns that it takes of none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["has_lookaround", "over_limits", "without_lookaround"]

Schema = Mapping[str, Any]

# The service's own numbers, for strict schemas.
_PROPERTIES: Final = 5_000
_LEVELS: Final = 10
_ENUM_VALUES: Final = 1_000
_LONG_ENUM_VALUES: Final = 250
_LONG_ENUM_LETTERS: Final = 15_000
_LETTERS: Final = 120_000

_LOOKAROUND: Final = re.compile(r"\(\?(?:[=!]|<[=!])")
# Under these a key is a name of the user's, not a word of JSON schema.
_NAMED: Final = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")


def has_lookaround(pattern: object) -> bool:
    """Whether a pattern looks around, which the service refuses: with the whole request."""
    return _LOOKAROUND.search(str(pattern)) is not None


def without_lookaround(schema: Schema) -> dict[str, Any]:
    """The schema without such patterns. Also one that is not strict is refused for them."""
    return {
        key: _named(value) if key in _NAMED else _inner(value)
        for key, value in schema.items()
        if key != "pattern" or not has_lookaround(value)
    }


def _named(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: _inner(one) for key, one in value.items()}


def _inner(value: object) -> object:
    if isinstance(value, Mapping):
        return without_lookaround(value)
    return [_inner(one) for one in value] if isinstance(value, list) else value


@dataclass(slots=True)
class _Counts:
    properties: int = 0
    enum_values: int = 0
    levels: int = 0
    letters: int = 0
    long_enums: list[str] = field(default_factory=list)


def over_limits(schema: Schema) -> str:
    """What there is too much of in a strict schema, in a few words with the limit, or ""."""
    found = _Counts()
    _count(schema, found, 0, "the whole")
    checks = [
        (found.properties, _PROPERTIES, "properties"),
        (found.levels, _LEVELS, "objects inside each other"),
        (found.enum_values, _ENUM_VALUES, "values of enums"),
        (found.letters, _LETTERS, "letters in names and values"),
    ]
    for count, limit, what in checks:
        if count > limit:
            return f"{count:,} {what}, expected at most {limit:,}"
    return next(iter(found.long_enums), "")


def _count(schema: Schema, found: _Counts, level: int, name: str) -> None:
    properties = schema.get("properties", {})
    level += 1 if "properties" in schema else 0
    found.levels = max(found.levels, level)
    found.properties += len(properties)
    found.letters += sum(map(len, properties)) + len(str(schema.get("const", "")))
    enum = schema.get("enum", ())
    found.enum_values += len(enum)
    letters = sum(len(one) for one in enum if isinstance(one, str))
    found.letters += letters
    if len(enum) > _LONG_ENUM_VALUES and letters > _LONG_ENUM_LETTERS:
        found.long_enums.append(
            f"{letters:,} letters in the {len(enum)} values of {name}, expected at most "
            f"{_LONG_ENUM_LETTERS:,} where there are more than {_LONG_ENUM_VALUES}"
        )
    for key, one, deeper in _inside(schema, level):
        _count(one, found, deeper, key or name)
    found.letters += sum(map(len, schema.get("$defs", {})))


def _inside(schema: Schema, level: int) -> Iterator[tuple[str, Schema, int]]:
    """The schemas in it, with the names that they have; a definition begins anew."""
    for key, one in schema.get("properties", {}).items():
        yield key, one, level
    for one in schema.get("anyOf", ()):
        yield "", one, level
    if isinstance(schema.get("items"), Mapping):
        yield "", schema["items"], level
    for key, one in schema.get("$defs", {}).items():
        yield key, one, 0
