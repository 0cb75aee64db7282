"""The requests of one turn: each has a reply of its own, and the turn has them all in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cellvoice.protocol import (
    Event,
    Reply,
    ReplyLogprobs,
    Request,
    TextChunk,
    ToolCallChunk,
    TranscriptChunk,
    Usage,
    UsageReceived,
    assistant_text,
    fold,
    user_message,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellvoice.session._cost import Cost

    from .calls import ToolCall

__all__ = ["Round", "RoundsReply", "round_messages"]

_NOT_ANSWERED = "not run: the turn ended before"


@dataclass(frozen=True, slots=True)
class Round:
    """A request of a turn that was followed by another one, and how it was answered.

    `correction` is what the model was told in place of results, where it had to answer anew.
    """

    request: Request | None
    request_id: str | None
    reply: Reply
    cost: Cost
    calls: tuple[ToolCall, ...] = ()
    correction: str = ""


class RoundsReply:
    """The reply of a turn that has several, put together as they come.

    Sound and words one after the other, tokens added up; ids and the end are the newest's.
    """

    def __init__(self, first: Reply) -> None:
        self.whole = replace(
            first,
            pcm=bytearray(first.pcm),
            tool_calls=list(first.tool_calls),
            others=dict(first.others),
            logprobs=_copy(first.logprobs),
        )
        self._begin()

    def begin(self) -> None:
        """Another reply begins."""
        self._begin()

    def _begin(self) -> None:
        self.whole.done = False
        self.whole.finish_reason = None
        self._calls = list(self.whole.tool_calls)
        self._usage = self.whole.usage
        self._spoke = bool(self.whole.text)

    def fold(self, event: Event, reply: Reply) -> Event | None:
        """Apply an event that `reply`, the newest one, has had; one that goes before it, or None.

        Words of another reply are set apart from those before by a space.
        """
        apart: Event | None = None
        match event:
            case TranscriptChunk(text) | TextChunk(text) if text and self._spoke:
                self._spoke = False
                if not self.whole.text[-1:].isspace() and not text[:1].isspace():
                    apart = type(event)(" ")
                    fold(self.whole, apart)
                fold(self.whole, event)
            case ToolCallChunk():
                # Calls are joined by their index, which every reply counts from 0.
                self.whole.tool_calls = [*self._calls, *reply.tool_calls]
            case UsageReceived(usage):
                fold(self.whole, UsageReceived((self._usage or Usage()) + usage))
            case _:
                fold(self.whole, event)
        return apart


def _copy(found: ReplyLogprobs | None) -> ReplyLogprobs | None:
    if found is None:
        return None
    copied = ReplyLogprobs()
    for raw in found.raw:
        copied.append(raw)
    return copied


def round_messages(
    reply: Reply, calls: Sequence[ToolCall], correction: str = ""
) -> list[Mapping[str, object]]:
    """What the model said in a round, and what it was told: as the service wants it repeated.

    Words that it spoke before it called are repeated as words: whether the id of their sound may
    stand beside calls is not known of any service.
    """
    words = reply.text.strip()
    if not calls:
        found = [assistant_text(reply.text)] if words else []
        return [*found, user_message(correction)] if correction else list(found)
    said: dict[str, object] = {
        "role": "assistant",
        "content": reply.text if words else None,
        "tool_calls": [_as_sent(call) for call in calls],
    }
    return [said, *(_answer(call) for call in calls)]


def _as_sent(call: ToolCall) -> dict[str, object]:
    # Without arguments some servers write nothing, and then refuse to read that again.
    given = {"name": call.name, "arguments": call.arguments_text or "{}"}
    return {"id": call.id, "type": "function", "function": given}


def _answer(call: ToolCall) -> dict[str, object]:
    told = call.result_text if call.result_text is not None else call.error
    return {"role": "tool", "tool_call_id": call.id, "content": told or _NOT_ANSWERED}
