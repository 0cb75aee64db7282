"""The verbs of a session that are about tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from cellvoice.errors import UsageError
from cellvoice.session._part import SessionPart

from .kit import with_tool

if TYPE_CHECKING:
    from cellvoice.session.turn import Turn

    from .approval import PendingCall
    from .declare import Approve, Tool

__all__ = ["Tooling"]

F = TypeVar("F", bound=Callable[..., object])


class Tooling(SessionPart):
    """The part of a `Session` that is about tools."""

    @property
    def tools(self) -> Mapping[str, Tool]:
        """The tools that every turn may use, by their names; `tool` adds one.

        Those that were given in the service's form only are not among them: they are not run here.
        """
        return {tool.name: tool for tool in self._asking.settings.kit.tools}

    @property
    def pending(self) -> tuple[PendingCall, ...]:
        """The calls that wait for a decision, oldest first: `.approve()`, `.reject("why")`.

        While there are any, nothing new can be asked.
        """
        return self._asking.decisions.pending

    def decide(
        self,
        turn: Turn,
        call_id: str,
        call_hash: str,
        action: str,
        *,
        arguments: Mapping[str, object] | None = None,
        reason: str = "",
    ) -> None:
        """What a person decided who was shown a call: "approve", "reject" or "always".

        Raises UsageError if that call does not wait any more, or is another one than was shown.
        """
        self._asking.decisions.decide(
            turn.id, call_id, call_hash, action, arguments=arguments, reason=reason
        )

    @overload
    def tool(self, function: F) -> F: ...
    @overload
    def tool(
        self,
        *,
        timeout: float | None = None,
        approve: Approve | None = None,
        writes: bool | None = None,
    ) -> Callable[[F], F]: ...
    def tool(
        self,
        function: F | None = None,
        *,
        timeout: float | None = None,
        approve: Approve | None = None,
        writes: bool | None = None,
    ) -> F | Callable[[F], F]:
        """Have every turn from now on use a function as a tool: `@session.tool`.

        `timeout` is how many seconds a call may take. `approve` is "auto", "ask", or a function
        that is given the call and says True, False, "ask", or why not; where it is not given,
        tools that write (`writes=True`) ask. The function itself is returned as it is; another
        one of the same name takes its place. Raises UsageError for what can't be a tool.
        """
        if timeout is not None and not timeout > 0:
            raise UsageError(f"timeout={timeout!r}: expected seconds above 0, or None for no limit")
        if not (approve in (None, "auto", "ask") or callable(approve)):
            raise UsageError(
                f"approve={approve!r}: expected 'auto', 'ask', or a function of the call"
            )
        given: dict[str, Any] = {"timeout_s": timeout, "approve": approve, "writes": writes}
        changes = {name: value for name, value in given.items() if value is not None}

        def add(one: F) -> F:
            self._add_tool(one, changes)
            return one

        return add if function is None else add(function)

    def _add_tool(self, function: object, changes: Mapping[str, Any]) -> None:
        # Only for those who use tools: what it needs is slow to load.
        from .declare import tools_from

        tools = tools_from([function])
        asking = self._asking
        for tool in tools:
            told = with_tool(asking.settings.params.get("tools"), replace(tool, **changes))
            asking.settings = asking.settings.changed({"tools": told})
            asking.decisions.forget(tool.name)
