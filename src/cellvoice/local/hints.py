"""What a JSON schema says of each key: which values it lists and which kinds it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

__all__ = ["OTHER_KEYS", "Hint", "hints_of"]

_DEEPEST = 12
_MOST_PARTS = 2_000  # a schema that refers to itself has no end
OTHER_KEYS = "*"  # where the hints for keys stand that the schema does not name


@dataclass(frozen=True, slots=True)
class Hint:
    """`values` are JSON texts of an enumeration, `kinds` the types named, empty for any.

    `bounds` are numbers that the schema names as limits; the nearest valid number is one of them.
    """

    values: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    format: str = ""
    words: str = ""
    bounds: tuple[float, ...] = ()


def hints_of(schema: str) -> tuple[dict[str, Hint], tuple[str, ...]]:
    """Hints by key (items of a list under the list's key, the root under ""), and all keys."""
    raw = json.loads(schema)
    found: dict[str, list[Mapping[str, Any]]] = {}
    keys: dict[str, None] = {}
    for key, part in islice(_parts(raw, raw, "", 0), _MOST_PARTS):
        found.setdefault(key, []).append(part)
        for name in part.get("properties", {}) if isinstance(part.get("properties"), dict) else ():
            keys[name] = None
    return {key: _hint(parts) for key, parts in found.items()}, tuple(keys)


def _parts(
    root: Mapping[str, Any], part: object, key: str, depth: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every subschema with the key whose value it describes."""
    if not isinstance(part, dict) or depth > _DEEPEST:
        return
    yield key, part
    for name, inner in part.items():
        if name == "properties" and isinstance(inner, dict):
            for each, sub in inner.items():
                yield from _parts(root, sub, each, depth + 1)
        elif name in ("additionalProperties", "patternProperties"):
            many = name == "patternProperties" and isinstance(inner, dict)
            for sub in inner.values() if many else [inner]:
                yield from _parts(root, sub, OTHER_KEYS, depth + 1)
        elif name == "$ref" and isinstance(inner, str):
            yield from _parts(root, _target(root, inner), key, depth + 3)
        elif name in ("items", "anyOf", "allOf", "oneOf", "prefixItems"):
            for sub in inner if isinstance(inner, list) else [inner]:
                yield from _parts(root, sub, key, depth + 1)


def _target(root: object, reference: str) -> object:
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            root = root.get(step) if isinstance(root, dict) else None
    return root


def _hint(parts: list[Mapping[str, Any]]) -> Hint:
    values: dict[str, None] = {}
    kinds: set[str] = set()
    words: list[str] = []
    bounds: list[float] = []
    form = ""
    for part in parts:
        listed = part.get("enum")
        if isinstance(listed, list):
            values |= dict.fromkeys(json.dumps(v, ensure_ascii=False) for v in listed)
        if "const" in part:
            values[json.dumps(part["const"], ensure_ascii=False)] = None
        kind = part.get("type")
        kinds |= {str(k) for k in (kind if isinstance(kind, list) else [kind]) if k}
        form = form or str(part.get("format") or "")
        words.append(str(part.get("description") or ""))
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
            bound = part.get(name)
            if isinstance(bound, (int, float)) and not isinstance(bound, bool):
                bounds.append(bound)
    return Hint(tuple(values), frozenset(kinds), form, " ".join(words).lower(), tuple(bounds))
