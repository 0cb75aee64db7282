"""The calls of a turn on the page: what becomes of them, and what a person decides there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError
from cellvoice.protocol import Event, TextChunk, ToolCallChunk, TranscriptChunk

from ._paced import Loop, Paced

if TYPE_CHECKING:
    from cellvoice.session import Turn

_MOST_REASON_LETTERS = 2_000
_MOST_HTML_LETTERS = 200_000


class ToolsTeller:
    """Tells a page of a turn's calls and trace, and of the object that it is to be.

    Whole lists and the whole object so far, at most 10 times a second. After `end` nothing more is
    told; the card that follows has all of it. `emit` and `on_loop` may be called from any thread.
    """

    def __init__(
        self,
        turn: Turn,
        emit: Callable[[str, Mapping[str, object]], object],
        loop: Loop,
        on_loop: Callable[[Callable[[], object]], object],
    ) -> None:
        self._turn = turn
        self._emit = emit
        self._on_loop = on_loop
        self._calls = Paced(self._tell_calls, loop)
        self._object = Paced(self._tell_object, loop)
        self._told: object = None
        turn.when_tools_change(self.changed)
        self.changed()

    def changed(self) -> None:
        """Something about a call has changed. From any thread."""
        if self._turn.tool_calls:
            self._on_loop(self._calls.soon)

    def event(self, event: Event) -> None:
        """Something has come that the object may be made of."""
        if isinstance(event, (ToolCallChunk, TextChunk, TranscriptChunk)):
            self._object.soon()

    def end(self) -> None:
        """Tell nothing more."""
        self._calls.end()
        self._object.end()

    def _tell_calls(self) -> None:
        self._emit("turn.tools", tools_form(self._turn))

    def _tell_object(self) -> None:
        partial = self._turn.partial
        if partial is not None and partial != self._told:
            self._told = partial
            self._emit("turn.partial", {"turn": self._turn.id, "partial": partial})


def tools_form(turn: Turn) -> dict[str, object]:
    """The calls and the trace of a turn, as the page has them while it runs.

    Pictures and tables only as far as there is room: all of it is sent again at every change.
    """
    forms, room = [], _MOST_HTML_LETTERS
    for call in turn.tool_calls:
        form = call.to_json()
        room -= len(call.result_html or "")
        forms.append(form if room >= 0 else {**form, "result_html": None})
    return {"turn": turn.id, "tool_calls": forms, "trace": turn.trace.to_json()}


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
