"""A reply that is not streamed: its body to events, while it comes.

Ten minutes of speech are 38 MB of base64 in one JSON string. Waiting for the whole body would hold
them three times over, as bytes, as text and as sound; here the one long string is decoded as it
arrives, and only the rest of the body is kept until it is whole.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from cellvoice.errors import ProtocolError

from ._chunk import chunk_of
from ._reader import ReplyReader
from ._sound import SoundStream
from ._sound_words import HEAD_LETTERS
from .events import AudioChunk, AudioExpiry, Event, FinishReason, StreamDone, UsageReceived
from .raw_log import RawLog, sound_mark
from .sse import MAX_EVENT_BYTES

__all__ = ["CompletionParser", "parse_completion"]

# The start of the string that holds the sound. Quotes inside a JSON string have a backslash before
# them, so what a model says can never look like this.
_SOUND_BEGINS: Final = re.compile(rb'"audio"\s*:\s*\{[^{}]*?"data"\s*:\s*"')
# How far back the beginning may have started when bytes arrive: an id and a transcript are in it.
_LOOK_BACK_BYTES: Final = 65_536
_HALF_AN_ESCAPE: Final = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_QUOTE: Final = b'"'


class CompletionParser:
    """Turn the body of a reply into events, however it is cut.

    Sound of one reply (`choices` is the request's `n`) is told as it comes, everything else at the
    end. Raises ProtocolError when the body is no JSON object, is too large, or its sound can't be
    read. `complete` says whether the body was whole. `log` is told what came, at the end.
    """

    def __init__(
        self, choices: int = 1, max_bytes: int = MAX_EVENT_BYTES, log: RawLog | None = None
    ) -> None:
        self._log = log
        self._sound_head, self._sound_letters = b"", 0
        self._reader = ReplyReader(streamed=False)
        self._sound = SoundStream()
        # Of several choices the body says only at its end whose sound it was.
        self._takes_sound = choices == 1
        self._kept = bytearray()
        self._searched = 0
        self._inside = self._at_start = False
        self._escape = b""
        self._bytes = 0
        self._max_bytes = max_bytes
        self._told = False
        self._whole = False

    @property
    def done(self) -> bool:
        """Whether nothing more is expected: never before the body has ended."""
        return False

    @property
    def failed(self) -> bool:
        """Whether the body was an error in place of a reply."""
        return self._reader.failed

    @property
    def complete(self) -> bool:
        """Whether the whole body has come."""
        return self._whole

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; return the sound that they complete."""
        self._bytes += len(data)
        if self._bytes > self._max_bytes:
            raise ProtocolError(
                f"the reply passed {self._max_bytes:,} bytes, expected less; ask for it as a "
                "stream, or set max_completion_tokens"
            )
        events: list[Event] = []
        while data:
            data = self._take_sound(data, events) if self._inside else self._keep(data)
        return events

    def finish(self, *, cut: bool = False) -> list[Event]:
        """Tell that no more bytes come; return everything that was not sound.

        Of a body that ended too early the sound stays, and `complete` is False.
        """
        events: list[Event] = []
        self._write_down()
        try:
            chunk = chunk_of(bytes(self._kept))
        except ProtocolError:
            if not (self._told or cut):
                raise
            self._tell(self._sound.finish(cut=True), events)
            return events
        self._whole = True
        rest: list[Event] = []
        self._reader.read(chunk, rest)
        if self._reader.failed:
            return rest
        self._tell(self._sound.finish(), events)
        events += self._reader.finish()
        # The sound of a file is known only at its end; its place is before what ends the reply.
        place = next((i for i, event in enumerate(rest) if _ends_a_reply(event)), len(rest))
        return [*rest[:place], *events, *rest[place:], StreamDone()]

    def _write_down(self) -> None:
        """Tell the log what came, which has a note in the place of the sound."""
        if self._log is None or not self._kept:
            return
        kept, place = bytes(self._kept), self._searched
        if self._sound_letters:
            sound = sound_mark(self._sound_head, self._sound_letters, whole=True)
            kept = kept[:place] + sound + kept[place:]
        self._log.take_body(kept)

    def _keep(self, data: bytes) -> bytes:
        """Keep bytes up to where sound begins; return those after it."""
        kept = self._kept
        before = len(kept)
        kept += data
        if not self._takes_sound:
            return b""
        found = _SOUND_BEGINS.search(kept, max(self._searched, before - _LOOK_BACK_BYTES))
        if found is None:
            return b""
        self._searched = found.end()
        self._inside = self._at_start = True
        rest = bytes(kept[found.end() :])
        del kept[found.end() :]
        return rest

    def _take_sound(self, data: bytes, events: list[Event]) -> bytes:
        """Decode bytes up to the quote that ends the string; return those from it on."""
        end = data.find(_QUOTE)
        piece = data if end < 0 else data[:end]
        if self._at_start and piece[:5] == b"data:"[: len(piece)]:
            # A `data:` address is rare, and its head may still be cut: leave it to the end.
            self._takes_sound = self._inside = False
            self._kept += data
            return b""
        self._at_start = False
        if self._escape or b"\\" in piece:
            piece = self._unescaped(piece)
        self._sound_letters += len(piece)
        if len(self._sound_head) < HEAD_LETTERS:
            self._sound_head += piece[: HEAD_LETTERS - len(self._sound_head)]
        self._tell(self._sound.feed(piece), events)
        if end < 0:
            return b""
        self._inside = False
        # A second one may be another reply's, which only the end of the body tells.
        self._takes_sound = False
        return data[end:]

    def _unescaped(self, piece: bytes) -> bytes:
        """Some servers write `/` as `\\/`, or break the lines of base64."""
        piece = self._escape + piece
        half = _HALF_AN_ESCAPE.search(piece)
        self._escape = piece[half.start() :] if half else b""
        whole = piece[: half.start()] if half else piece
        try:
            return msgspec.json.decode(b'"%b"' % whole, type=str).encode("utf-8", "replace")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProtocolError("the reply's sound is no base64, expected it; ask again") from error

    def _tell(self, pcm: bytes, events: list[Event]) -> None:
        if pcm:
            self._told = True
            events.append(AudioChunk(pcm, self._sound.sample_rate_hz))


def parse_completion(body: bytes) -> list[Event]:
    """The events of a whole body; its sound may be any kind of sound file.

    Raises ProtocolError when the body is no JSON object or its sound can't be read.
    """
    parser = CompletionParser()
    return [*parser.feed(body), *parser.finish()]


def _ends_a_reply(event: Event) -> bool:
    return isinstance(event, (AudioExpiry, FinishReason, UsageReceived))
