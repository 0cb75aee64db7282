"""The service's bytes to events, with every liberty that it and compatible servers take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cellvoice.errors import ProtocolError

from ._chunk import chunk_of
from ._json import NotJSON, decode
from ._reader import HEARTBEAT, ReplyReader
from .events import Event, StreamDone
from .raw_log import RawLog
from .sse import MAX_EVENT_BYTES, SSEDecoder

__all__ = ["StreamParser"]

_DONE: Final = b"[DONE]"
# What follows the part that all events share, in an event without content. Two thirds of a spoken
# reply are such events, so they are told by their bytes and never decoded.
_EMPTY_REST = re.compile(rb'(?:"usage":null)?(?:,?"obfuscation":"[\w+/=-]*")?\}')
_SHARED_ENDS_BEFORE = b'"choices":'


class StreamParser:
    """Turn the bytes of a streamed reply into events, however they are cut.

    Raises ProtocolError when an event is no JSON object, is too large, or holds sound that is no
    sound; events that came before it in the same bytes are returned first, and the next call
    raises. `complete` says whether the service has told everything. `log` is told what came.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES, log: RawLog | None = None) -> None:
        self._log = log
        self._decoder = SSEDecoder(max_event_bytes)
        self._reader = ReplyReader(streamed=True)
        # No event begins so: without a known beginning there is no short cut.
        self._shared = b"\x00"
        self._broken: ProtocolError | None = None
        self._done = False
        self._finished = False
        # The connection ended inside an event.
        self._half = False

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
        return self._done or (self._reader.whole and not self._half)

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
                    self._half = True
                    if self._log is not None:
                        self._log.take([payload], [0])
        if not self._done and self._broken is None:
            events += self._reader.finish(cut=cut or not self.complete)
            if self.complete and not self._reader.failed and not cut:
                events.append(StreamDone())
        return self._raise_if_broken(events)

    def _read(self, payloads: Sequence[bytes], events: list[Event]) -> None:
        if self._log is None:
            self._read_all(payloads, events)
        elif payloads and not self._done:
            sounds = self._reader.sounds = []
            try:
                self._read_all(payloads, events)
            finally:
                self._log.take(payloads, sounds)

    def _read_all(self, payloads: Sequence[bytes], events: list[Event]) -> None:
        for payload in payloads:
            if self._done:
                return
            shared = self._shared
            if payload.startswith(shared) and _EMPTY_REST.fullmatch(payload, len(shared)):
                events.append(HEARTBEAT)
                continue
            before = len(events)
            try:
                self._read_payload(payload, events)
            except ProtocolError as error:
                # What came before it in the same bytes is told first; of itself, nothing.
                del events[before:]
                self._broken = error
                return

    def _read_payload(self, payload: bytes, events: list[Event]) -> None:
        if _is_done(payload):
            self._done = True
            events += self._reader.finish()
            if not self._reader.failed:
                events.append(StreamDone())
            return
        self._reader.read(chunk_of(payload), events)
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


def _is_done(payload: bytes) -> bool:
    return payload == _DONE or (len(payload) < 20 and payload.strip() == _DONE)


def _is_whole(payload: bytes) -> bool:
    if _is_done(payload):
        return True
    try:
        return isinstance(decode(payload), dict)
    except NotJSON:
        return False
