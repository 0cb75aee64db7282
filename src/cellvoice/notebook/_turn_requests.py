"""What a page may ask of the turns that it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.render import SOUND_MIME, WHOLE, frozen
from cellvoice.session import Turn
from cellvoice.widgets import Answer, UnknownRequest

from ._tools import decide

__all__ = ["Data", "Find", "Handler", "among", "answered", "turn_readings", "turn_requests"]

Data = Mapping[str, object]
Handler = Callable[[Data, tuple[bytes, ...]], Awaitable[Answer]]
# A turn by its id.
Find = Callable[[str], Turn | None]


def turn_requests(find: Find) -> dict[str, Handler]:
    """All handlers by their names: what `turn_readings` has, and what changes a turn that runs.

    `stop` {turn}; `turn.decide` {turn, call, hash, action, …} about a call of a tool.
    """
    return {
        **turn_readings(find),
        "stop": _handler(find, _stop, apart=False),
        "turn.decide": _handler(find, _decide, apart=False),
    }


def turn_readings(find: Find) -> dict[str, Handler]:
    """The handlers that only tell of a turn; whoever knows its id may ask.

    `sound` {turn, part?, choice?} → MP3 of the reply, of that part of the question,
    or of another of the replies (n > 1);
    `version` {turn} → its card; `logprobs` {turn} → all of them;
    `events` {turn} → what came over the wire, or why there is nothing.
    """
    return {
        "sound": _handler(find, _sound),
        "version": _handler(find, _version),
        "logprobs": _handler(find, _logprobs),
        "events": _handler(find, _events),
    }


def among(turns: Mapping[str, Turn]) -> Find:
    """Find a turn among these and their versions."""

    def find(id_: str) -> Turn | None:
        older = (one for turn in list(turns.values()) for one in turn.versions if one.id == id_)
        return turns.get(id_) or next(older, None)

    return find


async def answered(
    handlers: Mapping[str, Handler], name: str, data: Data, buffers: tuple[bytes, ...]
) -> Answer:
    """What the handler of that name answers."""
    handler = handlers.get(name)
    if handler is None:
        raise UnknownRequest(f"the kernel does not know the request {name[:40]!r}")
    return await handler(data, buffers)


def _handler(find: Find, answer: Callable[[Turn, Data], Answer], *, apart: bool = True) -> Handler:
    async def handle(data: Data, buffers: tuple[bytes, ...]) -> Answer:
        turn = find(str(data.get("turn")))
        if turn is None:
            raise UsageError("the kernel has no such turn any more; run the cell again")
        # Sound and long forms take their time, which other turns must not wait for.
        return await asyncio.to_thread(answer, turn, data) if apart else answer(turn, data)

    return handle


def _stop(turn: Turn, data: Data) -> Answer:
    turn.stop()
    return {}, ()


def _decide(turn: Turn, data: Data) -> Answer:
    decide(turn, data)
    return {}, ()


def _sound(turn: Turn, data: Data) -> Answer:
    part, choice = data.get("part"), data.get("choice")
    if choice is not None:
        return {"mime": SOUND_MIME}, [_choice_clip(turn, choice).to_bytes("mp3")]
    if part is None:
        return {"mime": SOUND_MIME}, [_reply_clip(turn).to_bytes("mp3")]
    said = turn.input[part] if isinstance(part, int) and 0 <= part < len(turn.input) else None
    if not isinstance(said, Clip):
        raise UsageError("this part of the question is no sound")
    return {"mime": SOUND_MIME}, [said.to_bytes("mp3")]


def _version(turn: Turn, data: Data) -> Answer:
    return {"card": frozen(turn)}, ()


def _logprobs(turn: Turn, data: Data) -> Answer:
    return {"logprobs": frozen(turn, limits=WHOLE).get("logprobs")}, ()


def _events(turn: Turn, data: Data) -> Answer:
    found = turn.events
    why = "" if found else "nothing has come over the wire for this turn"
    if not turn.events_kept:
        why = "this turn was read from a journal, which does not keep what came over the wire"
    return {**found.to_json(), "why": why}, ()


def _choice_clip(turn: Turn, choice: object) -> Clip:
    known = isinstance(choice, int) and 0 <= choice < len(turn.choices)
    clip = turn.choices[choice].clip if known and isinstance(choice, int) else None
    if clip is None:
        raise UsageError("this choice has no sound")
    return clip


def _reply_clip(turn: Turn) -> Clip:
    clip = turn.reply.clip
    if clip is None:
        raise UsageError("this turn has no sound")
    return clip
