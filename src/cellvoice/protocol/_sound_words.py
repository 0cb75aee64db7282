"""A sound in a few words, `⟨wav 4.2 s⟩`, in the place of its base64."""

from __future__ import annotations

import binascii
from typing import Final

from cellvoice.audio import sniff

from ._sound import PCM16_RATE_HZ

__all__ = ["HEAD_LETTERS", "SoundNamer", "sound_words"]

# So much base64 holds a WAV file's whole header.
HEAD_LETTERS: Final = 64
_WAV_HEADER_BYTES: Final = 44
_PCM16_BYTES_PER_S: Final = 2 * PCM16_RATE_HZ


def sound_words(head: str, size_bytes: int, kind: str) -> str:
    """A sound whose base64 begins with `head`: `⟨wav 4.2 s⟩`, or its size where it is compressed.

    `size_bytes` is what the base64 stands for.
    """
    bytes_per_s = _wav_bytes_per_s(_decoded(head)) if kind == "wav" else 0
    if bytes_per_s:
        return f"⟨wav {max(size_bytes - _WAV_HEADER_BYTES, 0) / bytes_per_s:.1f} s⟩"
    return f"⟨{kind} {size_bytes / 1_000:,.0f} kB⟩"


class SoundNamer:
    """Names the pieces of one reply's sound; what a piece is may only be told by those before."""

    def __init__(self) -> None:
        self._kind = "pcm16"
        self._bytes_per_s = _PCM16_BYTES_PER_S

    def name(self, head: bytes, letters: int, *, whole: bool = False) -> str:
        """The next piece: `letters` of base64, which begin with `head`. `⟨pcm16 0.35 s⟩`.

        `whole`: it is all of a reply's sound, and not a piece of it.
        """
        size_bytes = letters * 3 // 4
        begin = _decoded(head.decode("ascii", "replace"))
        kind = sniff(begin)
        # Two samples in the middle of a stream may look like the mark of an MP3 frame.
        if kind is not None and (kind != "mp3" or whole or begin[:3] == b"ID3"):
            self._kind = kind
            self._bytes_per_s = _wav_bytes_per_s(begin) if kind == "wav" else 0
            size_bytes -= _WAV_HEADER_BYTES if kind == "wav" else 0
        if self._bytes_per_s:
            return f"⟨{self._kind} {max(size_bytes, 0) / self._bytes_per_s:.2f} s⟩"
        return f"⟨{self._kind} {size_bytes / 1_000:,.1f} kB⟩"


def _decoded(head: str) -> bytes:
    try:
        return binascii.a2b_base64(head[: min(len(head), HEAD_LETTERS) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _wav_bytes_per_s(header: bytes) -> int:
    return int.from_bytes(header[28:32], "little")
