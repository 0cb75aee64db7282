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
    ends_speech,
    error_in,
    index_of,
    piece_of,
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

    def __init__(self, *, streamed: bool) -> None:
        self._streamed = streamed
        self._start = ReplyStarted(None, None, None, None)
        self._started = False
        # How many letters of base64 each piece of sound had that came, until somebody clears it.
        self.sounds: list[int] = []
        self._first = _ChoiceReader(self, streamed)
        self._others: dict[int, _ChoiceReader] = {}
        self._used = False
        self.failed = False

    @property
    def whole(self) -> bool:
        """Whether something has come that only comes when the reply is whole.

        Usage counts only as long as nothing is said after it, because some servers send a running
        one. A reason counts for good: speaches tells it with the last word, before its sound.
        """
        if self._used:
            return True
        return self._first.ended and all(other.ended for other in self._others.values())

    def read(self, chunk: Chunk, events: list[Event]) -> None:
        """Add the events of one object. An error in it comes last: what is beside it is told."""
        if not self._started:
            self._read_start(chunk, events)
        if isinstance(chunk.x_engine, dict):
            events.append(EngineNamed(chunk.x_engine))
        usage, error = chunk.usage, error_in(chunk)
        says_something = False
        if chunk.choices:
            for choice in chunk.choices:
                says_something |= self._read_choice(choice, chunk, events)
        elif chunk.choices is None and not isinstance(usage, dict) and error is None:
            events.append(HEARTBEAT)
        if says_something:
            self._used = False
        if isinstance(usage, dict):
            self._used = not says_something
            events.append(UsageReceived(Usage.from_json(usage)))
        if error is not None:
            self.failed = True
            events.append(ErrorReceived(error_from_json(error)))

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
        """Tell who answers, and again when more of it is known."""
        known = self._start
        start = ReplyStarted(
            reply_id=known.reply_id or as_text(chunk.id) or None,
            model=known.model or as_text(chunk.model) or None,
            created=known.created or as_int(chunk.created) or None,
            fingerprint=known.fingerprint or as_text(chunk.system_fingerprint) or None,
        )
        self._started = None not in (start.reply_id, start.model, start.created)
        if start != known and (start.reply_id or start.model):
            self._start = start
            events.append(start)

    def _read_choice(self, choice: Choice, chunk: Chunk, events: list[Event]) -> bool:
        index = choice.index and index_of(choice)
        if not index:
            return self._first.read(choice, chunk, events)
        other = self._others.setdefault(index, _ChoiceReader(self, self._streamed))
        inner: list[Event] = []
        says_something = other.read(choice, chunk, inner)
        events += [OtherChoice(index, event) for event in inner]
        return says_something


class _ChoiceReader:
    """One of the `n` replies: its sound, its id, and whether it has said its end."""

    def __init__(self, whole: ReplyReader, streamed: bool) -> None:
        self._whole = whole
        self._streamed = streamed
        self._had_deltas = False
        self._audio_id = ""
        self._expires_at: int | None = None
        self._sound = SoundStream()
        self.ended = False

    def read(self, choice: Choice, chunk: Chunk, events: list[Event]) -> bool:
        """Add the events of one piece; return whether the reply says something in it."""
        piece = piece_of(choice, streamed=self._streamed, had_deltas=self._had_deltas)
        self._had_deltas = self._had_deltas or choice.delta is not None
        says_something = False
        if piece is not None:
            says_something = self._read_piece(piece, chunk, events)
            if piece.audio is not None and ends_speech(piece.audio):
                self.ended = True
        if choice.logprobs is not ABSENT:
            logprobs = bytes(choice.logprobs)
            if _ROW in logprobs:
                events.append(LogprobsChunk(logprobs))
        reason = choice.finish_reason
        if reason and isinstance(reason, str):
            self.ended = True
            events.append(FinishReason(reason))
        return says_something

    def finish(self, events: list[Event], cut: bool) -> None:
        self._tell(self._sound.finish(cut=cut), events)

    def _read_piece(self, piece: Delta, chunk: Chunk, events: list[Event]) -> bool:
        before = len(events)
        sounds = False
        if piece.content:
            sound = sound_in_content(chunk, piece)
            text = "" if sound else text_in(piece.content)
            if text:
                events.append(TextChunk(text))
            elif sound:
                sounds = True
                self._whole.sounds.append(len(sound))
                self._tell(self._sound.feed(sound.encode()), events)
        if piece.refusal and isinstance(piece.refusal, str):
            events.append(RefusalChunk(piece.refusal))
        if piece.tool_calls:
            events += tool_calls_in(piece)
        audio = piece.audio
        if audio is None:
            return sounds or len(events) > before
        if audio.transcript and isinstance(audio.transcript, str):
            events.append(TranscriptChunk(audio.transcript))
        letters = _letters_in(audio.data)
        if letters > 0:
            sounds = True
            self._whole.sounds.append(letters)
            self._tell(self._sound.feed_json(audio.data), events)
        says_something = sounds or len(events) > before
        self._read_labels(audio, events, before)
        return says_something

    def _read_labels(self, audio: Audio, events: list[Event], place: int) -> None:
        """What is told of the sound: its id, before the sound, and how long that holds."""
        audio_id = audio.id
        if audio_id and audio_id != self._audio_id and isinstance(audio_id, str):
            self._audio_id = audio_id
            events.insert(place, AudioStarted(audio_id))
        if audio.expires_at is not None:
            expires_at = as_int(audio.expires_at)
            if expires_at is not None and expires_at != self._expires_at:
                self._expires_at = expires_at
                events.append(AudioExpiry(expires_at))

    def _tell(self, pcm: bytes, events: list[Event]) -> None:
        if pcm:
            events.append(AudioChunk(pcm, self._sound.sample_rate_hz))


def _letters_in(raw: msgspec.Raw) -> int:
    """How long a JSON string is, between its quotes; 0 for what is none."""
    view = memoryview(raw)
    return len(view) - 2 if view[0] == 0x22 else 0
