"""A JSON schema in the strict form that the service takes for structured outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cellvoice.errors import UsageError

__all__ = ["strict_schema"]

# The service's own list for strict schemas.
_SENT: Final = frozenset(
    (
        *("$defs", "$ref", "anyOf", "const", "description", "enum", "type"),
        *("additionalProperties", "properties", "required"),
        *("items", "maxItems", "minItems"),
        *("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
        *("format", "pattern"),
    )
)
# They say nothing about which values fit; a `default` is even refused.
_LEFT_OUT: Final = frozenset(
    (
        *("$comment", "$id", "$schema", "default", "deprecated", "discriminator", "examples"),
        *("readOnly", "title", "writeOnly"),
    )
)
# Not taken by the service, and checked when the reply is read.
_CHECKED_ON_READING: Final = frozenset(("maxLength", "minLength", "uniqueItems"))
_OPEN: Final = "a list of objects with a key and a value says the same"

JSON = dict[str, object]


def strict_schema(schema: Mapping[str, object], name: str) -> JSON:
    """The schema with every object closed and every property required, as the service demands.

    `{"type": "object", "properties": {"a": {"type": "string"}}}` gets `"required": ["a"]` and
    `"additionalProperties": false`. Raises UsageError, with the place, for what cannot be said so.
    """
    root = _root(schema, name)
    found = _strict(root, name)
    if found.get("type") != "object":
        raise UsageError(
            f"schema={name}: its root is {_what(root)}, expected an object; put it into an "
            "object with one property"
        )
    return found


def _root(schema: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The root written out: the service takes no reference there."""
    defs = schema.get("$defs") or schema.get("definitions") or {}
    reference = schema.get("$ref")
    if not isinstance(defs, Mapping):
        raise UsageError(f"schema={name}: $defs is {_what(defs)}, expected a mapping")
    root = schema
    if isinstance(reference, str):
        target = defs.get(reference.rpartition("/")[2])
        if not isinstance(target, Mapping):
            raise UsageError(f"schema={name}: there is nothing at {reference}")
        root = target
    bare = {key: value for key, value in root.items() if key not in ("$defs", "definitions")}
    # A definition that nothing points to any more would still be paid for as input.
    reached = _reached(bare, defs, set())
    used = {key: one for key, one in defs.items() if key in reached}
    return {**bare, "$defs": used} if used else bare


def _reached(value: object, defs: Mapping[str, object], found: set[str]) -> set[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str):
            key = reference.rpartition("/")[2]
            if key not in found:
                found.add(key)
                _reached(defs.get(key), defs, found)
        for one in value.values():
            _reached(one, defs, found)
    elif isinstance(value, (list, tuple)):
        for one in value:
            _reached(one, defs, found)
    return found


def _strict(schema: object, at: str) -> JSON:
    if not isinstance(schema, Mapping):
        raise UsageError(f"schema={at}: {_what(schema)} in place of a schema, expected a mapping")
    given = {key: value for key, value in schema.items() if key not in _LEFT_OUT}
    given = _united(given, at)
    for key in given:
        if key not in _SENT and key not in _CHECKED_ON_READING:
            raise UsageError(
                f"schema={at}: {key!r} is nothing that structured outputs can say; leave it out, "
                "or send the schema as it is by response_format="
            )
    if "$ref" in given:
        return _reference(given)
    found: JSON = {key: value for key, value in given.items() if key in _SENT}
    if "anyOf" in found:
        found["anyOf"] = [_strict(one, f"{at}.anyOf") for one in _list(found["anyOf"], at)]
    if "items" in found:
        found["items"] = _strict(found["items"], f"{at}[]")
    if "$defs" in found:
        found["$defs"] = {key: _strict(one, key) for key, one in _mapping(found["$defs"], at)}
    if _is_object(found):
        _close(found, at)
    elif not {"type", "enum", "const", "anyOf"} & set(found):
        raise UsageError(f"schema={at}: it may be anything, expected a type for it")
    elif found.get("type") == "array" and "items" not in found:
        raise UsageError(f"schema={at}: a list of anything, expected a type for its items")
    return found


def _united(given: JSON, at: str) -> JSON:
    """`oneOf` as `anyOf`, and an `allOf` of one as that one: both mean the same here."""
    if "oneOf" in given and "anyOf" not in given:
        given["anyOf"] = given.pop("oneOf")
    alone = given.get("allOf")
    if isinstance(alone, (list, tuple)) and len(alone) == 1 and isinstance(alone[0], Mapping):
        del given["allOf"]
        given = {**alone[0], **given}
    if isinstance(given.get("prefixItems"), (list, tuple)):
        raise UsageError(
            f"schema={at}: a tuple, which structured outputs cannot say; take a list of one type, "
            "or an object"
        )
    return given


def _reference(given: JSON) -> JSON:
    # The service takes no word beside a reference.
    target = {"$ref": str(given["$ref"]).replace("#/definitions/", "#/$defs/")}
    if "description" in given:
        return {"description": given["description"], "anyOf": [target]}
    return dict(target)


def _is_object(found: JSON) -> bool:
    kind = found.get("type")
    return (
        kind == "object" or "properties" in found or (isinstance(kind, list) and "object" in kind)
    )


def _close(found: JSON, at: str) -> None:
    more = found.get("additionalProperties")
    if isinstance(more, Mapping) or more is True:
        raise UsageError(
            f"schema={at}: a mapping with free keys, which structured outputs cannot say; {_OPEN}"
        )
    if "properties" not in found and more is not False:
        raise UsageError(f"schema={at}: an object without properties, expected some; {_OPEN}")
    properties = dict(_mapping(found.get("properties", {}), at))
    found["properties"] = {key: _strict(one, f"{at}.{key}") for key, one in properties.items()}
    found.setdefault("type", "object")
    found["required"] = list(properties)
    found["additionalProperties"] = False


def _mapping(value: object, at: str) -> list[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise UsageError(f"schema={at}: {_what(value)} in place of a mapping of names to schemas")
    return list(value.items())


def _list(value: object, at: str) -> list[object]:
    if not isinstance(value, (list, tuple)) or not value:
        raise UsageError(f"schema={at}: {_what(value)} in place of a list of schemas")
    return list(value)


def _what(value: object) -> str:
    if isinstance(value, Mapping):
        kind = value.get("type")
        return f"of type {kind!r}" if kind else "no object"
    return f"a {type(value).__name__}"
