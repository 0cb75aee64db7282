"""The requests of a turn with their replies, and the one that gave its object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError
from cellvoice.protocol import NotAnObject, Reply, Request, Schema

if TYPE_CHECKING:
    from cellvoice.session.turn import Turn

__all__ = ["Given", "exchanges", "given_object", "object_text"]


@dataclass(frozen=True, slots=True)
class Given:
    """The object of a turn: its JSON, in the reply to which request."""

    text: str
    request: Request
    reply: Reply
    schema: Schema


def exchanges(turn: Turn) -> list[tuple[Request, Reply]]:
    """All requests that were sent, in order, each with its own reply."""
    found = [(one.request, one.reply) for one in turn._rounds if one.request is not None]
    return found if turn.request is None else [*found, (turn.request, turn._answer)]


def object_text(schema: Schema, reply: Reply) -> str | None:
    """The JSON of the object as far as a reply has it; None where it has another function's."""
    for call in reversed(reply.tool_calls):
        if call.name == schema.name:
            return call.arguments
    return None if reply.tool_calls else reply.text


def given_object(turn: Turn) -> Given:
    """The object that a turn gave. Raises UsageError where it gave none, or none was asked for."""
    schema = turn._settings.params.get("schema")
    if not isinstance(schema, Schema):
        raise UsageError("turn.confidence() is about an object, and none was asked for by schema=")
    # The newest first: one that did not fit was given back to be repaired.
    for request, reply in reversed(exchanges(turn) if turn.done else []):
        text = object_text(schema, reply)
        if text is not None and _fits(schema, text):
            return Given(text, request, reply, schema)
    raise UsageError("the turn gave no object, so there is nothing to be sure of; see notices")


def _fits(schema: Schema, text: str) -> bool:
    try:
        schema.read(text)
    except NotAnObject:
        return False
    return True
