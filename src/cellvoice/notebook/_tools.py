"""The calls of a turn on the page: what becomes of them, and what a person decides there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError

from ._progress import TOLD_EVERY_S, Loop, Timer

if TYPE_CHECKING:
    from cellvoice.session import Turn

_MOST_REASON_LETTERS = 2_000


class ToolsTeller:
    """Tells a page of a turn's calls and trace: whole lists, the newest at most 10 times a second.

    `changed` may be called from any thread, `end` on the loop. After `end` nothing more is told;
    the card that follows has all of it.
    """

    def __init__(
        self,
        turn: Turn,
        tell: Callable[[Mapping[str, object]], object],
        loop: Loop,
        on_loop: Callable[[Callable[[], object]], object],
    ) -> None:
        self._turn = turn
        self._tell = tell
        self._loop = loop
        self._on_loop = on_loop
        self._next_s = 0.0
        self._timer: Timer | None = None
        self._ended = False
        turn.when_tools_change(self.changed)
        if turn.tool_calls:
            self.changed()

    def changed(self) -> None:
        """Something about a call has changed."""
        self._on_loop(self._soon)

    def end(self) -> None:
        """Tell nothing more."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()

    def _soon(self) -> None:
        if self._timer is not None or self._ended or not self._turn.tool_calls:
            return
        wait_s = self._next_s - self._loop.time()
        if wait_s <= 0:
            self._flush()
        else:
            self._timer = self._loop.call_later(wait_s, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._next_s = self._loop.time() + TOLD_EVERY_S
        self._tell(tools_form(self._turn))


def tools_form(turn: Turn) -> dict[str, object]:
    """The calls and the trace of a turn, as the page has them."""
    return {
        "turn": turn.id,
        "tool_calls": [call.to_json() for call in turn.tool_calls],
        "trace": turn.trace.to_json(),
    }


def decide(turn: Turn, data: Mapping[str, object]) -> None:
    """What a person decided on the page. Raises UsageError."""
    arguments, reason = data.get("arguments"), data.get("reason")
    if arguments is not None and not isinstance(arguments, Mapping):
        raise UsageError("the arguments are no JSON object; write them as {…}")
    turn.session.decide(
        turn,
        str(data.get("call")),
        str(data.get("hash")),
        str(data.get("action")),
        arguments=arguments,
        reason=str(reason)[:_MOST_REASON_LETTERS] if isinstance(reason, str) else "",
    )
