"""What a tool may know of the turn that calls it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING

from cellvoice.errors import Stopped, UsageError

if TYPE_CHECKING:
    from cellvoice.session._seams import Cell
    from cellvoice.session.session import Session
    from cellvoice.session.turn import Turn

    from .calls import ToolCall

__all__ = ["ToolContext", "inside_tool", "refuse_inside_tool"]

# The sessions whose turns wait for the tool that runs here.
_waiting_sessions: ContextVar[tuple[str, ...]] = ContextVar("waiting_sessions", default=())


def inside_tool(turn: Turn) -> Context:
    """The context in which a tool of this turn runs: that of the cell that asked."""
    context = turn._context.copy()
    waiting = context.run(_waiting_sessions.get)
    context.run(_waiting_sessions.set, (*waiting, turn.session_id))
    return context


def refuse_inside_tool(session: Session) -> None:
    """Raise UsageError where a tool would wait for a turn that waits for the tool."""
    if session.id in _waiting_sessions.get():
        raise UsageError(
            "a tool asked something in the session whose turn waits for that tool; ask in another "
            "Session, or use session.start_turn(…), which does not wait"
        )


class ToolContext:
    """Given to a tool that has a parameter of this type; the model does not see that parameter.

    `session`, `turn` and `cell` are those that the call belongs to, `call` is the call itself.
    May be used from any thread.
    """

    def __init__(self, turn: Turn, call: ToolCall, tell: Callable[[str], object]) -> None:
        self._turn = turn
        self._call = call
        self._tell = tell
        self._stopped = threading.Event()

    @property
    def session(self) -> Session:
        """The conversation. Its verbs that wait can't be used here: the turn that calls runs."""
        return self._turn.session

    @property
    def turn(self) -> Turn:
        """The turn in which the model called."""
        return self._turn

    @property
    def cell(self) -> Cell | None:
        """The notebook cell that asked, or None outside of a notebook."""
        return self._turn.cell

    @property
    def call(self) -> ToolCall:
        """The call: its id, its arguments as the model wrote them."""
        return self._call

    @property
    def stopped(self) -> bool:
        """Whether nobody waits for the result any more: stopped, or out of time.

        A function in a thread can't be ended from outside, so a long one should look.
        """
        return self._stopped.is_set()

    def progress(self, text: str) -> None:
        """Show on the card how far it is. Raises Stopped once nobody waits for the result."""
        if self._stopped.is_set():
            raise Stopped("nobody waits for the result of this tool any more")
        self._tell(str(text))

    def _stop(self) -> None:
        self._stopped.set()
