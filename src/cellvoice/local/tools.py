"""Tools and the choice among them, checked as the service checks them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import refusals
from .fields import boolean
from .schemas import check_schema, check_strict

__all__ = ["Choice", "ToolSpec", "parse_tools"]

_NAME = re.compile("[A-Za-z0-9_-]{1,64}")
_MOST_TOOLS = 128
_ANYTHING = '{"type":"object","properties":{},"additionalProperties":false}'


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that may be called.

    A function has a JSON schema in `parameters`. A custom tool has a `grammar` ("lark" or "regex",
    with its definition), or takes any text.
    """

    kind: Literal["function", "custom"]
    name: str
    description: str
    parameters: str = _ANYTHING
    grammar: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The tools that may be called now; `must`: at least one of them; `parallel`: several."""

    tools: tuple[ToolSpec, ...] = ()
    must: bool = False
    parallel: bool = True


def parse_tools(given: Mapping[str, Any]) -> Choice:
    """The tools and the choice among them. Raises Refusal."""
    if "tools" not in given:
        for name in ("tool_choice", "parallel_tool_calls"):
            if name in given and given[name] != "none":
                raise refusals.Refusal(
                    f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are "
                    "specified.",
                    param=name,
                )
        return Choice()
    raw = given["tools"]
    if not isinstance(raw, list):
        raise refusals.invalid_type("tools", "an array of objects")
    if not raw or len(raw) > _MOST_TOOLS:
        raise _wrong_length(len(raw))
    tools = tuple(_tool(tool, f"tools[{at}]") for at, tool in enumerate(raw))
    parallel = boolean(given, "parallel_tool_calls", True)
    return _chosen(given.get("tool_choice", "auto"), tools, parallel)


def _wrong_length(count: int) -> refusals.Refusal:
    if count == 0:
        return refusals.Refusal(
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            param="tools",
            code="empty_array",
        )
    return refusals.Refusal(
        f"Invalid 'tools': array too long. Expected an array with maximum length {_MOST_TOOLS}, "
        f"but got an array with length {count} instead.",
        param="tools",
        code="array_above_max_length",
    )


def _tool(raw: object, where: str) -> ToolSpec:
    if not isinstance(raw, dict):
        raise refusals.invalid_type(where, "an object")
    kind = raw.get("type")
    if kind not in ("function", "custom"):
        raise refusals.invalid_value(f"{where}.type", kind, ("function", "custom"))
    inner = raw.get(kind)
    if not isinstance(inner, dict):
        raise refusals.missing(f"{where}.{kind}")
    name = inner.get("name")
    if name is None:
        raise refusals.missing(f"{where}.{kind}.name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise refusals.Refusal(
            f"Invalid '{where}.{kind}.name': string does not match pattern. Expected a string "
            "that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.",
            param=f"{where}.{kind}.name",
            code="invalid_value",
        )
    description = inner.get("description") or ""
    if not isinstance(description, str):
        raise refusals.invalid_type(f"{where}.{kind}.description", "a string")
    if kind == "custom":
        return ToolSpec("custom", name, description, grammar=_grammar(inner, where))
    return ToolSpec("function", name, description, _parameters(inner, name, where))


def _parameters(inner: Mapping[str, Any], name: str, where: str) -> str:
    schema = inner.get("parameters")
    if schema is None:
        return _ANYTHING
    place = f"{where}.function.parameters"
    if not isinstance(schema, dict):
        raise refusals.invalid_type(place, "an object")
    about = f"function '{name}'"
    if schema.get("type", "object") != "object":
        raise refusals.Refusal(
            f"Invalid schema for {about}: schema must be a JSON Schema of 'type: \"object\"', got "
            f"'type: {json.dumps(schema['type'])[:80]}'.",
            param=place,
            code="invalid_function_parameters",
        )
    code = "invalid_function_parameters"
    if boolean({k: v for k, v in inner.items() if v is not None}, "strict", False):
        check_strict(schema, about, place, code)
    text = json.dumps({"type": "object", **schema})
    check_schema(text, about, place, code)
    return text


def _grammar(inner: Mapping[str, Any], where: str) -> tuple[str, str] | None:
    form = inner.get("format") or {"type": "text"}
    place = f"{where}.custom.format"
    if not isinstance(form, dict):
        raise refusals.invalid_type(place, "an object")
    if form.get("type") == "text":
        return None
    if form.get("type") != "grammar":
        raise refusals.invalid_value(f"{place}.type", form.get("type"), ("text", "grammar"))
    grammar = form.get("grammar", form)
    if not isinstance(grammar, dict) or not isinstance(grammar.get("definition"), str):
        raise refusals.missing(f"{place}.grammar.definition")
    syntax = grammar.get("syntax")
    if syntax not in ("lark", "regex"):
        raise refusals.invalid_value(f"{place}.grammar.syntax", syntax, ("lark", "regex"))
    found = (str(syntax), str(grammar["definition"]))
    check_schema(found, "the grammar", place, "invalid_grammar")
    return found


def _chosen(raw: object, tools: tuple[ToolSpec, ...], parallel: bool) -> Choice:
    if raw == "none":
        return Choice()
    if raw in ("auto", "required"):
        return Choice(tools, raw == "required", parallel)
    if isinstance(raw, str):
        raise refusals.invalid_value("tool_choice", raw, ("none", "auto", "required"))
    if not isinstance(raw, dict):
        raise refusals.invalid_type("tool_choice", "a string or an object")
    kind = raw.get("type")
    if kind in ("function", "custom"):
        # One that is named is called once: there is nothing to call beside it.
        return Choice((_named(raw, "tool_choice", tools),), True, False)
    if kind != "allowed_tools":
        raise refusals.invalid_value(
            "tool_choice.type", kind, ("function", "custom", "allowed_tools")
        )
    inner = raw.get("allowed_tools")
    if not isinstance(inner, dict):
        raise refusals.missing("tool_choice.allowed_tools")
    mode, listed = inner.get("mode"), inner.get("tools")
    if mode not in ("auto", "required"):
        raise refusals.invalid_value("tool_choice.allowed_tools.mode", mode, ("auto", "required"))
    if not isinstance(listed, list) or not listed:
        raise refusals.missing("tool_choice.allowed_tools.tools")
    where = "tool_choice.allowed_tools.tools"
    some = tuple(_named(each, f"{where}[{at}]", tools) for at, each in enumerate(listed))
    return Choice(some, mode == "required", parallel)


def _named(raw: object, where: str, tools: tuple[ToolSpec, ...]) -> ToolSpec:
    kind = raw.get("type") if isinstance(raw, dict) else None
    inner = raw.get(kind) if isinstance(raw, dict) and isinstance(kind, str) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise refusals.missing(f"{where}.{kind or 'type'}")
    for tool in tools:
        if (tool.kind, tool.name) == (kind, inner["name"]):
            return tool
    raise refusals.Refusal(
        f"Invalid value for '{where}': the tool '{inner['name'][:64]}' is not in 'tools'.",
        param=where,
        code="invalid_value",
    )
