"""A JSON schema in the strict form that the service takes for structured outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cellvoice.errors import UsageError

from ._limits import has_lookaround, over_limits
from ._nulls import or_null

__all__ = ["NotStrict", "strict_form", "strict_schema"]

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
# The formats that the service knows; it refuses any other.
_FORMATS: Final = frozenset(
    ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid")
)
_OPEN: Final = "a list of objects with a key and a value says the same"

JSON = dict[str, object]


class NotStrict(ValueError):
    """A schema says what the strict form cannot; `place` is where, the message what and why.

    `unknown`: it is a keyword that the service does not take.
    """

    def __init__(self, place: str, why: str, *, unknown: bool = False) -> None:
        super().__init__(why)
        self.place, self.unknown = place, unknown


def strict_schema(schema: Mapping[str, object], name: str) -> JSON:
    """`strict_form` of the schema of an answer; raises UsageError, with the place."""
    try:
        return strict_form(schema, name)
    except NotStrict as error:
        advice = ", or send the schema as it is by response_format=" if error.unknown else ""
        raise UsageError(f"schema={error.place}: {error}{advice}") from error
    except (AttributeError, TypeError, RecursionError) as error:
        raise UsageError(f"schema={name}: it is no JSON schema ({error})") from error


def strict_form(schema: Mapping[str, object], name: str) -> JSON:
    """The schema with every object closed and every property required, as the service demands.

    A property that need not be given may be null: `{"type": "object", "properties": {"a":
    {"type": "string"}}}` gets `"required": ["a"]`, `"additionalProperties": false` and, for `a`,
    `"type": ["string", "null"]`. `without_added_nulls` takes such nulls out of what comes back.
    Raises NotStrict for what cannot be said so.
    """
    root = _root(schema, name)
    found = _strict(root, name, root)
    if found.get("type") != "object":
        raise NotStrict(
            name,
            f"its root is {_what(root)}, expected an object; put it into an "
            "object with one property",
        )
    too_much = over_limits(found)
    if too_much:
        raise NotStrict(name, f"{too_much}; ask for less at a time")
    return found


def _root(schema: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The root written out: the service takes no reference there."""
    defs = schema.get("$defs") or schema.get("definitions") or {}
    reference = schema.get("$ref")
    if not isinstance(defs, Mapping):
        raise NotStrict(name, f"$defs is {_what(defs)}, expected a mapping")
    root = schema
    if isinstance(reference, str):
        target = defs.get(reference.rpartition("/")[2])
        if not isinstance(target, Mapping):
            raise NotStrict(name, f"there is nothing at {reference}")
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


def _strict(schema: object, at: str, root: Mapping[str, object]) -> JSON:
    if not isinstance(schema, Mapping):
        raise NotStrict(at, f"{_what(schema)} in place of a schema, expected a mapping")
    given = {key: value for key, value in schema.items() if key not in _LEFT_OUT}
    given = _united(given, at)
    for key in given:
        if key not in _SENT and key not in _CHECKED_ON_READING:
            raise NotStrict(
                at,
                f"{key!r} is nothing that structured outputs can say; leave it out",
                unknown=True,
            )
    if "$ref" in given:
        return _reference(given)
    found: JSON = {key: value for key, value in given.items() if _is_sent(key, value)}
    if "anyOf" in found:
        found["anyOf"] = [_strict(one, f"{at}.anyOf", root) for one in _list(found["anyOf"], at)]
    if "items" in found:
        found["items"] = _strict(found["items"], f"{at}[]", root)
    if "$defs" in found:
        found["$defs"] = {key: _strict(one, key, root) for key, one in _mapping(found["$defs"], at)}
    if _is_object(found):
        _close(found, at, root)
    elif not {"type", "enum", "const", "anyOf"} & set(found):
        raise NotStrict(at, "it may be anything, expected a type for it")
    elif found.get("type") == "array" and "items" not in found:
        raise NotStrict(at, "a list of anything, expected a type for its items")
    return found


def _is_sent(key: str, value: object) -> bool:
    # What is left out here is checked when the reply is read.
    if key == "format":
        return value in _FORMATS
    if key == "pattern":
        return not has_lookaround(value)
    return key in _SENT


def _united(given: JSON, at: str) -> JSON:
    """`oneOf` as `anyOf`, and an `allOf` of one as that one: both mean the same here."""
    if "oneOf" in given and "anyOf" not in given:
        given["anyOf"] = given.pop("oneOf")
    alone = given.get("allOf")
    if isinstance(alone, (list, tuple)) and len(alone) == 1 and isinstance(alone[0], Mapping):
        del given["allOf"]
        given = {**alone[0], **given}
    if isinstance(given.get("prefixItems"), (list, tuple)):
        raise NotStrict(
            at,
            "a tuple, which structured outputs cannot say; take a list of one type, or an object",
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


def _close(found: JSON, at: str, root: Mapping[str, object]) -> None:
    more = found.get("additionalProperties")
    if isinstance(more, Mapping) or more is True:
        raise NotStrict(
            at, f"a mapping with free keys, which structured outputs cannot say; {_OPEN}"
        )
    if "properties" not in found and more is not False:
        raise NotStrict(at, f"an object without properties, expected some; {_OPEN}")
    properties = dict(_mapping(found.get("properties", {}), at))
    listed = found.get("required", ())
    needed = set(_strings(listed)) if isinstance(listed, (list, tuple)) else set()
    found["properties"] = {
        key: strict if key in needed else or_null(strict, one, root)
        for key, one in properties.items()
        for strict in [_strict(one, f"{at}.{key}", root)]
    }
    found.setdefault("type", "object")
    found["required"] = list(properties)
    found["additionalProperties"] = False


def _strings(values: list[object] | tuple[object, ...]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _mapping(value: object, at: str) -> list[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise NotStrict(at, f"{_what(value)} in place of a mapping of names to schemas")
    return list(value.items())


def _list(value: object, at: str) -> list[object]:
    if not isinstance(value, (list, tuple)) or not value:
        raise NotStrict(at, f"{_what(value)} in place of a list of schemas")
    return list(value)


def _what(value: object) -> str:
    if isinstance(value, Mapping):
        kind = value.get("type")
        return f"of type {kind!r}" if kind else "no object"
    return f"a {type(value).__name__}"
