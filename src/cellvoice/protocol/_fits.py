"""Whether a value fits a JSON schema, as far as structured outputs go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["misfit"]

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}
_LIMITS: Final[Mapping[str, tuple[Callable[[Any, Any], bool], str]]] = {
    "minimum": (lambda value, limit: value >= limit, "or more"),
    "maximum": (lambda value, limit: value <= limit, "or less"),
    "exclusiveMinimum": (lambda value, limit: value > limit, "exceeded"),
    "exclusiveMaximum": (lambda value, limit: value < limit, "not reached"),
}
_LENGTHS: Final[Mapping[str, tuple[type, int, str]]] = {
    "minLength": (str, 1, "characters or more"),
    "maxLength": (str, -1, "characters or less"),
    "minItems": (list, 1, "items or more"),
    "maxItems": (list, -1, "items or less"),
}


def misfit(value: object, schema: Schema, root: Schema, at: str = "it") -> str:
    """What keeps the value from fitting, in a few words with its place, or "" if it fits."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        defs = root.get("$defs") or root.get("definitions") or {}
        target = root if reference == "#" else defs.get(reference.rpartition("/")[2], {})
        return misfit(value, target, root, at)
    for check in (_wrong_type, _wrong_value, _wrong_size):
        found = check(value, schema, at)
        if found:
            return found
    return _wrong_inside(value, schema, root, at)


def _wrong_type(value: object, schema: Schema, at: str) -> str:
    kinds = schema.get("type")
    allowed = [kinds] if isinstance(kinds, str) else list(kinds or ())
    if allowed and not any(_TYPES[kind](value) for kind in allowed if kind in _TYPES):
        return f"{at} is {_kind(value)}, expected {' or '.join(allowed)}"
    return ""


def _wrong_value(value: object, schema: Schema, at: str) -> str:
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return f"{at} is {value!r}, expected one of {', '.join(map(repr, schema['enum']))}"
    if "const" in schema and not _same(value, schema["const"]):
        return f"{at} is {value!r}, expected {schema['const']!r}"
    pattern = schema.get("pattern")
    if isinstance(value, str) and isinstance(pattern, str) and not re.search(pattern, value):
        return f"{at} is {value!r}, expected the pattern {pattern}"
    return ""


def _wrong_size(value: object, schema: Schema, at: str) -> str:
    if _TYPES["number"](value):
        for key, (fits, words) in _LIMITS.items():
            if key in schema and not fits(value, schema[key]):
                return f"{at} is {value!r}, expected {schema[key]} {words}"
        step = schema.get("multipleOf")
        # A millionth for what floating point makes of 0.3 / 0.1.
        if step and abs(value / step - round(value / step)) > 1e-6:
            return f"{at} is {value!r}, expected a multiple of {step}"
    return _wrong_length(value, schema, at) if isinstance(value, (str, list)) else ""


def _wrong_length(value: str | list[object], schema: Schema, at: str) -> str:
    for key, (kind, sign, words) in _LENGTHS.items():
        if key in schema and isinstance(value, kind) and sign * len(value) < sign * schema[key]:
            return f"{at} has the length {len(value)}, expected {schema[key]} {words}"
    if isinstance(value, list) and schema.get("uniqueItems"):
        twice = any(_same(one, other) for n, one in enumerate(value) for other in value[:n])
        return f"{at} has an item twice, expected each once" if twice else ""
    return ""


def _wrong_inside(value: object, schema: Schema, root: Schema, at: str) -> str:
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        found = [misfit(value, one, root, at) for one in choices]
        if all(found):
            return found[0]
    for one in schema.get("allOf") or ():
        wrong = misfit(value, one, root, at)
        if wrong:
            return wrong
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        inside = (misfit(one, schema["items"], root, f"{at}[{n}]") for n, one in enumerate(value))
        return next(filter(None, inside), "")
    if isinstance(value, dict):
        return _wrong_property(value, schema, root, at)
    return ""


def _wrong_property(value: dict[str, object], schema: Schema, root: Schema, at: str) -> str:
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            return f"{at} has no {name!r}"
    for name, one in value.items():
        if name in properties:
            wrong = misfit(one, properties[name], root, f"{at}.{name}")
            if wrong:
                return wrong
        elif schema.get("additionalProperties") is False:
            return f"{at} has {name!r}, which the schema does not know"
    return ""


def _same(one: object, other: object) -> bool:
    # 1 == True in Python, not in JSON.
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _kind(value: object) -> str:
    # The last that fits is the narrowest: every integer is a number.
    return [kind for kind, fits in _TYPES.items() if fits(value)][-1]
