"""Sound inside a stream: base64 in pieces, to whole 16-bit samples.

The service sends headerless pcm16 at 24 kHz. Compatible servers also send a file's header first,
a whole WAV file in every piece, or compressed sound; each is told by its first bytes.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
import pybase64

from cellvoice.audio import sniff
from cellvoice.errors import AudioError, ProtocolError

__all__ = ["PCM16_RATE_HZ", "Base64Stream", "SoundStream"]

PCM16_RATE_HZ: Final = 24_000

_decode_text = msgspec.json.Decoder(str).decode
_PADDED_RUN = re.compile(rb"[^=]+={0,2}")
_DATA_URL = re.compile(rb"data:[^,]{0,200};base64,")
_WHITESPACE = re.compile(rb"\s+")
_NOT_WHOLE = (
    "the reply's sound is no base64, expected pcm16 in base64; "
    "what came before it is kept, so ask again"
)
# A WAV header with its optional chunks; past this it is no header but a broken file.
_MAX_HEADER_BYTES = 65_536
_COMPRESSED = ("flac", "mp3", "opus", "ogg")


class Base64Stream:
    """Decode base64 that arrives in pieces.

    A piece may stop in the middle of a 4-character group, or may carry padding of its own.
    Joining the text first and decoding once would lose everything after the first padded piece,
    so it is decoded group by group. Raises ProtocolError for anything but base64.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    def feed_json(self, piece: msgspec.Raw) -> bytes:
        """Decode a piece that is still the JSON string it came as, without making it text first."""
        if not self._tail:
            try:
                return pybase64.b64decode(memoryview(piece)[1:-1], validate=True)
            except ValueError:
                pass  # it is cut, padded inside, written with escapes, or no base64 at all
        return self.feed(_decode_text(piece).encode("utf-8", "replace"))

    def feed(self, piece: bytes) -> bytes:
        """Decode as much as is whole."""
        text = self._tail + piece if self._tail else piece
        whole = len(text) - len(text) % 4
        try:
            found = pybase64.b64decode(memoryview(text)[:whole], validate=True)
        except ValueError:
            return self._feed_slowly(text)
        self._tail = text[whole:]
        return found

    def finish(self, *, cut: bool = False) -> bytes:
        """Decode what is left over: a last group may lack its padding.

        After a `cut` it is half of something and dropped.
        """
        tail, self._tail = self._tail, b""
        return b"" if cut else _decoded(tail + b"=" * (-len(tail) % 4))

    def _feed_slowly(self, text: bytes) -> bytes:
        text = _WHITESPACE.sub(b"", text)
        whole = len(text) - len(text) % 4
        self._tail = text[whole:]
        return b"".join(_decoded(run) for run in _PADDED_RUN.findall(text[:whole]))


def _decoded(run: bytes) -> bytes:
    try:
        return pybase64.b64decode(run, validate=True)
    except ValueError as error:
        raise ProtocolError(_NOT_WHOLE) from error


class SoundStream:
    """Turn the pieces of one reply's sound into whole 16-bit samples and their rate in Hz."""

    __slots__ = ("_base64", "_file", "_header", "_odd", "_started", "sample_rate_hz")

    def __init__(self) -> None:
        self.sample_rate_hz = PCM16_RATE_HZ
        self._base64 = Base64Stream()
        self._started = False
        # Half a sample, until its other half comes.
        self._odd = b""
        # A header that is not whole yet.
        self._header = b""
        # Compressed sound can't be read before it is whole.
        self._file: bytearray | None = None

    def feed_json(self, piece: msgspec.Raw) -> bytes:
        """Take a piece as the JSON string that it came as; return what `feed` would."""
        if bytes(memoryview(piece)[1:6]) == b"data:":
            return self.feed(_decode_text(piece).encode("utf-8", "replace"))
        return self._samples(self._base64.feed_json(piece))

    def feed(self, piece: bytes) -> bytes:
        """Take a piece of base64; return the samples it completes, perhaps none."""
        if piece[:5] == b"data:":
            piece = _DATA_URL.sub(b"", piece, count=1)
        return self._samples(self._base64.feed(piece))

    def finish(self, *, cut: bool = False) -> bytes:
        """The samples that were waiting for more.

        Raises ProtocolError if they make no sound; after a `cut` there may be just none.
        """
        samples = self._samples(self._base64.finish(cut=cut))
        if self._file is None:
            # What began like a header and was none is sound.
            samples, self._header = samples + self._header, b""
            return samples[: len(samples) - len(samples) % 2]
        from cellvoice.audio import Clip

        found, self._file = bytes(self._file), None
        try:
            clip = Clip.from_bytes(found)
        except AudioError as error:
            if cut:
                return b""
            raise ProtocolError(f"the reply's sound cannot be read: {error}") from error
        self.sample_rate_hz = clip.sample_rate_hz
        return clip.to_pcm16()

    def _samples(self, found: bytes) -> bytes:
        if not found:
            return b""
        if self._file is not None:
            self._file += found
            return b""
        if self._header:
            found, self._header = self._header + found, b""
        if not self._started or found[:4] == b"RIFF":
            found = self._without_header(found)
            if not found:
                return b""
        self._started = True
        sound = self._odd + found if self._odd else found
        if len(sound) % 2:
            sound, self._odd = sound[:-1], sound[-1:]
        else:
            self._odd = b""
        return sound

    def _without_header(self, found: bytes) -> bytes:
        kind = sniff(found)
        if kind in _COMPRESSED and not _may_be_pcm(found, kind):
            self._file = bytearray(found)
            return b""
        if kind != "wav":
            if len(found) < 12 and b"RIFF".startswith(found[:4]):
                self._header = found
                return b""
            return found
        place = found.find(b"data")
        if place < 0 or len(found) < place + 8:
            if len(found) > _MAX_HEADER_BYTES:
                raise ProtocolError("a WAV header in the reply's sound has no data chunk")
            self._header = found
            return b""
        rate_hz = int.from_bytes(found[24:28], "little")
        if found[20:24] != b"\x01\x00\x01\x00" or found[34:36] != b"\x10\x00" or not rate_hz:
            # Not 16-bit mono: leave it to the file reader, which needs it whole.
            self._file = bytearray(found)
            return b""
        self.sample_rate_hz = rate_hz
        self._odd = b""
        return found[place + 8 :]


def _may_be_pcm(found: bytes, kind: str) -> bool:
    """Whether the mark of an MP3 frame is also what quiet samples look like.

    Two bytes FF FB are the sample −1,025 as well, so a bare frame needs its second frame.
    """
    if kind != "mp3" or found[:3] == b"ID3":
        return False
    length = _mp3_frame_bytes(found)
    return length is None or found[length : length + 2] != found[:2]


def _mp3_frame_bytes(found: bytes) -> int | None:
    """How long the MPEG layer III frame at the start says it is."""
    if len(found) < 4 or found[1] & 0x06 != 0x02:
        return None
    first_version = found[1] & 0x18 == 0x18
    kbits = (
        (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
        if first_version
        else (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    )
    place, rate_place = found[2] >> 4, (found[2] >> 2) & 3
    if not 1 <= place <= 14 or rate_place == 3:
        return None
    rate_hz = (44_100, 48_000, 32_000)[rate_place]
    rate_hz //= {0x18: 1, 0x10: 2, 0x00: 4}.get(found[1] & 0x18, 1)
    samples = 144 if first_version else 72
    return samples * kbits[place - 1] * 1_000 // rate_hz + ((found[2] >> 1) & 1)
