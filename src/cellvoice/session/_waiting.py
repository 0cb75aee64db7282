"""Waiting for a turn, so that Ctrl-C and the stop button end the turn and not the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cellvoice.errors import Stopped

from . import _loop, _seams
from .tools.approval import waits_sentence
from .turn import Turn

__all__ = [
    "refuse_after_interrupt",
    "was_interrupted",
    "wait_async",
    "wait_interrupted",
    "wait_sync",
]

# The run of a cell in which the user said stop. One for the process: a loop over several sessions
# is to end as well.
_interrupted_execution: str | None = None


def refuse_after_interrupt() -> None:
    """Raise Stopped if the user has interrupted this run of this cell.

    An interrupted verb returns its turn, so without this a loop in a cell would go on asking. In
    a plain script there are no cells, and the caller decides by `turn.finish`.
    """
    execution = _seams.execution()
    if execution is not None and execution == _interrupted_execution:
        raise Stopped("this cell was interrupted, so nothing more is asked in this run of it")


def was_interrupted(execution: str) -> bool:
    """Whether the user has interrupted this run of a cell."""
    return execution == _interrupted_execution


def wait_sync(turn: Turn, begin: Callable[[], object] | None = None) -> Turn:
    """Begin a turn if need be, and wait until it has ended; raise its error.

    Ctrl-C stops the turn, waits until what was heard is kept, and returns the turn. A second one
    raises Stopped at once; the turn then ends in the background. Where a call of a tool waits for
    a person who can't be heard meanwhile, the turn is returned as it is then, not ended.
    """
    turn._waiting = "blocking"
    try:
        # Inside, because an interrupt may come before the wait has begun.
        if begin is not None:
            begin()
        _loop.wait_for(turn._let_go)
        while not turn._let_go.is_set():  # decided in the same moment: it is waited for again
            _loop.wait_for(turn._let_go)
    except KeyboardInterrupt:
        _stop_in_time(turn)
    finally:
        turn._waiting = None
    return _result(turn)


def wait_interrupted(turn: Turn) -> Turn:
    """As `wait_sync` goes on after a Ctrl-C, for a caller that has seen it."""
    _stop_in_time(turn)
    return _result(turn)


def _stop_in_time(turn: Turn) -> None:
    global _interrupted_execution  # noqa: PLW0603
    try:
        _interrupted_execution = _seams.execution()
        turn.stop()
        _loop.wait_for(turn._ended)
    except KeyboardInterrupt:
        turn.stop()
        raise Stopped(
            f"turn {turn.number} is being closed in the background; what was heard is kept in "
            "session.turns"
        ) from None


async def wait_async(turn: Turn) -> Turn:
    """As `wait_sync`, on any loop. Being cancelled stops the turn first."""
    turn._waiting = "awaiting"
    try:
        await turn._until_let_go()
    except asyncio.CancelledError:
        turn.stop()
        await turn._until_ended()
        raise
    finally:
        turn._waiting = None
    return _result(turn)


def _result(turn: Turn) -> Turn:
    if turn.error is not None:
        raise turn.error
    waiting = next((one for one in turn.session.pending if one.turn is turn), None)
    if waiting is not None and _seams.execution() is not None:
        print(waits_sentence(waiting))  # noqa: T201 (it is meant for the cell's output)
    return turn
