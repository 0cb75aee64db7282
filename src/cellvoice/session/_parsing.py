"""The object that a reply stands for, when one was asked for by `schema=`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellvoice.protocol import NotAnObject, Reply, Schema

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["parse"]


def parse(turn: Turn) -> tuple[object, str]:
    """The object that a whole reply stands for, and a notice if it is none ("" if it is one)."""
    schema = turn._settings.params.get("schema")
    if not isinstance(schema, Schema):
        return None, ""
    text = _object_text(turn.reply, schema)
    if text is None:
        called = ", ".join(repr(call.name) for call in turn.reply.tool_calls)
        return None, f"the model called {called} in place of giving a {schema.name}"
    try:
        return schema.read(text), ""
    except NotAnObject as error:
        return None, f"the reply is no {schema.name} ({error}); turn.parsed is None, ask again"


def _object_text(reply: Reply, schema: Schema) -> str | None:
    """The JSON of the object; None if other functions were called instead."""
    for call in reply.tool_calls:
        if call.name == schema.name:
            return call.arguments
    return None if reply.tool_calls else reply.text
