"""Replies that call tools, as the service sends them, and what a request says of them."""

from __future__ import annotations

import base64
from typing import Any

from .rig import Asked, Piece, Reply, event

DONE = b"data: [DONE]\n\n"


def delta(delta: dict[str, object], **choice: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta, **choice}]})


def usage(sent: int, received: int) -> bytes:
    told = {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
    details = {
        "prompt_tokens_details": {"audio_tokens": 0, "text_tokens": sent},
        "completion_tokens_details": {"audio_tokens": 0, "text_tokens": received},
    }
    return event({"choices": [], "usage": {**told, **details}})


def calls(*asked: tuple[str, str], said: str = "", tokens: tuple[int, int] | None = None) -> Reply:
    """A reply that calls functions by name, with JSON text; a piece of the text at a time."""
    pieces: list[Piece] = [delta({"content": said})] if said else []
    for index, (name, arguments) in enumerate(asked):
        begin = {"name": name, "arguments": ""}
        first = {"index": index, "id": f"call_{name}_{index}", "type": "function"}
        pieces.append(delta({"tool_calls": [{**first, "function": begin}]}))
        for at in range(0, len(arguments), 5):
            piece = {"arguments": arguments[at : at + 5]}
            pieces.append(delta({"tool_calls": [{"index": index, "function": piece}]}))
    pieces.append(delta({}, finish_reason="tool_calls"))
    if tokens is not None:
        pieces.append(usage(*tokens))
    return Reply([*pieces, DONE])


def spoken(text: str, *, sound_s: float = 0.2, tokens: tuple[int, int] | None = None) -> Reply:
    """A spoken reply with an id of its own."""
    pcm = base64.b64encode(b"\x00\x20" * int(24_000 * sound_s)).decode()
    name = f"audio_{text[:8]}"
    pieces: list[Piece] = [
        delta({"audio": {"id": name, "transcript": text}}),
        delta({"audio": {"data": pcm}}),
        delta({"audio": {"expires_at": 4_000_000_000}}),
    ]
    if tokens is not None:
        pieces.append(usage(*tokens))
    return Reply([*pieces, DONE])


def spoken_call(text: str, name: str, arguments: str) -> Reply:
    """A reply that speaks, and then calls."""
    begin = spoken(text).pieces[:-1]
    return Reply([*begin, *calls((name, arguments)).pieces])


def messages(asked: Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asked.body["messages"]
    return found


def told(asked: Asked) -> list[str]:
    """What the request says the tools have returned, in order."""
    return [one["content"] for one in messages(asked) if one["role"] == "tool"]
