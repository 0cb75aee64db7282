"""Spoken input inside a request: written out as base64 only while it is sent.

Two minutes of speech are 7.7 MB of base64, and a conversation sends its earlier questions again
with every new one. A message therefore holds the clip itself, and `pieces` encodes it on its way
out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pybase64

from ._sound import PCM16_RATE_HZ

if TYPE_CHECKING:
    from cellvoice.audio import Clip

__all__ = ["SentSound", "json_ready"]

# A multiple of 3, so that padding comes only at the end; 128 KB of base64 a piece.
_PIECE_BYTES = 3 * 32_768


class SentSound:
    """A clip as the base64 of a WAV file: 16-bit mono at 24 kHz. Immutable.

    `str()` gives all of it, `len()` how many characters it has, `pieces()` the same in turn.
    """

    __slots__ = ("_clip", "_header", "_samples")

    def __init__(self, clip: Clip) -> None:
        self._clip = clip.resampled(PCM16_RATE_HZ).as_int16()
        self._header, self._samples = self._clip.wav_parts()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self._clip.duration_s

    def __len__(self) -> int:
        return -(-(len(self._header) + len(self._samples)) // 3) * 4

    def pieces(self) -> Iterator[bytes]:
        """The base64 in ASCII, at most 128 KB at a time."""
        first = _PIECE_BYTES - len(self._header)
        yield pybase64.b64encode(self._header + bytes(self._samples[:first]))
        for start in range(first, len(self._samples), _PIECE_BYTES):
            yield pybase64.b64encode(self._samples[start : start + _PIECE_BYTES])

    def __str__(self) -> str:
        return b"".join(self.pieces()).decode("ascii")

    def __repr__(self) -> str:
        return f"⟨wav {self.duration_s:.1f} s⟩"

    def __eq__(self, other: object) -> bool:
        return self._clip == other._clip if isinstance(other, SentSound) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._clip)

    def __deepcopy__(self, memo: object) -> SentSound:
        return self  # nothing in it can change


def json_ready(value: Any) -> Any:
    """A copy of a message, or of any part of a request, in which sound is base64 text."""
    if isinstance(value, SentSound):
        return str(value)
    if isinstance(value, Mapping):
        return {name: json_ready(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    return value
