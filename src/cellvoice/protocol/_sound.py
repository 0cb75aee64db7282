"""Sound inside a stream: base64 in pieces, to whole 16-bit samples.

The service sends headerless pcm16 at 24 kHz. Compatible servers also send a file's header first,
a whole WAV file in every piece, or compressed sound; each is told by its first bytes.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from cellvoice.audio import sniff
from cellvoice.errors import AudioError, ProtocolError

from ._base64 import Base64Stream

__all__ = ["PCM16_RATE_HZ", "SoundStream"]

PCM16_RATE_HZ: Final = 24_000

_decode_text = msgspec.json.Decoder(str).decode
_DATA_URL = re.compile(rb"data:[^,]{0,200};base64,")
# A WAV header with its optional chunks; past this it is no header but a broken file.
_MAX_HEADER_BYTES = 65_536
# Writers that did not know the length put the largest number there, or a little less.
_NO_SIZE = 0xFFFF_0000
_CHUNK_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9 _]{3}")
_PASSED = -1
_COMPRESSED = ("flac", "mp3", "opus", "ogg")


class SoundStream:
    """Turn the pieces of one reply's sound into whole 16-bit samples and their rate in Hz."""

    __slots__ = ("_base64", "_file", "_header", "_left", "_odd", "_started", "sample_rate_hz")

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
        # What a WAV's header says is still to come of its sound; None if it says nothing, and
        # _PASSED once that has come and something else follows.
        self._left: int | None = None

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
        if self._file is not None:
            return self._read_file(cut)
        if self._left is None:
            # What began like a header and was none is sound.
            samples += self._header
        self._header = b""
        return samples[: len(samples) - len(samples) % 2]

    def _read_file(self, cut: bool) -> bytes:
        from cellvoice.audio import Clip

        found, self._file = bytes(self._file or b""), None
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
            if not _begins_a_file(found):
                self._file += found
                return b""
            # Every piece is a file of its own.
            earlier = self._read_file(cut=False)
            self._without_header(found)
            return earlier
        if self._header:
            found, self._header = self._header + found, b""
        if not self._started or found[:4] == b"RIFF":
            found = self._without_header(found)
            if not found:
                return b""
        self._started = True
        if self._left is not None:
            found = self._within(found, self._left)
        sound = self._odd + found if self._odd else found
        if len(sound) % 2:
            sound, self._odd = sound[:-1], sound[-1:]
        else:
            self._odd = b""
        return sound

    def _within(self, found: bytes, left: int) -> bytes:
        """The part of a piece that is a WAV's sound, by its header if what follows bears it out."""
        if left == _PASSED:
            return b""
        if len(found) <= left:
            self._left = left - len(found)
            return found
        sound, rest = found[:left], found[left:]
        if len(rest) < 4:
            self._left, self._header = 0, rest
            return sound
        if rest[:4] == b"RIFF":
            return sound + self._without_header(rest)
        if _CHUNK_NAME.match(rest):
            # The name of whoever wrote the file, and the like: as samples it would be a click.
            self._left = _PASSED
            return sound
        self._left = None  # the header was wrong: there is more sound
        return found

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
        size = int.from_bytes(found[place + 4 : place + 8], "little")
        self._left = size if 0 < size < _NO_SIZE else None
        return found[place + 8 :]


def _begins_a_file(found: bytes) -> bool:
    """Whether a piece is the first of a file; the pages of an Ogg file begin alike."""
    first_page = b"OpusHead" in found[:128] or b"vorbis" in found[:128]
    return found[:4] in (b"RIFF", b"fLaC") or (found[:4] == b"OggS" and first_page)


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
