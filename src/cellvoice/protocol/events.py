"""What a reply is made of, in the order it arrives: a closed set of small values."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cellvoice.errors import CellvoiceError

from .logprobs import rows_of
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
    "OtherChoice",
    "RefusalChunk",
    "ReplyStarted",
    "StreamDone",
    "TextChunk",
    "ToolCallChunk",
    "TranscriptChunk",
    "UsageReceived",
]


class ReplyStarted(msgspec.Struct, frozen=True):
    """The first sign of the reply. `created` is the service's clock, in Unix seconds."""

    reply_id: str | None
    model: str | None
    created: int | None
    fingerprint: str | None


class EngineNamed(msgspec.Struct, frozen=True):
    """The embedded engine says what it is: `name`, `voice`, `ear`, `badge`, `heard`.

    Later ones carry `words`, when each word is said: `[first character, end, first second, end]`.
    """

    info: Mapping[str, object]


class AudioStarted(msgspec.Struct, frozen=True):
    """The id by which a later request can refer to this spoken answer; told once."""

    audio_id: str


class AudioChunk(msgspec.Struct, frozen=True):
    """Some of the sound: whole signed 16-bit little-endian mono samples."""

    pcm: bytes
    sample_rate_hz: int


class TranscriptChunk(msgspec.Struct, frozen=True):
    """Some of the words that are spoken; they run ahead of their sound."""

    text: str


class TextChunk(msgspec.Struct, frozen=True):
    """Some of an answer in text, in place of a spoken one."""

    text: str


class RefusalChunk(msgspec.Struct, frozen=True):
    """Some of the sentence by which the model refuses."""

    text: str


class ToolCallChunk(msgspec.Struct, frozen=True):
    """Some of a tool call; id and name come once.

    `arguments` is a piece of JSON text, or of any text if the tool is a custom one.
    """

    index: int
    call_id: str | None
    name: str | None
    arguments: str
    custom: bool = False


class LogprobsChunk(msgspec.Struct, frozen=True):
    """Token probabilities as the service wrote them: the JSON of one `logprobs` object."""

    raw: bytes

    @property
    def content(self) -> list[Mapping[str, object]]:
        """The rows for tokens of the text, decoded now."""
        return rows_of(self.raw, "content")

    @property
    def refusal(self) -> list[Mapping[str, object]]:
        """The rows for tokens of the refusal, decoded now."""
        return rows_of(self.raw, "refusal")


class Heartbeat(msgspec.Struct, frozen=True):
    """An event without content; one comes for about every 50 ms of speech that is generated."""


class AudioExpiry(msgspec.Struct, frozen=True):
    """Until when the audio id can be used, in Unix seconds."""

    expires_at: int


class FinishReason(msgspec.Struct, frozen=True):
    """Why the reply ended. Never told in a stream with sound."""

    reason: str


class UsageReceived(msgspec.Struct, frozen=True):
    """What the reply used. More events may follow."""

    usage: Usage


class ErrorReceived(msgspec.Struct, frozen=True):
    """The service failed in the middle of a reply; the error is ready to be raised."""

    error: CellvoiceError


class StreamDone(msgspec.Struct, frozen=True):
    """The reply is complete."""


class OtherChoice(msgspec.Struct, frozen=True):
    """An event of another of the `n` replies that were asked for; the first has index 0."""

    index: int
    event: Event


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
    | OtherChoice
    | StreamDone
)
