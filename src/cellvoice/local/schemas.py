"""JSON schemas of a request: what the service demands of a strict one, what the grammar can do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import refusals

__all__ = ["check_schema", "check_strict", "grammar_of"]

_QUOTED = re.compile(r'"([^"]+)"')
_KEYWORDS = (
    *("oneOf", "anyOf", "allOf", "enum", "const", "format", "pattern", "multipleOf", "required"),
    *("minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength"),
    *("exclusiveMinimum", "exclusiveMaximum", "minimum", "maximum", "items", "type"),
)
# What llguidance says without naming the keyword, and the keyword that it speaks of.
_SPEAKS_OF = {
    "min/maxProperties": "minProperties",
    "incompatible types": "allOf",
    "Unknown format": "format",
    "Regex is empty": "pattern",
    "regex": "pattern",
    "Pointer": "$ref",
    "Resource": "$ref",
    "Invalid type": "type",
}


def grammar_of(source: str | tuple[str, str]) -> str:
    """The grammar of a JSON schema (a text), or of ("regex" | "lark", definition)."""
    from llguidance import LLMatcher

    if isinstance(source, str):
        # Without white space the text is as short as it can be, and never runs away in blanks.
        return LLMatcher.grammar_from_json_schema(source, overrides={"whitespace_flexible": False})
    syntax, definition = source
    if syntax == "regex":
        return LLMatcher.grammar_from_regex(definition)
    return LLMatcher.grammar_from_lark(definition)


def check_schema(source: str | tuple[str, str], about: str, param: str, code: str) -> None:
    """Compile it once. Raises Refusal that names the keyword which cannot be done."""
    from llguidance import LLMatcher

    try:
        problem = LLMatcher.validate_grammar(grammar_of(source))
    except ValueError as error:
        problem = str(error)
    if not problem:
        return
    raise refusals.Refusal(f"Invalid schema for {about}: {_told(problem)}", param=param, code=code)


def check_strict(schema: Mapping[str, Any], about: str, param: str, code: str) -> None:
    """The service's rules for strict: every object closed, every property required."""
    for context, part in _parts(schema, ()):
        problem = _not_strict(part)
        if problem:
            raise refusals.Refusal(
                f"Invalid schema for {about}: In context={context!r}, {problem}",
                param=param,
                code=code,
            )


def _not_strict(part: Mapping[str, Any]) -> str:
    kinds = part.get("type")
    if not (kinds == "object" or (isinstance(kinds, list) and "object" in kinds)):
        return ""
    if part.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    properties = part.get("properties", {})
    required = part.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return ""
    missing = [name for name in properties if name not in required]
    if missing:
        return (
            "'required' is required to be supplied and to be an array including every key in "
            f"properties. Missing '{missing[0]}'."
        )
    return ""


def _parts(value: object, context: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    """Every schema inside a schema, with its place."""
    found: list[tuple[tuple[str, ...], Any]] = []
    waiting: list[tuple[tuple[str, ...], object]] = [(context, value)]
    while waiting:
        place, each = waiting.pop(0)
        if isinstance(each, dict):
            found.append((place, each))
            for key, inner in each.items():
                if key in ("properties", "$defs", "definitions") and isinstance(inner, dict):
                    waiting += [((*place, key, name), sub) for name, sub in inner.items()]
                elif key in ("items", "anyOf", "allOf", "oneOf", "prefixItems"):
                    subs = inner if isinstance(inner, list) else [inner]
                    waiting += [((*place, key, str(at)), sub) for at, sub in enumerate(subs)]
    return found


def _told(problem: str) -> str:
    """The problem on one line, with the keyword by name."""
    line = next((part for part in reversed(problem.splitlines()) if part.strip()), problem)
    if problem.startswith("Unimplemented keys"):
        names = ", ".join(f"'{name}'" for name in _QUOTED.findall(problem))
        return f"{names} is not permitted: the engine cannot hold an answer to it."
    speaks_of = (name for sign, name in _SPEAKS_OF.items() if sign in problem)
    named = (name for name in _KEYWORDS if re.search(rf"\b{name}\b", problem))
    keyword = next(speaks_of, next(named, None))
    told = line.strip()[:300]
    if "Regex is empty" in problem:
        told = "no text has this pattern, format and length together."
    return f"'{keyword}' cannot be done: {told}" if keyword else told
