"""The kinds of sound files, told apart by their first bytes; nothing heavy is loaded for that."""

from __future__ import annotations

from typing import Final

__all__ = ["FORMATS", "MIME_TYPES", "sniff"]

FORMATS: Final = ("wav", "flac", "mp3", "opus", "ogg")
MIME_TYPES: Final = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
}


def sniff(data: bytes) -> str | None:
    """Say what kind of sound file begins with these bytes: one of `FORMATS`, or None."""
    head = bytes(data[:128])
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "opus" if b"OpusHead" in head else "ogg"
    if head[:3] == b"ID3":
        return "mp3"
    # 11 set bits, then a layer other than 0: with layer 0 it is AAC.
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return "mp3"
    return None
