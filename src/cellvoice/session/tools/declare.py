"""A Python function as a tool: what the model is told of it, and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_type_hints

from cellvoice.errors import UsageError

from .context import ToolContext
from .threads import in_thread

__all__ = ["Approve", "Tool", "ToolArgumentsError", "tools_from"]

Approve = Literal["auto", "ask"] | Callable[..., object]


class ToolArgumentsError(ValueError):
    """The arguments of a call do not fit; the text tells the model what to repair."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that the model may call."""

    name: str
    description: str
    parameters: Mapping[str, object]
    strict: bool = False
    why_not_strict: str = ""
    timeout_s: float | None = None
    approve: Approve | None = None
    writes: bool = False
    wants_context: str | None = None
    runnable: bool = True
    _function: Callable[..., object] | None = field(default=None, repr=False)
    _model: Any = field(default=None, repr=False)

    def definition(self) -> dict[str, object]:
        """The service's form."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": dict(self.parameters),
            },
        }

    def validated(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """The keyword arguments of a call. Raises ToolArgumentsError."""
        try:
            model = self._model.model_validate(dict(arguments))
        except ValueError as error:
            raise ToolArgumentsError(str(error)) from error
        return {name: getattr(model, name) for name in type(model).model_fields}

    async def call(self, arguments: Mapping[str, object], context: ToolContext) -> object:
        """Run it; a sync function in a thread."""
        given = dict(arguments)
        if self.wants_context is not None:
            given[self.wants_context] = context
        function = self._function
        assert function is not None
        if inspect.iscoroutinefunction(function):
            return await function(**given)
        return await in_thread(lambda: function(**given))


def tools_from(given: Iterable[object]) -> tuple[Tool, ...]:
    """The tools that were given. Raises UsageError."""
    return tuple(one if isinstance(one, Tool) else _of_function(one) for one in given)


def _of_function(given: object) -> Tool:
    if not callable(given):
        raise UsageError(f"{given!r} is no tool, expected a function")
    from pydantic import create_model

    hints = get_type_hints(given)
    wants: str | None = None
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(given).parameters.items():
        if hints.get(name) is ToolContext:
            wants = name
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (hints.get(name, str), default)
    name = getattr(given, "__name__", type(given).__name__)
    model = create_model(name, **fields)
    return Tool(
        name,
        inspect.getdoc(given) or "",
        model.model_json_schema(),
        wants_context=wants,
        _function=given,
        _model=model,
    )
