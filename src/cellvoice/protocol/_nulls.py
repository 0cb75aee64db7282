"""Null in the place of what need not be given: the strict form knows no optional property."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ._fits import misfit

__all__ = ["or_null", "without_added_nulls"]

Schema = Mapping[str, Any]

# A default that is longer is not told: it is paid for with every request.
_DEFAULT_LETTERS: Final = 60


def or_null(strict: dict[str, object], schema: object, root: Schema) -> dict[str, object]:
    """The strict form of an optional property, for which null stands when it is not given.

    `schema` is the property before it was made strict: one that takes null of itself is left as it
    is, and a default is told in the description.
    """
    if not isinstance(schema, Mapping) or _takes_null(schema, root):
        return strict
    words = _default_words(schema)
    described = ". ".join(filter(None, (str(strict.get("description", "")).rstrip("."), words)))
    bare = {key: value for key, value in strict.items() if key != "description"}
    told: dict[str, object] = {"description": described} if described else {}
    kind = bare.get("type")
    if isinstance(kind, str) and not {"enum", "const", "anyOf"} & set(bare):
        return {**told, **bare, "type": [kind, "null"]}
    choices = bare.get("anyOf") if set(bare) == {"anyOf"} else [bare]
    assert isinstance(choices, list)
    return {**told, "anyOf": [*choices, {"type": "null"}]}


def without_added_nulls(value: object, schema: Schema, root: Schema | None = None) -> object:
    """The value without the nulls that `or_null` made possible; `schema` as before that."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if isinstance(value, dict):
        value = _without(value, schema, root)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        value = [without_added_nulls(one, schema["items"], root) for one in value]
    for one in schema.get("allOf") or ():
        value = without_added_nulls(value, one, root)
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    if any(not misfit(value, one, root) for one in choices):
        return value
    for one in choices:
        pruned = without_added_nulls(value, one, root)
        if not misfit(pruned, one, root):
            return pruned
    return value


def _without(value: dict[str, Any], schema: Schema, root: Schema) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    needed = schema.get("required") or ()
    kept = {}
    for name, one in value.items():
        inner = properties.get(name, schema.get("additionalProperties"))
        if not isinstance(inner, Mapping):
            kept[name] = one
        elif (
            one is not None or name in needed or name not in properties or _takes_null(inner, root)
        ):
            kept[name] = without_added_nulls(one, inner, root)
    return kept


def _takes_null(schema: Schema, root: Schema) -> bool:
    return not misfit(None, schema, root)


def _resolved(schema: Schema, root: Schema) -> Schema:
    # A chain of references that ends in itself stops where it began.
    seen: set[str] = set()
    while isinstance(reference := schema.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        defs = root.get("$defs") or root.get("definitions") or {}
        found = root if reference == "#" else defs.get(reference.rpartition("/")[2])
        if not isinstance(found, Mapping):
            break
        schema = found
    return schema


def _default_words(schema: Schema) -> str:
    if schema.get("default") is None:
        return ""
    text = json.dumps(schema["default"], ensure_ascii=False)
    return f"null means {text}" if len(text) <= _DEFAULT_LETTERS else ""
