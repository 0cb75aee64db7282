"""What compatible servers write in other places or forms than the service does.

Everything that is read differently because of a server stands here, so that the reader has one form
to read. What the bytes of sound themselves may be (a file's header first or in every piece, another
rate, compressed sound, a `data:` address) is told by their first bytes, in `_sound`.

| server | what it does | here |
|---|---|---|
| vLLM-Omni | a stream's sound is in `content`, marked by `modality` | `sound_in_content` |
| vLLM-Omni | two choices of index 0: the text, then the sound | both are one reply |
| vLLM-Omni, LocalAI, Perplexity | usage in every object | `ReplyReader.whole` |
| whole replies, proxies | `message` in place of `delta` | `piece_of` |
| Perplexity | `delta`, and beside it a `message` with all that came so far | `piece_of` |
| proxies | `content` is a list of parts | `text_in` |
| proxies | an index that is absent, null or no number | `index_of` |
| Mistral, Gemini, Ollama | a tool call without index, arguments as an object | `tool_calls_in` |
| speaches, OpenRouter, DashScope | id and expiry in every piece of sound | `ends_speech` |
| OpenRouter, Azure | an error's code is a number, its words are elsewhere | `fault` |
| OpenRouter | usage and last words in the object with the error | `ReplyReader.read` |
| vLLM | an error is the object itself | `error_in` |
| llama.cpp | an error in a line `error:` | `SSEDecoder` |
| Azure | the first object has no id | `ReplyReader.read` |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ._chunk import Audio, Choice, Chunk, Delta
from ._json import as_int, as_list, as_mapping, as_text
from .events import ToolCallChunk

__all__ = [
    "ends_speech",
    "error_in",
    "index_of",
    "piece_of",
    "sound_in_content",
    "text_in",
    "tool_calls_in",
]

_NULL, _EMPTY = b"null", b'""'


def index_of(choice: Choice) -> int:
    """Which of the `n` replies a piece belongs to; the first if it does not say."""
    return as_int(choice.index) or 0


def piece_of(choice: Choice, *, streamed: bool, had_deltas: bool) -> Delta | None:
    """The piece in one choice: its `delta`, or its `message`, but never both.

    Where a stream has both, the message is all that there is by now, or the whole once more.
    """
    delta, message = choice.delta, choice.message
    if not streamed:
        return message if message is not None else delta
    if delta is not None or had_deltas:
        return delta
    return message


def error_in(chunk: Chunk) -> object:
    """The error that an object tells of, in whatever form, or None."""
    if chunk.error:
        return chunk.error
    if chunk.object == "error":
        return {"message": chunk.message, "code": chunk.code}
    return None


def sound_in_content(chunk: Chunk, delta: Delta) -> str:
    """The base64 that stands where text belongs, or ""."""
    return as_text(delta.content) if chunk.modality == "audio" else ""


def text_in(content: object) -> str:
    """The text of a message's `content`, a string or a list of parts; "" if there is none."""
    if isinstance(content, str):
        return content
    return "".join(as_text(as_mapping(part).get("text")) for part in as_list(content))


def ends_speech(audio: Audio) -> bool:
    """Whether an expiry says that the spoken reply is whole: only if nothing else is beside it."""
    if audio.id or audio.transcript or bytes(audio.data) not in (_NULL, _EMPTY):
        return False
    return as_int(audio.expires_at) is not None


def tool_calls_in(delta: Delta) -> Iterator[ToolCallChunk]:
    """The pieces of tool calls, of functions and of custom tools."""
    for position, call in enumerate(as_list(delta.tool_calls)):
        if isinstance(call, dict):
            index = as_int(call.get("index"))
            # A custom tool has `input` where a function has `arguments`.
            function = as_mapping(call.get("function") or call.get("custom"))
            yield ToolCallChunk(
                index=position if index is None else index,
                call_id=as_text(call.get("id")) or None,
                name=as_text(function.get("name")) or None,
                arguments=_json_text(function.get("arguments", function.get("input"))),
                custom=call.get("type") == "custom" or "custom" in call,
            )


def _json_text(arguments: Any) -> str:
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return as_text(arguments)
