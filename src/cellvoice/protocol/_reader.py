"""The objects of one reply to events, remembering what has been told already."""

from __future__ import annotations

import msgspec

from ._chunk import ABSENT, Audio, Choice, Chunk, Delta
from ._json import as_int, as_text
from ._sound import SoundStream
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
    TextChunk,
    TranscriptChunk,
    UsageReceived,
)
from .fault import error_from_json
from .providers import (
    deltas_of,
    ends_speech,
    index_of,
    sound_in_content,
    text_in,
    tool_calls_in,
)
from .usage import Usage

__all__ = ["HEARTBEAT", "ReplyReader"]

HEARTBEAT = Heartbeat()
_ROW = b'"token"'


class ReplyReader:
    """Read the objects of a stream, or the one of a reply that was not streamed."""

    def __init__(self) -> None:
        self._started = False
        self._first = _ChoiceReader()
        self._others: dict[int, _ChoiceReader] = {}
        self._used = False
        self.failed = False

    @property
    def whole(self) -> bool:
        """Whether something has come that only comes when the reply is whole."""
        if self._used:
            return True
        return self._first.ended and all(other.ended for other in self._others.values())

    def read(self, chunk: Chunk, events: list[Event]) -> None:
        """Add the events of one object."""
        if not self._started:
            self._read_start(chunk, events)
        if isinstance(chunk.x_engine, dict):
            events.append(EngineNamed(chunk.x_engine))
        if chunk.error:
            self.failed = True
            events.append(ErrorReceived(error_from_json(chunk.error)))
            return
        usage = chunk.usage
        if chunk.choices:
            for choice in chunk.choices:
                self._read_choice(choice, chunk, events)
        elif chunk.choices is None and not isinstance(usage, dict):
            events.append(HEARTBEAT)
        if isinstance(usage, dict):
            self._used = True
            events.append(UsageReceived(Usage.from_json(usage)))

    def finish(self, *, cut: bool = False) -> list[Event]:
        """The sound that waited for more; raises ProtocolError as `SoundStream.finish` does."""
        events: list[Event] = []
        self._first.finish(events, cut)
        for index, other in self._others.items():
            inner: list[Event] = []
            other.finish(inner, cut)
            events += [OtherChoice(index, event) for event in inner]
        return events

    def _read_start(self, chunk: Chunk, events: list[Event]) -> None:
        if not (chunk.id or chunk.model):
            return
        self._started = True
        events.append(
            ReplyStarted(
                reply_id=as_text(chunk.id) or None,
                model=as_text(chunk.model) or None,
                created=as_int(chunk.created),
                fingerprint=as_text(chunk.system_fingerprint) or None,
            )
        )

    def _read_choice(self, choice: Choice, chunk: Chunk, events: list[Event]) -> None:
        index = choice.index and index_of(choice)
        if not index:
            self._first.read(choice, chunk, events)
            return
        other = self._others.setdefault(index, _ChoiceReader())
        inner: list[Event] = []
        other.read(choice, chunk, inner)
        events += [OtherChoice(index, event) for event in inner]


class _ChoiceReader:
    """One of the `n` replies: its sound, its id, and whether it has said its end."""

    def __init__(self) -> None:
        self._audio_id = ""
        self._expires_at: int | None = None
        self._sound = SoundStream()
        self.ended = False

    def read(self, choice: Choice, chunk: Chunk, events: list[Event]) -> None:
        for delta in deltas_of(choice):
            self._read_delta(delta, chunk, events)
        if choice.logprobs is not ABSENT:
            logprobs = bytes(choice.logprobs)
            if _ROW in logprobs:
                events.append(LogprobsChunk(logprobs))
        reason = choice.finish_reason
        if reason and isinstance(reason, str):
            self.ended = True
            events.append(FinishReason(reason))

    def finish(self, events: list[Event], cut: bool) -> None:
        self._tell(self._sound.finish(cut=cut), events)

    def _read_delta(self, delta: Delta, chunk: Chunk, events: list[Event]) -> None:
        if delta.content:
            sound = sound_in_content(chunk, delta)
            text = "" if sound else text_in(delta.content)
            if text:
                events.append(TextChunk(text))
            elif sound:
                self._tell(self._sound.feed(sound.encode()), events)
        if delta.refusal and isinstance(delta.refusal, str):
            events.append(RefusalChunk(delta.refusal))
        if delta.audio is not None:
            self._read_audio(delta.audio, events)
        if delta.tool_calls:
            events += tool_calls_in(delta)

    def _read_audio(self, audio: Audio, events: list[Event]) -> None:
        audio_id = audio.id
        if audio_id and audio_id != self._audio_id and isinstance(audio_id, str):
            self._audio_id = audio_id
            events.append(AudioStarted(audio_id))
        if audio.transcript and isinstance(audio.transcript, str):
            events.append(TranscriptChunk(audio.transcript))
        sound = _is_text(audio.data)
        if sound:
            self._tell(self._sound.feed_json(audio.data), events)
        if audio.expires_at is not None:
            self._read_expiry(audio, sound, events)

    def _read_expiry(self, audio: Audio, sound: bool, events: list[Event]) -> None:
        self.ended = self.ended or ends_speech(audio, sound)
        expires_at = as_int(audio.expires_at)
        if expires_at is not None and expires_at != self._expires_at:
            self._expires_at = expires_at
            events.append(AudioExpiry(expires_at))

    def _tell(self, pcm: bytes, events: list[Event]) -> None:
        if pcm:
            events.append(AudioChunk(pcm, self._sound.sample_rate_hz))


def _is_text(raw: msgspec.Raw) -> bool:
    """Whether this is a JSON string with something in it."""
    view = memoryview(raw)
    return len(view) > 2 and view[0] == 0x22
