"""One object of a stream, or a whole reply, decoded no further than it will be read.

Sound and token probabilities stay the bytes they are in the JSON: they are nearly all of a stream,
and become sound or rows in one step of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from cellvoice.errors import ProtocolError

from ._json import NotJSON, as_list, as_mapping, decode

__all__ = ["ABSENT", "Audio", "Choice", "Chunk", "Delta", "chunk_of"]

ABSENT = msgspec.Raw(b"null")


class Audio(msgspec.Struct):
    """What is spoken, or a piece of it; `data` is the JSON string of its base64."""

    id: Any = None
    transcript: Any = None
    data: msgspec.Raw = ABSENT
    expires_at: Any = None


class Delta(msgspec.Struct):
    """A message, or a piece of it."""

    content: Any = None
    refusal: Any = None
    audio: Audio | None = None
    tool_calls: Any = None


class Choice(msgspec.Struct):
    """One of `n` replies, or a piece of it."""

    index: Any = None
    delta: Delta | None = None
    message: Delta | None = None
    logprobs: msgspec.Raw = ABSENT
    finish_reason: Any = None


class Chunk(msgspec.Struct):
    """One event's object, or the body of a reply that was not streamed."""

    id: Any = None
    model: Any = None
    created: Any = None
    system_fingerprint: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    modality: Any = None
    x_engine: Any = None
    # Some servers' errors are the object itself, marked by this word.
    object: Any = None
    message: Any = None
    code: Any = None


_decoder = msgspec.json.Decoder(Chunk)


def chunk_of(payload: bytes) -> Chunk:
    """Decode one object; a member of an unexpected type costs that member and no more.

    Raises ProtocolError for what is no JSON object.
    """
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _leniently(payload)


def _leniently(payload: bytes) -> Chunk:
    try:
        found = decode(payload)
    except NotJSON as error:
        raise ProtocolError(
            f"what the service sent is no JSON ({len(payload):,} bytes), expected an object; "
            "check base_url, or ask again"
        ) from error
    if not isinstance(found, dict):
        raise ProtocolError(
            f"what the service sent is a JSON {type(found).__name__}, expected an object; "
            "check base_url"
        )
    choices = found.get("choices")
    return Chunk(
        id=found.get("id"),
        model=found.get("model"),
        created=found.get("created"),
        system_fingerprint=found.get("system_fingerprint"),
        choices=None
        if choices is None
        else [_choice(choice) for choice in as_list(choices) if isinstance(choice, dict)],
        usage=found.get("usage"),
        error=found.get("error"),
        modality=found.get("modality"),
        x_engine=found.get("x_engine"),
        object=found.get("object"),
        message=found.get("message"),
        code=found.get("code"),
    )


def _choice(found: Mapping[str, Any]) -> Choice:
    return Choice(
        index=found.get("index"),
        delta=_delta(found.get("delta")),
        message=_delta(found.get("message")),
        logprobs=_raw(found.get("logprobs")),
        finish_reason=found.get("finish_reason"),
    )


def _delta(found: object) -> Delta | None:
    if not isinstance(found, dict):
        return None
    audio = found.get("audio")
    return Delta(
        content=found.get("content"),
        refusal=found.get("refusal"),
        audio=_audio(as_mapping(audio)) if isinstance(audio, dict) else None,
        tool_calls=found.get("tool_calls"),
    )


def _audio(found: Mapping[str, Any]) -> Audio:
    return Audio(
        id=found.get("id"),
        transcript=found.get("transcript"),
        data=_raw(found.get("data")),
        expires_at=found.get("expires_at"),
    )


def _raw(value: object) -> msgspec.Raw:
    # The library's own form, because these values may hold NaN, which is why we are here.
    return ABSENT if value is None else msgspec.Raw(json.dumps(value).encode())
