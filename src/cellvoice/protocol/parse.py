"""The service's bytes to events, with every liberty that it and compatible servers take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cellvoice.errors import ProtocolError

from ._json import NotJSON, as_int, as_list, as_mapping, as_text, decode
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
    RefusalChunk,
    ReplyStarted,
    StreamDone,
    TextChunk,
    ToolCallChunk,
    TranscriptChunk,
    UsageReceived,
)
from .fault import error_from_json
from .sse import MAX_EVENT_BYTES, SSEDecoder
from .usage import Usage

__all__ = ["StreamParser", "parse_completion"]

_DONE: Final = b"[DONE]"
_HEARTBEAT: Final = Heartbeat()
# What follows the part that all events share, in an event without content. Two thirds of a spoken
# reply are such events, so they are told by their bytes and never decoded.
_EMPTY_REST = re.compile(rb'(?:"usage":null)?(?:,?"obfuscation":"[\w+/=-]*")?\}')
_SHARED_ENDS_BEFORE = b'"choices":'


class _ReplyReader:
    """Read the JSON of events, remembering what has been told already."""

    def __init__(self) -> None:
        self._started = False
        self._audio_id: str | None = None
        self._expires_at: int | None = None
        self._sound = SoundStream()
        self.failed = False
        # Something has come that only comes when the reply is whole.
        self.whole = False

    def read(self, chunk: Mapping[str, Any]) -> list[Event]:
        """The events in one object of the stream, or in a reply that was not streamed."""
        events: list[Event] = []
        self._read_start(chunk, events)
        error = chunk.get("error")
        if error:
            self.failed = True
            events.append(ErrorReceived(error_from_json(error)))
            return events
        choices = chunk.get("choices")
        usage = chunk.get("usage")
        if choices is None and not isinstance(usage, dict):
            events.append(_HEARTBEAT)
        for choice in as_list(choices):
            if isinstance(choice, dict):
                self._read_choice(choice, chunk, events)
        if isinstance(usage, dict):
            self.whole = True
            events.append(UsageReceived(Usage.from_json(usage)))
        return events

    def finish(self) -> list[Event]:
        """The sound that waited for more."""
        return self._chunk_of(self._sound.finish())

    def _chunk_of(self, pcm: bytes) -> list[Event]:
        return [AudioChunk(pcm, self._sound.sample_rate_hz)] if pcm else []

    def _read_start(self, chunk: Mapping[str, Any], events: list[Event]) -> None:
        if not self._started and (chunk.get("id") or chunk.get("model")):
            self._started = True
            events.append(
                ReplyStarted(
                    reply_id=as_text(chunk.get("id")) or None,
                    model=as_text(chunk.get("model")) or None,
                    created=as_int(chunk.get("created")),
                    fingerprint=as_text(chunk.get("system_fingerprint")) or None,
                )
            )
        engine = chunk.get("x_engine")
        if isinstance(engine, dict):
            events.append(EngineNamed(engine))

    def _read_choice(
        self, choice: Mapping[str, Any], chunk: Mapping[str, Any], events: list[Event]
    ) -> None:
        # With n > 1 the choices interleave; a reply here is one of them, the first.
        if choice.get("index"):
            return
        # Replies that are not streamed, and some servers' streams, say `message`.
        delta = as_mapping(choice.get("delta") or choice.get("message"))
        content = delta.get("content")
        if isinstance(content, str) and content:
            if chunk.get("modality") == "audio":
                # vLLM-Omni puts the sound where the text belongs.
                events += self._chunk_of(self._sound.feed(content))
            else:
                events.append(TextChunk(content))
        refusal = as_text(delta.get("refusal"))
        if refusal:
            events.append(RefusalChunk(refusal))
        audio = delta.get("audio")
        if isinstance(audio, dict):
            self._read_audio(audio, events)
        for position, call in enumerate(as_list(delta.get("tool_calls"))):
            events += _tool_call(call, position)
        events += _logprobs(choice.get("logprobs"))
        reason = as_text(choice.get("finish_reason"))
        if reason:
            self.whole = True
            events.append(FinishReason(reason))

    def _read_audio(self, audio: Mapping[str, Any], events: list[Event]) -> None:
        audio_id = as_text(audio.get("id"))
        if audio_id and audio_id != self._audio_id:
            self._audio_id = audio_id
            events.append(AudioStarted(audio_id))
        transcript = as_text(audio.get("transcript"))
        if transcript:
            events.append(TranscriptChunk(transcript))
        sound = as_text(audio.get("data"))
        if sound:
            events += self._chunk_of(self._sound.feed(sound))
        expires_at = as_int(audio.get("expires_at"))
        if expires_at is not None:
            # Some servers repeat it in every piece, so alone it must come to mean the end.
            self.whole = self.whole or not sound
            if expires_at != self._expires_at:
                self._expires_at = expires_at
                events.append(AudioExpiry(expires_at))


class StreamParser:
    """Turn the bytes of a streamed reply into events, however they are cut.

    Raises ProtocolError when an event is no JSON object, is too large, or holds sound that is no
    sound; events that came before it in the same bytes are returned first, and the next call
    raises. `complete` says whether the service has told everything.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._decoder = SSEDecoder(max_event_bytes)
        self._reader = _ReplyReader()
        # No event begins so: without a known beginning there is no short cut.
        self._shared = b"\x00"
        self._broken: ProtocolError | None = None
        self._done = False
        self._finished = False

    @property
    def done(self) -> bool:
        """Whether `[DONE]` has been seen; whatever follows is ignored."""
        return self._done

    @property
    def failed(self) -> bool:
        """Whether the service has sent an error in place of the rest."""
        return self._reader.failed

    @property
    def complete(self) -> bool:
        """Whether the reply has said its end: `[DONE]`, or what only comes at the end."""
        return self._done or self._reader.whole

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; return the events that they complete."""
        events: list[Event] = []
        if self._broken is None:
            self._read(self._decoder.feed(data), events)
        return self._raise_if_broken(events)

    def finish(self, *, cut: bool = False) -> list[Event]:
        """Tell that no more bytes come; return what they complete.

        Half an event, the mark of a cut connection, is dropped, and then `complete` is False.
        `StreamDone` comes for every reply that has said its end, also without `[DONE]`, unless
        the caller knows that the connection was `cut`.
        """
        if self._finished:
            return []
        self._finished = True
        events: list[Event] = []
        self._raise_if_broken(events)
        if not self._done:
            for payload in self._decoder.finish():
                if _is_whole(payload):
                    self._read([payload], events)
                else:
                    self._reader.whole = False
        if not self._done and self._broken is None:
            events += self._reader.finish()
            if self._reader.whole and not self._reader.failed and not cut:
                events.append(StreamDone())
        return self._raise_if_broken(events)

    def _read(self, payloads: Iterable[bytes], events: list[Event]) -> None:
        for payload in payloads:
            if self._done:
                return
            shared = self._shared
            if payload.startswith(shared) and _EMPTY_REST.fullmatch(payload, len(shared)):
                events.append(_HEARTBEAT)
                continue
            try:
                self._read_payload(payload, events)
            except ProtocolError as error:
                # What came before it in the same bytes is told first.
                self._broken = error
                return

    def _read_payload(self, payload: bytes, events: list[Event]) -> None:
        if payload == _DONE:
            self._done = True
            events += self._reader.finish()
            if not self._reader.failed:
                events.append(StreamDone())
            return
        events += self._reader.read(_object(payload))
        if not payload.startswith(self._shared):
            self._shared = _shared_part(payload) or self._shared

    def _raise_if_broken(self, events: list[Event]) -> list[Event]:
        if self._broken is not None and not events:
            raise self._broken
        return events


def _shared_part(payload: bytes) -> bytes:
    """The first bytes of an event, which all events of its reply begin with.

    Up to `"choices":`, provided that what is before it is one flat object: only then does an
    event that has these bytes and an empty rest have no content.
    """
    place = payload.find(_SHARED_ENDS_BEFORE)
    head = payload[:place]
    flat = place > 0 and head.count(b"{") == 1 and head.endswith(b",") and b"\\" not in head
    # An `error` or the like in the shared part would hide behind the short cut.
    if not flat or b'"error"' in head or b'"x_engine"' in head:
        return b""
    return head


def _is_whole(payload: bytes) -> bool:
    if payload == _DONE:
        return True
    try:
        return isinstance(decode(payload), dict)
    except NotJSON:
        return False


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        found = decode(payload)
    except NotJSON as error:
        raise ProtocolError(
            f"an event of the stream is no JSON ({len(payload):,} bytes), expected an object; "
            "check base_url, or ask again"
        ) from error
    if not isinstance(found, dict):
        raise ProtocolError(
            f"an event of the stream is a JSON {type(found).__name__}, expected an object; "
            "check base_url"
        )
    return found


def _tool_call(call: object, position: int) -> list[Event]:
    if not isinstance(call, dict):
        return []
    index = as_int(call.get("index"))
    # A custom tool has `input` where a function has `arguments`.
    function = as_mapping(call.get("function") or call.get("custom"))
    arguments = function.get("arguments", function.get("input"))
    return [
        ToolCallChunk(
            index=position if index is None else index,
            call_id=as_text(call.get("id")) or None,
            name=as_text(function.get("name")) or None,
            arguments=as_text(arguments),
        )
    ]


def _logprobs(value: object) -> list[Event]:
    if not isinstance(value, dict):
        return []
    content = tuple(row for row in as_list(value.get("content")) if isinstance(row, dict))
    refusal = tuple(row for row in as_list(value.get("refusal")) if isinstance(row, dict))
    return [LogprobsChunk(content, refusal)] if content or refusal else []


def parse_completion(body: bytes) -> list[Event]:
    """The events of a reply that was not streamed; its sound may be any kind of sound file.

    Raises ProtocolError when the body is no JSON object or its sound can't be read.
    """
    reader = _ReplyReader()
    events = reader.read(_object(body))
    if reader.failed:
        return events
    sound = reader.finish()
    # The sound of a file is known only at its end; its place is before what ends the reply.
    place = next((i for i, event in enumerate(events) if _ends_a_reply(event)), len(events))
    return [*events[:place], *sound, *events[place:], StreamDone()]


def _ends_a_reply(event: Event) -> bool:
    return isinstance(event, (AudioExpiry, FinishReason, UsageReceived))
