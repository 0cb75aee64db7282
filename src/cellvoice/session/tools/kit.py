"""The tools that a turn may use, and how far it may go with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cellvoice.errors import UsageError
from cellvoice.protocol import facts

if TYPE_CHECKING:
    from .declare import Tool

__all__ = ["MAX_REPAIRS", "MAX_TOOL_ROUNDS", "ToolKit"]

MAX_TOOL_ROUNDS: Final = 8
MAX_REPAIRS: Final = 2
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class ToolKit:
    """`tools` are those that can be run here; what the model is told of is in the parameters.

    `max_tool_rounds` is how often the model may call before it must answer, `max_repairs` how often
    arguments or an object that don't fit are given back to it. `speak` asks for speech after the
    object that `schema=` asks for.
    """

    tools: tuple[Tool, ...] = ()
    max_tool_rounds: int = MAX_TOOL_ROUNDS
    max_repairs: int = MAX_REPAIRS
    speak: bool = False

    def named(self, name: str) -> Tool | None:
        """The tool of that name, or None."""
        return next((tool for tool in self.tools if tool.name == name), None)

    def taken_from(self, params: Mapping[str, Any], model: str) -> tuple[ToolKit, dict[str, Any]]:
        """With what the parameters say of it, and the parameters as the service takes them.

        Functions among `tools` are replaced by what the model is told of them. One that is here
        already and given in the service's form is kept. Raises UsageError.
        """
        rest = dict(params)
        kit = replace(
            self,
            max_tool_rounds=_count(
                rest, "max_tool_rounds", self.max_tool_rounds, MAX_TOOL_ROUNDS, low=1
            ),
            max_repairs=_count(rest, "max_repairs", self.max_repairs, MAX_REPAIRS, low=0),
            speak=_flag(rest, self.speak),
        )
        given = rest.get("tools")
        if given is None:
            return replace(kit, tools=()), rest
        if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
            if callable(given):
                given = [given]
            else:
                # The table of parameters says what is wrong with it.
                return replace(kit, tools=()), rest
        found = _with_declared([self._known(one) for one in given])
        strict = _takes_strict(model)
        rest["tools"] = [
            one if isinstance(one, Mapping) else one.definition(strict=strict) for one in found
        ]
        tools = (one for one in found if not isinstance(one, Mapping) and one.runnable)
        return replace(kit, tools=tuple(tools)), rest

    def _known(self, given: object) -> object:
        """The tool that is here already whose definition is given, else what is given."""
        if not isinstance(given, Mapping):
            return given
        return next((tool for tool in self.tools if _defines(given, tool)), given)

    def values(self) -> dict[str, object]:
        """What was set, JSON-ready; the tools are among the parameters."""
        values: dict[str, object] = {}
        if self.max_tool_rounds != MAX_TOOL_ROUNDS:
            values["max_tool_rounds"] = self.max_tool_rounds
        if self.max_repairs != MAX_REPAIRS:
            values["max_repairs"] = self.max_repairs
        if self.speak:
            values["speak"] = True
        return values


def _with_declared(given: list[object]) -> list[Mapping[str, Any] | Tool]:
    """What is given, functions and sources as tools. Raises UsageError."""
    if all(isinstance(one, Mapping) for one in given):
        return [one for one in given if isinstance(one, Mapping)]
    # Only for those who use tools: what it needs is slow to load.
    from .declare import tools_from

    return list(tools_from(given))


def _defines(given: Mapping[str, Any], tool: Tool) -> bool:
    return any(given == tool.definition(strict=strict) for strict in (True, False))


def _takes_strict(model: str) -> bool:
    """Whether `strict` is known to a model: it is a part of structured outputs."""
    known = facts(model)
    return known is None or "response_format" not in known.refused


def with_tool(given: object, tool: Tool) -> Sequence[object]:
    """The tools of a session with one more, in the place of another of its name."""
    listed = given if isinstance(given, list) else []
    kept = [one for one in listed if _name_of(one) != tool.name]
    return [*kept, tool]


def _name_of(definition: object) -> object:
    inner = definition.get("function") if isinstance(definition, Mapping) else None
    return inner.get("name") if isinstance(inner, Mapping) else None


def _count(given: dict[str, Any], name: str, now: int, default: int, *, low: int) -> int:
    value = given.pop(name, now)
    if value is None:
        return default
    if type(value) is not int or not low <= value <= _MOST:
        raise UsageError(f"{name}={value!r}: expected a whole number from {low} to {_MOST}")
    return value


def _flag(given: dict[str, Any], now: bool) -> bool:
    value = given.pop("speak", now)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise UsageError(f"speak={value!r}: expected True or False")
    return value
