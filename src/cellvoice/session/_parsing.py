"""The object that a reply stands for, when one was asked for by `schema=`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellvoice.protocol import NotAnObject, Reply, Schema

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["Parsed", "parse", "read_object"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """An object, or why there is none (`error`, a part of a sentence) and what was written."""

    value: object = None
    error: str = ""
    text: str = ""


def read_object(text: str, schema: Schema) -> Parsed:
    """The object that a text stands for, or what keeps it from being one."""
    try:
        return Parsed(schema.read(text), text=text)
    except NotAnObject as error:
        return Parsed(None, str(error), text)


def parse(turn: Turn) -> tuple[Parsed, str]:
    """The object that a whole reply stands for, and a notice if it is none ("" if it is one)."""
    schema = turn._settings.params.get("schema")
    if not isinstance(schema, Schema):
        return Parsed(), ""
    reply = turn._answer
    text = _object_text(reply, schema)
    if text is None:
        called = ", ".join(repr(call.name) for call in reply.tool_calls)
        error = f"the model called {called} in place of giving a {schema.name}"
        return Parsed(error=error, text="".join(one.arguments for one in reply.tool_calls)), error
    found = read_object(text, schema)
    if not found.error:
        return found, ""
    return found, (f"the reply is no {schema.name} ({found.error}); turn.parsed is None, ask again")


def _object_text(reply: Reply, schema: Schema) -> str | None:
    """The JSON of the object; None if other functions were called instead."""
    for call in reply.tool_calls:
        if call.name == schema.name:
            return call.arguments
    return None if reply.tool_calls else reply.text
