"""The fields of an object that are a choice among a few values, and where their JSON stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the stubs
from typing import Any, Final

__all__ = ["Choice", "choices_in", "json_key"]

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """One such field of one object: `path` is its place (`legs[0].colour`), `values` are those that
    its schema allows, `value` the one that it has; its JSON is `text[start:end]`."""

    path: str
    values: tuple[object, ...]
    value: object
    start: int
    end: int


def choices_in(text: str, schema: Schema) -> list[Choice]:
    """The choices of an object that is written as `text`, by its strict schema.

    Enumerations, constants and booleans, with null where that is allowed. Raises ValueError for a
    text that is no JSON.
    """
    fields: list[Field] = []
    _walk(text, 0, "", schema, schema, fields)
    return [
        Choice(path, values, value, start, end)
        for path, field, value, start, end in fields
        if len(values := _values(field, value, schema)) > 1
    ]


def json_key(value: object) -> str:
    """What tells values apart as JSON does: 1 == True in Python."""
    return json.dumps(value, sort_keys=True)


Field = tuple[str, Schema, object, int, int]


def _walk(text: str, at: int, path: str, schema: Schema, root: Schema, found: list[Field]) -> int:
    """Take one value, with all that is in it; where it ends."""
    at = _after_space(text, at)
    schema = _resolved(schema, root)
    if text[at : at + 1] == "{":
        return _walk_object(text, at + 1, path, schema, root, found)
    if text[at : at + 1] == "[":
        return _walk_list(text, at + 1, path, schema, root, found)
    value, end = _DECODER.raw_decode(text, at)
    found.append((path, schema, value, at, end))
    return end


def _walk_object(
    text: str, at: int, path: str, schema: Schema, root: Schema, found: list[Field]
) -> int:
    while text[(at := _after_space(text, at)) : at + 1] != "}":
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        if text[at : at + 1] != '"':
            raise ValueError("an object's key is missing")
        name, at = scanstring(text, at + 1)
        at = _after_space(text, at)
        if text[at : at + 1] != ":":
            raise ValueError("an object's value is missing")
        inner = _property(schema, name, root)
        at = _walk(text, at + 1, f"{path}.{name}" if path else name, inner, root, found)
    return at + 1


def _walk_list(
    text: str, at: int, path: str, schema: Schema, root: Schema, found: list[Field]
) -> int:
    items: Schema = next((one["items"] for one in _branches(schema, root) if "items" in one), {})
    count = 0
    while text[(at := _after_space(text, at)) : at + 1] != "]":
        if text[at : at + 1] == ",":
            at += 1
        at = _walk(text, at, f"{path}[{count}]", items, root, found)
        count += 1
    return at + 1


def _after_space(text: str, at: int) -> int:
    matched = _SPACE.match(text, at)
    assert matched is not None
    return matched.end()


def _property(schema: Schema, name: str, root: Schema) -> Schema:
    for one in _branches(schema, root):
        inner = one.get("properties", {}).get(name)
        if isinstance(inner, Mapping):
            return inner
    return {}


def _branches(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The schema and those of its union, references followed."""
    schema = _resolved(schema, root)
    yield schema
    for one in schema.get("anyOf") or ():
        yield from _branches(one, root)


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    found = root if reference == "#" else root.get("$defs", {}).get(reference.rpartition("/")[2])
    return found if isinstance(found, Mapping) else {}


def _values(schema: Schema, value: object, root: Schema) -> tuple[object, ...]:
    """The values that a field may have, or none if they can't be counted."""
    found: list[object] = []
    for one in _branches(schema, root):
        if one.get("anyOf"):
            continue
        kind = one.get("type")
        if "enum" in one:
            found += one["enum"]
        elif "const" in one:
            found.append(one["const"])
        elif set(kind if isinstance(kind, list) else [kind]) <= {"boolean", "null"}:
            found += [False, True] if "boolean" in str(kind) else []
            found += [None] if "null" in str(kind) else []
        else:
            return ()
    # Null may be in an enumeration and beside it; 2 may have been written as 2.0.
    known = {json_key(one): one for one in found}
    if known:
        known.setdefault(json_key(value), value)
    return tuple(known.values())
