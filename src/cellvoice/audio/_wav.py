"""WAV files as they really arrive: with sizes of 0xFFFFFFFF, cut off, or wrong."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cellvoice.errors import AudioError

_PCM = 1
_FLOAT = 3
_EXTENSIBLE = 0xFFFE
_CHUNK_HEADER = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")


@dataclass(frozen=True, slots=True)
class WavParts:
    """What a WAV file holds: its format chunk, and the bytes of sound that are really there."""

    tag: int
    channels: int
    sample_rate_hz: int
    block_bytes: int
    bits: int
    format_chunk: bytes
    payload: memoryview

    @property
    def is_pcm16(self) -> bool:
        """Whether the payload is plain signed 16-bit little-endian samples."""
        return self.tag == _PCM and self.bits == 16 and self.block_bytes == 2 * self.channels

    def rebuilt(self) -> bytes:
        """The same sound as a WAV file whose sizes are true, for a reader that trusts them."""
        sound = bytes(self.payload)
        body = b"WAVE" + _chunk(b"fmt ", self.format_chunk) + _chunk(b"data", sound)
        return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return _CHUNK_HEADER.pack(name, len(content)) + content + b"\0" * (len(content) % 2)


def read_wav(wav: bytes) -> WavParts:
    """Find the sound of a WAV file by what is there, not by what its header claims.

    Raises AudioError when the format or the sound is missing.
    """
    view = memoryview(wav)
    format_chunk: bytes | None = None
    position = 12
    while position + _CHUNK_HEADER.size <= len(view):
        name, size = _CHUNK_HEADER.unpack_from(view, position)
        start = position + _CHUNK_HEADER.size
        if name == b"fmt ":
            format_chunk = bytes(view[start : start + size])
        elif name == b"data":
            if format_chunk is None:
                break
            end = _end_of_data(view, start, size)
            return _parts(format_chunk, view[start:end])
        position = start + size + size % 2
    raise AudioError(
        "this WAV has a header but no sound: expected a 'fmt ' chunk and then a 'data' chunk; "
        "it was probably cut off, so export or download it again"
    )


def _end_of_data(view: memoryview, start: int, size: int) -> int:
    """Where the sound ends. The declared size counts only when the file bears it out."""
    end = start + size
    if end >= len(view) or size == 0:
        return len(view)
    return end if _only_chunks(view, end + size % 2) else len(view)


def _only_chunks(view: memoryview, position: int) -> bool:
    """Whether everything from here on is well-formed chunks, such as LIST or id3."""
    while position + _CHUNK_HEADER.size <= len(view):
        name, size = _CHUNK_HEADER.unpack_from(view, position)
        if not all(32 <= letter < 127 for letter in name):
            return False
        position += _CHUNK_HEADER.size + size + size % 2
    # Less than a chunk header may be left over as padding; a last chunk may not overrun.
    return position <= len(view) + 1


def _parts(format_chunk: bytes, payload: memoryview) -> WavParts:
    if len(format_chunk) < _FORMAT.size:
        raise AudioError(
            f"this WAV's format chunk has {len(format_chunk)} bytes, expected 16 or more; "
            "the file is damaged, so export it again"
        )
    tag, channels, rate_hz, _, block_bytes, bits = _FORMAT.unpack_from(format_chunk)
    if tag == _EXTENSIBLE and len(format_chunk) >= 26:
        # The real tag is the first two bytes of the sub-format's GUID.
        (tag,) = struct.unpack_from("<H", format_chunk, 24)
    if channels == 0 or block_bytes == 0:
        raise AudioError("this WAV says it has 0 channels, expected 1 or more; the file is damaged")
    whole = len(payload) - len(payload) % block_bytes
    return WavParts(tag, channels, rate_hz, block_bytes, bits, format_chunk, payload[:whole])


def wav_header(sample_rate_hz: int, sound_bytes: int) -> bytes:
    """The 44 bytes in front of 16-bit mono sound of the given size."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + sound_bytes, b"WAVE",
        b"fmt ", 16, _PCM, 1, sample_rate_hz, 2 * sample_rate_hz, 2, 16,
        b"data", sound_bytes,
    )  # fmt: skip
