"""A reply as it stands: events applied one by one, with one rule for each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from ._sound import PCM16_RATE_HZ
from .events import (
    AudioChunk,
    AudioExpiry,
    AudioStarted,
    EngineNamed,
    ErrorReceived,
    Event,
    FinishReason,
    Heartbeat,
    LogprobsChunk,
    OtherChoice,
    RefusalChunk,
    ReplyStarted,
    StreamDone,
    TextChunk,
    ToolCallChunk,
    TranscriptChunk,
    UsageReceived,
)
from .logprobs import ReplyLogprobs
from .usage import Usage

if TYPE_CHECKING:
    from cellvoice.audio import Clip

# An event without content comes for every audio token, which is 50 ms of speech.
HEARTBEAT_S = 0.05

__all__ = ["Reply", "ReplyToolCall", "fold"]


@dataclass(slots=True)
class ReplyToolCall:
    """A tool call as far as it has come; `arguments` is whole only at the end.

    They are JSON text; of a `custom` tool, any text.
    """

    index: int
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    custom: bool = False


@dataclass(slots=True)
class Reply:
    """Everything that has been received of one reply, at any moment of it.

    `pcm` is signed 16-bit little-endian mono sound at `sample_rate_hz`; `expires_at` is in Unix
    seconds. `done` is True once the service has said that the reply is whole.
    """

    reply_id: str | None = None
    model: str | None = None
    created: int | None = None
    fingerprint: str | None = None
    engine: Mapping[str, object] | None = None
    audio_id: str | None = None
    pcm: bytearray = field(default_factory=bytearray, repr=False)
    sample_rate_hz: int = PCM16_RATE_HZ
    transcript: str = ""
    # For each piece of the transcript: how long it was then, and `generated_s` when it came.
    word_pieces: list[tuple[int, float]] = field(default_factory=list, repr=False, compare=False)
    content: str = ""
    refusal: str = ""
    expires_at: int | None = None
    usage: Usage | None = None
    finish_reason: str | None = None
    heartbeats: int = 0
    tool_calls: list[ReplyToolCall] = field(default_factory=list)
    logprobs: ReplyLogprobs | None = None
    error: Exception | None = None
    done: bool = False
    # The other replies of a request with n > 1, by their index.
    others: dict[int, Reply] = field(default_factory=dict)

    @property
    def choices(self) -> tuple[Reply, ...]:
        """All replies of a request with n > 1, in the order of their index; this is the first."""
        return (self, *(self.others[index] for index in sorted(self.others)))

    @property
    def text(self) -> str:
        """What was said: the transcript, or the answer in text if nothing was spoken."""
        return self.transcript or self.content

    @property
    def received_s(self) -> float:
        """Seconds of sound that have arrived."""
        return len(self.pcm) / 2 / self.sample_rate_hz

    @property
    def generated_s(self) -> float:
        """Seconds of speech that the service has made so far, whether they have arrived or not.

        By the events without content: there is one for each 50 ms, and one more (measured, in
        every recording). Where a server sends none, what has arrived.
        """
        return max((self.heartbeats - 1) * HEARTBEAT_S, self.received_s)

    @property
    def clip(self) -> Clip | None:
        """The sound so far, or None if there is none yet."""
        if len(self.pcm) < 2:
            return None
        from cellvoice.audio import Clip

        return Clip.from_pcm16(bytes(self.pcm), self.sample_rate_hz)


def fold(reply: Reply, event: Event) -> None:  # noqa: C901 (one branch for each kind of event)
    """Apply one event to `reply`. Each field has its own rule, in sight."""
    match event:
        case Heartbeat():
            reply.heartbeats += 1  # counted
        case AudioChunk(pcm, sample_rate_hz):
            _append_sound(reply, pcm, sample_rate_hz)
        case TranscriptChunk(text):
            reply.transcript += text  # appended: leading spaces belong to the pieces
            reply.word_pieces.append((len(reply.transcript), reply.generated_s))  # appended
        case TextChunk(text):
            reply.content += text  # appended
        case RefusalChunk(text):
            reply.refusal += text  # appended
        case ReplyStarted(reply_id, model, created, fingerprint):
            reply.reply_id = reply_id  # replaced: told again when more of it is known
            reply.model = model
            reply.created = created
            reply.fingerprint = fingerprint
        case EngineNamed(info):
            reply.engine = _joined_engine(reply.engine, info)
        case AudioStarted(audio_id):
            reply.audio_id = audio_id  # replaced: the server may repeat it
        case AudioExpiry(expires_at):
            reply.expires_at = expires_at  # replaced: never added up
        case ToolCallChunk():
            _join_tool_call(reply, event)
        case LogprobsChunk(raw):
            _append_logprobs(reply, raw)
        case FinishReason(reason):
            reply.finish_reason = reason  # replaced
        case UsageReceived(usage):
            reply.usage = usage  # replaced: some servers send a running total
        case ErrorReceived(error):
            reply.error = error  # replaced
        case OtherChoice(index, inner):
            fold(reply.others.setdefault(index, Reply()), inner)  # folded by the same rules
        case StreamDone():
            for choice in reply.choices:
                choice.done = True  # set
        case _:
            assert_never(event)


def _append_sound(reply: Reply, pcm: bytes, sample_rate_hz: int) -> None:
    if not reply.pcm:
        reply.sample_rate_hz = sample_rate_hz
    elif sample_rate_hz != reply.sample_rate_hz:
        # One reply has one rate; the first piece decides it.
        from cellvoice.audio import Clip

        pcm = Clip.from_pcm16(pcm, sample_rate_hz).resampled(reply.sample_rate_hz).to_pcm16()
    reply.pcm += pcm


def _join_tool_call(reply: Reply, chunk: ToolCallChunk) -> None:
    # The last of its index: some servers give every call the same one, and tell them apart by id.
    found = (known for known in reversed(reply.tool_calls) if known.index == chunk.index)
    call = next(found, None)
    if call is None or _is_another(call, chunk):
        call = ReplyToolCall(chunk.index)
        reply.tool_calls.append(call)
    call.call_id = call.call_id or chunk.call_id or ""  # told once: the first counts
    call.name = call.name or chunk.name or ""  # told once: the first counts
    call.arguments += chunk.arguments  # appended
    call.custom = call.custom or chunk.custom  # set: later pieces may not repeat it


def _is_another(call: ReplyToolCall, chunk: ToolCallChunk) -> bool:
    # A new id alone says nothing: there are servers that make one up for every piece.
    return bool(chunk.name and chunk.call_id and call.call_id and chunk.call_id != call.call_id)


def _joined_engine(
    known: Mapping[str, object] | None, told: Mapping[str, object]
) -> Mapping[str, object]:
    """Each name is replaced, the newest says the most; the times of words come piece by piece."""
    if known is None:
        return told
    before, more = known.get("words"), told.get("words")
    if isinstance(before, list) and isinstance(more, list):
        return {**known, **told, "words": [*before, *more]}
    return {**known, **told}


def _append_logprobs(reply: Reply, raw: bytes) -> None:
    if reply.logprobs is None:
        reply.logprobs = ReplyLogprobs()
    reply.logprobs.append(raw)  # appended
