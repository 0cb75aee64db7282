"""What a recorded reply says, in a few words: for the index, and to find the next request."""

from __future__ import annotations

from typing import Any

from cellvoice.errors import CellvoiceError
from cellvoice.protocol import CompletionParser, Reply, StreamParser, fold

__all__ = ["told_by", "whole"]


def told_by(body: bytes, *, streamed: bool) -> dict[str, Any]:
    """The reply's model, words, audio id, seconds of speech and tokens, as far as it has them."""
    reply, _ = _read(body, streamed=streamed)
    usage = reply.usage
    told = {
        "model": reply.model,
        "audio_id": reply.audio_id,
        "words": reply.text or reply.refusal,
        "speech_s": round(len(reply.pcm) / 2 / reply.sample_rate_hz, 3),
        "tokens": [usage.prompt_tokens, usage.completion_tokens] if usage else None,
        "engine": (reply.engine or {}).get("badge"),
    }
    return {name: value for name, value in told.items() if value}


def whole(body: bytes, *, streamed: bool) -> bool:
    """Whether the reply has said its end, so that whoever reads it reads no further."""
    _, ended = _read(body, streamed=streamed)
    return ended


def _read(body: bytes, *, streamed: bool) -> tuple[Reply, bool]:
    reply = Reply()
    parser: StreamParser | CompletionParser = StreamParser() if streamed else CompletionParser()
    try:
        for event in [*parser.feed(body), *parser.finish(cut=True)]:
            fold(reply, event)
    except CellvoiceError:
        pass  # bytes that make no sense are kept all the same
    return reply, parser.done or parser.failed
