"""Calls that wait for a person: who may run what, decided once, for these arguments only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cellvoice.errors import UsageError

from ._errors import ToolArgumentsError

if TYPE_CHECKING:
    from cellvoice.session._seams import Cell
    from cellvoice.session.turn import Turn

    from .calls import ToolCall
    from .declare import Tool

__all__ = ["Decision", "Decisions", "PendingCall", "waits_sentence"]

_ACTIONS = ("approve", "reject", "always")


@dataclass(frozen=True, slots=True)
class Decision:
    """Run it, with these arguments if they were changed, or don't, and why.

    `by` is who decided: "person", "callable" (the tool's own `approve`), "always" (a person, for
    all calls of this tool in this session), or "auto".
    """

    run: bool
    by: Literal["auto", "always", "callable", "person"]
    reason: str = ""
    arguments: Mapping[str, object] | None = None


class PendingCall:
    """A call that waits for a decision; `session.pending` has all of them.

    One of `approve`, `always` and `reject` decides it, once, from any thread; none of them waits
    for the tool to run. They raise UsageError when it was decided, or its turn has ended, before.
    """

    def __init__(self, decisions: Decisions, turn: Turn, call: ToolCall, tool: Tool) -> None:
        self._decisions = decisions
        self._turn = turn
        self._call = call
        self._tool = tool
        self._hash = call.hash
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Decision] = self._loop.create_future()
        self._lock = threading.Lock()
        self._open = True

    @property
    def turn(self) -> Turn:
        """The turn in which the model called."""
        return self._turn

    @property
    def call(self) -> ToolCall:
        """The call, as `turn.tool_calls` has it."""
        return self._call

    @property
    def id(self) -> str:
        """The call's id."""
        return self._call.id

    @property
    def hash(self) -> str:
        """Stands for the name and the arguments that are decided about."""
        return self._hash

    @property
    def name(self) -> str:
        """The tool's name."""
        return self._call.name

    @property
    def arguments(self) -> dict[str, object]:
        """What the model wants it to be called with."""
        return self._call.arguments

    def approve(self, **changes: object) -> None:
        """Run it, with some arguments changed if they are given.

        Raises UsageError for arguments that the tool does not take; then it still waits.
        """
        self._approve({**self.arguments, **changes} if changes else None)

    def always(self, **changes: object) -> None:
        """Run it, as `approve` does, and from now on every call of this tool in this session.

        Changed arguments are this call's alone; those after it run as the model wants them.
        """
        self._always({**self.arguments, **changes} if changes else None)

    def reject(self, why: str = "") -> None:
        """Don't run it; the model is told so, and why."""
        self._settle(Decision(False, "person", why))

    async def decided(self) -> Decision:
        """Wait for the decision. Loop thread only."""
        return await self._answer

    def close(self) -> None:
        """Nobody can decide it any more."""
        with self._lock:
            self._open = False

    def _always(self, arguments: Mapping[str, object] | None) -> None:
        self._approve(arguments, "always")
        self._decisions.allow(self._tool)

    def _approve(self, arguments: Mapping[str, object] | None, reason: str = "") -> None:
        if arguments is not None:
            try:
                self._tool.validated(arguments)
            except ToolArgumentsError as error:
                raise UsageError(
                    f"{self.name} does not take these arguments ({error}); it still waits"
                ) from error
        self._settle(Decision(True, "person", reason, arguments))

    def _settle(self, decision: Decision) -> None:
        with self._lock:
            if not self._open:
                raise UsageError(
                    f"{self._call.shown()} is {self._call.state}: it was decided, or its turn has "
                    "ended, before; session.pending has what still waits"
                )
            self._open = False
        # Before it returns: who waits for the turn from here on waits for its end.
        self._decisions.hold(self._turn)
        self._loop.call_soon_threadsafe(self._give, decision)

    def _give(self, decision: Decision) -> None:
        if not self._answer.done():
            self._answer.set_result(decision)

    def __repr__(self) -> str:
        return f"<PendingCall {self._call.shown()} of turn {self._turn.number}>"


class Decisions:
    """What waits in a session, and which tools a person allowed once and for all."""

    def __init__(self) -> None:
        self._pending: tuple[PendingCall, ...] = ()
        self._always: tuple[Tool, ...] = ()

    @property
    def pending(self) -> tuple[PendingCall, ...]:
        """The calls that wait, oldest first."""
        return tuple(one for one in self._pending if one._open)

    def allows(self, tool: Tool) -> bool:
        """Whether a person allowed every call of this tool."""
        # The same function with the same form: another one of its name was never looked at.
        return any(tool == one for one in self._always)

    def allow(self, tool: Tool) -> None:
        """From now on this tool runs without asking."""
        self._always = (*self._always, tool)

    def forget(self, name: str) -> None:
        """There is another tool of this name now, which nobody has allowed."""
        self._always = tuple(tool for tool in self._always if tool.name != name)

    def add(self, pending: PendingCall) -> None:
        """One more waits. Loop thread only."""
        self._pending = (*self._pending, pending)

    def remove(self, pending: PendingCall) -> None:
        """It does not wait any more. Loop thread only."""
        pending.close()
        self._pending = tuple(one for one in self._pending if one is not pending)
        self.hold(pending.turn)

    def hold(self, turn: Turn) -> None:
        """Have a wait for a turn be for its end again, if nothing in it waits any more."""
        if all(one.turn is not turn for one in self.pending):
            turn._hold_waiting()

    def refuse_while_waiting(self, cell: Cell | None) -> None:
        """Raise UsageError while a call waits: what is asked now would follow an open turn.

        Unless that turn is an earlier run's of the same cell: then it is stopped.
        """
        for waiting in self.pending:
            earlier = waiting.turn.cell
            same = cell is not None and earlier is not None and earlier.id == cell.id
            if same and _run(earlier) != _run(cell):
                waiting.turn.stop()
                continue
            raise UsageError(
                f"turn {waiting.turn.number} is open: {waiting.call.shown()} waits for a decision; "
                "approve or reject it on its card or with session.pending[0], or end the turn with "
                "session.pending[0].turn.stop()"
            )

    def decide(
        self,
        turn_id: str,
        call_id: str,
        call_hash: str,
        action: str,
        *,
        arguments: Mapping[str, object] | None = None,
        reason: str = "",
    ) -> None:
        """What somebody decided who saw a call with this hash. Raises UsageError."""
        if action not in _ACTIONS:
            raise UsageError(f"{action[:40]!r} is no decision, expected {', '.join(_ACTIONS)}")
        found = next(
            (one for one in self.pending if one.id == call_id and one.turn.id == turn_id), None
        )
        if found is None:
            raise UsageError("this call does not wait for a decision any more")
        if found.hash != call_hash:
            raise UsageError(
                "the call that was shown is not the one that waits; look at it again, then decide"
            )
        if action == "reject":
            found.reject(reason)
        elif action == "always":
            found._always(arguments)
        else:
            found._approve(arguments)


def _run(cell: Cell | None) -> str | None:
    return None if cell is None else cell.run


def waits_sentence(pending: PendingCall) -> str:
    """What somebody is told whose call returns before the turn has ended."""
    return (
        f"{pending.call.shown()} waits for a decision: use the buttons of its card, or "
        "session.pending[0].approve() or .reject('why'); the turn then goes on by itself"
    )
