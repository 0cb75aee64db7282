"""Functions and other things that a model may call, as the service's tools."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast, runtime_checkable

from cellvoice.errors import UsageError
from cellvoice.protocol import NotStrict, strict_form, without_lookaround

from ._arguments import Arguments, arguments_of, arguments_of_schema
from ._errors import ToolArgumentsError
from ._signature import declared, legal_name, unwrapped
from .threads import in_thread

__all__ = ["Approve", "Tool", "ToolArgumentsError", "ToolSource", "tool_of", "tools_from"]

# A callable is asked with the pending call, and its answer counts.
Approve = Literal["auto", "ask"] | Callable[..., object]

_NOT_RUN = "it was given as a mapping, which only describes it; there is nothing here to run"


@runtime_checkable
class ToolSource(Protocol):
    """Something that has tools: a server that is asked which."""

    def tools(self) -> tuple[Tool, ...]:
        """The tools, in its order. May wait for the server."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may call, with the schema of its arguments as the service takes it.

    `parameters` is strict (every object closed, null for what need not be given) where that can be
    said; `why_not_strict` is a sentence with the place, or "". `timeout_s` None is no limit of its
    own; `approve` None leaves it to `writes`: what may change something is asked about.
    `wants_context` is the name of the parameter that takes the `ToolContext`, or None.
    """

    name: str
    description: str
    parameters: Mapping[str, object]
    strict: bool
    why_not_strict: str
    timeout_s: float | None = None
    approve: Approve | None = None
    writes: bool = False
    wants_context: str | None = None
    _arguments: Arguments = field(
        default_factory=lambda: arguments_of_schema({}), repr=False, compare=False
    )
    _function: Callable[..., object] | None = field(default=None, repr=False)
    _positional: tuple[tuple[str, object], ...] = field(default=(), repr=False)
    # A mapping of the caller's is sent as it is.
    _given: Mapping[str, object] | None = field(default=None, repr=False)

    @property
    def runnable(self) -> bool:
        """Whether there is something to run; a mapping only describes a tool."""
        return self._function is not None

    def definition(self, *, strict: bool = True) -> dict[str, object]:
        """The service's form; without `strict` for a model that may not know the word."""
        if self._given is not None:
            return dict(self._given)
        told: dict[str, object] = {"description": self.description} if self.description else {}
        marked: dict[str, object] = {"strict": True} if strict and self.strict else {}
        return {
            "type": "function",
            "function": {
                "name": self.name, **told, "parameters": dict(self.parameters), **marked,
            },
        }  # fmt: skip

    def validated(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """The keyword arguments of the function, of its own types.

        What was not given, or null in its place, is left out, so that the function's default
        holds. Raises ToolArgumentsError, whose text is for the model.
        """
        return self._arguments.read(arguments)

    async def call(self, kwargs: Mapping[str, object], context: object) -> object:
        """Run it with what `validated` gave; raises what it raises, and UsageError for a mapping.

        A coroutine function runs on this loop and is cancelled with the call. Any other runs in a
        thread of its own: being cancelled ends the wait for it, not the thread.
        """
        function = self._function
        if function is None:
            raise UsageError(f"the tool {self.name} can't be run: {_NOT_RUN}")
        given = dict(kwargs)
        if self.wants_context is not None:
            given[self.wants_context] = context
        places = [given.pop(name, default) for name, default in self._positional]
        if _is_async(function):
            return await cast(Awaitable[object], function(*places, **given))
        result = await in_thread(functools.partial(function, *places, **given))
        return await result if inspect.isawaitable(result) else result


def tool_of(
    given: object,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    approve: Approve | None = None,
    writes: bool = False,
) -> Tool:
    """One callable, mapping in the service's form, or Tool, as a Tool.

    Raises UsageError for what no model could call, with the parameter that is in the way.
    """
    if isinstance(given, Tool):
        return given
    if isinstance(given, Mapping):
        return _of_mapping(given)
    if isinstance(given, type):
        raise UsageError(
            f"tools: {given.__name__} is a class, expected a function or an object that can be "
            f"called; for an answer of that form use schema={given.__name__}"
        )
    if not callable(given):
        raise UsageError(
            f"tools: a {type(given).__name__} is nothing that a model can call, expected functions "
            "with type hints, tools in the service's form, or cv.mcp(…)"
        )
    found = declared(given, name)
    arguments = arguments_of(found)
    parameters, why_not = _as_strict(arguments.schema, found.name)
    return Tool(
        name=found.name,
        description=found.description if description is None else description,
        parameters=parameters,
        strict=not why_not,
        why_not_strict=why_not,
        timeout_s=timeout_s,
        approve=approve,
        writes=writes,
        wants_context=found.wants_context,
        _arguments=arguments,
        _function=given,
        _positional=found.positional,
    )


def tools_from(given: Iterable[object]) -> tuple[Tool, ...]:
    """All tools of a list of callables, Tools, mappings in the service's form, and tool sources.

    Raises UsageError; two of one name are refused.
    """
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise UsageError(
            f"tools is a {type(given).__name__}, expected a list, such as tools=[weather]"
        )
    found: list[Tool] = []
    for one in given:
        found += one.tools() if isinstance(one, ToolSource) else [tool_of(one)]
    names = [tool.name for tool in found]
    for twice in names:
        if names.count(twice) > 1:
            raise UsageError(
                f"tools: two tools are called {twice!r}, expected a name of its own for each; "
                "rename one (cv.mcp(prefix=…) does it for a server's)"
            )
    return tuple(found)


def described_tool(
    name: str,
    description: str,
    schema: Mapping[str, object],
    function: Callable[..., object],
    *,
    writes: bool,
) -> Tool:
    """A tool whose arguments a JSON schema describes and whose function takes them as they are.

    Raises UsageError for a schema that makes no sense.
    """
    called = legal_name(name)
    try:
        parameters, why_not = _as_strict(schema, called)
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the arguments of the tool {name!r} are no JSON schema ({error}), and the service "
            "would refuse all tools for it; leave it out (cv.mcp(only=…) takes the others)"
        ) from error
    return Tool(
        name=called,
        description=description,
        parameters=parameters,
        strict=not why_not,
        why_not_strict=why_not,
        writes=writes,
        _arguments=arguments_of_schema(schema),
        _function=function,
    )


