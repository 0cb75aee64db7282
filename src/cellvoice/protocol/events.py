"""What a reply is made of, in the order it arrives: a closed set of small values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cellvoice.errors import CellvoiceError

from .usage import Usage

__all__ = [
    "AudioChunk",
    "AudioExpiry",
    "AudioStarted",
    "EngineNamed",
    "ErrorReceived",
    "Event",
    "FinishReason",
    "Heartbeat",
    "LogprobsChunk",
    "RefusalChunk",
    "ReplyStarted",
    "StreamDone",
    "TextChunk",
    "ToolCallChunk",
    "TranscriptChunk",
    "UsageReceived",
]


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The first sign of the reply. `created` is the service's clock, in Unix seconds."""

    reply_id: str | None
    model: str | None
    created: int | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class EngineNamed:
    """The embedded engine says what it is: `name`, `voice`, `ear`, `badge`, `heard`."""

    info: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AudioStarted:
    """The id by which a later request can refer to this spoken answer; told once."""

    audio_id: str


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Some of the sound: whole signed 16-bit little-endian mono samples."""

    pcm: bytes
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class TranscriptChunk:
    """Some of the words that are spoken; they run ahead of their sound."""

    text: str


@dataclass(frozen=True, slots=True)
class TextChunk:
    """Some of an answer in text, in place of a spoken one."""

    text: str


@dataclass(frozen=True, slots=True)
class RefusalChunk:
    """Some of the sentence by which the model refuses."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """Some of a tool call. `arguments` is a piece of JSON text; id and name come once."""

    index: int
    call_id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class LogprobsChunk:
    """Rows of token probabilities as the service wrote them, for the text or for the refusal."""

    content: tuple[Mapping[str, object], ...]
    refusal: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """An event without content; one comes for about every 50 ms of speech that is generated."""


@dataclass(frozen=True, slots=True)
class AudioExpiry:
    """Until when the audio id can be used, in Unix seconds."""

    expires_at: int


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the reply ended. Never told in a stream with sound."""

    reason: str


@dataclass(frozen=True, slots=True)
class UsageReceived:
    """What the reply used. More events may follow."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class ErrorReceived:
    """The service failed in the middle of a reply; the error is ready to be raised."""

    error: CellvoiceError


@dataclass(frozen=True, slots=True)
class StreamDone:
    """The reply is complete."""


Event = (
    ReplyStarted
    | EngineNamed
    | AudioStarted
    | AudioChunk
    | TranscriptChunk
    | TextChunk
    | RefusalChunk
    | ToolCallChunk
    | LogprobsChunk
    | Heartbeat
    | AudioExpiry
    | FinishReason
    | UsageReceived
    | ErrorReceived
    | StreamDone
)
