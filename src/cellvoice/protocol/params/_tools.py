"""Tools, the choice among them, and the form of the answer: nested values, checked in shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from cellvoice.errors import UsageError

from ._readers import Wrong, json_copy

__all__ = [
    "NAME",
    "check_choice",
    "chosen",
    "response_format",
    "tool_choice",
    "tool_names",
    "tools",
]

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_FORM = "1 to 64 of A-Z a-z 0-9 _ -"
# The service's own limit.
_MAX_TOOLS: Final = 128
_WORDS: Final = ("none", "auto", "required")
_FORM: Final = (
    '{"type": "function", "function": {"name": …, "description": …, "parameters": {…}}} '
    'or {"type": "custom", "custom": {"name": …}}'
)

JSON = dict[str, object]


def tools(value: object) -> object:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise Wrong(_callable_advice(value) or f"expected a list of tools, each {_FORM}")
    if len(value) > _MAX_TOOLS:
        raise Wrong(f"{len(value)} tools, expected at most {_MAX_TOOLS}")
    read = [_tool(tool, f"tools[{at}]") for at, tool in enumerate(value)]
    names = [name for _, name in tool_names(read)]
    for name in names:
        if names.count(name) > 1:
            raise Wrong(f"two tools are called {name!r}, expected a name of its own for each")
    return read


def tool_names(given: object) -> list[tuple[str, str]]:
    """Kind and name of each tool of a checked list."""
    found = []
    for tool in given if isinstance(given, list) else []:
        kind = tool["type"]
        found.append((kind, tool[kind]["name"]))
    return found


def _tool(value: object, where: str) -> JSON:
    if not isinstance(value, Mapping):
        raise Wrong(_callable_advice(value) or f"{where} is {_kind(value)}, expected {_FORM}")
    kind = value.get("type")
    if kind not in ("function", "custom"):
        raise Wrong(f"{where}.type is {kind!r}, expected 'function' or 'custom'")
    inner = value.get(kind)
    if not isinstance(inner, Mapping):
        raise Wrong(f"{where}.{kind} is {_kind(inner)}, expected a mapping with a name")
    _check_name(inner.get("name"), f"{where}.{kind}.name")
    description = inner.get("description")
    if description is not None and not isinstance(description, str):
        raise Wrong(f"{where}.{kind}.description is {_kind(description)}, expected a text")
    parameters = inner.get("parameters") if kind == "function" else None
    if parameters is not None and not isinstance(parameters, Mapping):
        raise Wrong(f"{where}.function.parameters is {_kind(parameters)}, expected a JSON schema")
    return _copied(value)


def _callable_advice(value: object) -> str:
    if not callable(value):
        return ""
    name = getattr(value, "__name__", type(value).__name__)
    return f"{name} is a Python callable, expected the service's form, {_FORM}"


def tool_choice(value: object) -> object:
    """A word, the name of a tool (short for its form), or one of the service's three forms."""
    if isinstance(value, str):
        if not NAME.fullmatch(value):
            raise Wrong
        return value
    if not isinstance(value, Mapping):
        raise Wrong
    kind = value.get("type")
    inner = value.get(kind) if isinstance(kind, str) else None
    if kind in ("function", "custom"):
        if not isinstance(inner, Mapping):
            raise Wrong(f"{kind} is {_kind(inner)}, expected {{'name': …}}")
        _check_name(inner.get("name"), f"{kind}.name")
    elif kind == "allowed_tools":
        _check_allowed(inner)
    else:
        raise Wrong
    return _copied(value)


def _check_allowed(inner: object) -> None:
    if not isinstance(inner, Mapping):
        raise Wrong(f"allowed_tools is {_kind(inner)}, expected {{'mode': …, 'tools': […]}}")
    if inner.get("mode") not in ("auto", "required"):
        raise Wrong(f"allowed_tools.mode is {inner.get('mode')!r}, expected 'auto' or 'required'")
    listed = inner.get("tools")
    if not isinstance(listed, (list, tuple)) or not listed:
        raise Wrong(f"allowed_tools.tools is {_kind(listed)}, expected a list with a tool in it")
    for at, tool in enumerate(listed):
        _tool(tool, f"allowed_tools.tools[{at}]")


def check_choice(choice: object, given: object) -> None:
    """See that every tool that the choice names is among the tools. Raises UsageError."""
    known = tool_names(given)
    for kind, name in _named(choice):
        if not any(name == one and kind in ("", its) for its, one in known):
            there = ", ".join(repr(one) for _, one in known)
            raise UsageError(f"tool_choice names the tool {name!r}, expected one of {there}")


def chosen(choice: object, given: object) -> object:
    """The choice in the form that is sent: a tool's name is written out."""
    if not isinstance(choice, str) or choice in _WORDS:
        return choice
    kind = next(kind for kind, name in tool_names(given) if name == choice)
    return {"type": kind, kind: {"name": choice}}


def _named(choice: object) -> list[tuple[str, str]]:
    """Kind and name of the tools that a checked choice speaks of; the kind may be open ("")."""
    if isinstance(choice, str):
        return [] if choice in _WORDS else [("", choice)]
    assert isinstance(choice, Mapping)
    if choice["type"] == "allowed_tools":
        return tool_names(choice["allowed_tools"]["tools"])
    return tool_names([choice])


def response_format(value: object) -> object:
    if not isinstance(value, Mapping):
        raise Wrong
    kind = value.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        raise Wrong
    if kind == "json_schema":
        inner = value.get("json_schema")
        if not isinstance(inner, Mapping):
            raise Wrong(f"json_schema is {_kind(inner)}, expected {{'name': …, 'schema': {{…}}}}")
        _check_name(inner.get("name"), "json_schema.name")
        if not isinstance(inner.get("schema"), Mapping):
            raise Wrong(
                f"json_schema.schema is {_kind(inner.get('schema'))}, expected a JSON schema"
            )
        if inner.get("strict") not in (None, True, False):
            raise Wrong(f"json_schema.strict is {inner['strict']!r}, expected True or False")
    return _copied(value)


def _check_name(name: object, where: str) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Wrong(f"{where} is {name!r}, expected {_NAME_FORM}")


def _copied(value: object) -> JSON:
    copied = json_copy(value)
    assert isinstance(copied, dict)
    return copied


def _kind(value: object) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"
