"""The requests of a turn with their replies, and the one that gave its object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cellvoice.errors import UsageError
from cellvoice.protocol import NotAnObject, Reply, Request, Schema

if TYPE_CHECKING:
    from cellvoice.session.turn import Turn

__all__ = ["Given", "exchanges", "given_object", "object_text", "schema_of_turn"]


@dataclass(frozen=True, slots=True)
class Given:
    """The object of a turn: its JSON, in the reply to which request."""

    text: str
    request: Request
    reply: Reply
    schema: Schema


def exchanges(turn: Turn) -> list[tuple[Request, Reply]]:
    """All requests that were sent, in order, each with its own reply."""
    of_rounds: Iterable[Any] = getattr(turn, "_rounds", ())
    found = [(one.request, one.reply) for one in of_rounds if one.request is not None]
    if turn.request is not None:
        found.append((turn.request, getattr(turn, "_answer", turn.reply)))
    return found


def schema_of_turn(turn: Turn) -> Schema | None:
    """The form that was asked for, or None."""
    schema = turn._settings.params.get("schema")
    return schema if isinstance(schema, Schema) else None


def object_text(schema: Schema, reply: Reply) -> str | None:
    """The JSON of the object as far as a reply has it; None where it has another function's."""
    for call in reversed(reply.tool_calls):
        if call.name == schema.name:
            return call.arguments
    return None if reply.tool_calls else reply.text


def given_object(turn: Turn) -> Given:
    """The object that a turn gave. Raises UsageError where it gave none, or none was asked for."""
    schema = schema_of_turn(turn)
    if schema is None:
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