def _as_strict(schema: Mapping[str, object], name: str) -> tuple[Mapping[str, object], str]:
    try:
        return strict_form(schema, name), ""
    except NotStrict as error:
        return without_lookaround(schema), f"{error.place}: {error}"


def _of_mapping(given: Mapping[str, Any]) -> Tool:
    kind = given.get("type")
    inner = given.get(kind) if isinstance(kind, str) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
        raise UsageError(
            "tools: a mapping that is no tool, expected the service's form, {'type': 'function', "
            "'function': {'name': …, 'parameters': {…}}}"
        )
    name = inner["name"]
    if legal_name(name) != name:
        raise UsageError(
            f"tools: a mapping with the name {name!r}, expected 1 to 64 of A-Z a-z 0-9 _ -, such "
            f"as {legal_name(name)!r}"
        )
    parameters = inner.get("parameters")
    schema = parameters if isinstance(parameters, Mapping) else {}
    strict = inner.get("strict") is True
    return Tool(
        name=name,
        description=str(inner.get("description") or ""),
        parameters=schema,
        strict=strict,
        why_not_strict="" if strict else f"{name}: it was given without strict",
        _arguments=arguments_of_schema(schema),
        _given=given,
    )


def _is_async(function: Callable[..., object]) -> bool:
    own = unwrapped(function)
    target = own if inspect.isroutine(own) else type(own).__call__
    return inspect.iscoroutinefunction(target)
