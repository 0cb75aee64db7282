"""Sound taken out of recorded bytes: kept once by what it is, compressed without loss, put back.

`Payload.of` splits what base64 held into a head (a WAV header), the sound, and a tail; the three
joined are the same bytes again.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cellvoice.errors import AudioError, UsageError

from ._sound import PCM16_RATE_HZ

__all__ = ["Payload", "StoredSound", "is_sound_name", "sound_bytes", "stored"]

PCM16: Final = "pcm16"
# What is no sound that is known, or samples that FLAC cannot hold.
OTHER: Final = "bin"
_NAME = re.compile(r"[0-9a-f]{64}(?:\.flac|\.given\.(?:wav|flac|mp3|opus|ogg|bin))")
_LAYER_3 = 0x02
_BAD_BITRATES = (0, 15)


@dataclass(frozen=True, slots=True)
class Payload:
    """What one run of base64 held. `kind` is "pcm16", "bin", or a container kept as it is."""

    kind: str
    sample_rate_hz: int
    head: bytes
    sound: bytes
    tail: bytes

    @classmethod
    def of(cls, data: bytes) -> Payload:
        """Find the sound: a mono 16-bit WAV's samples, a container whole, else plain pcm16."""
        kind = _container(data)
        if kind == "wav":
            return _samples_of(data) or cls("wav", 0, b"", data, b"")
        if kind is not None:
            return cls(kind, 0, b"", data, b"")
        return cls(PCM16, PCM16_RATE_HZ, b"", data, b"")

    @property
    def sha256(self) -> str:
        """The hash of the sound alone: equal for equal samples, whatever the header says."""
        return hashlib.sha256(self.sound).hexdigest()

    @property
    def name(self) -> str:
        """The name of the file that holds the sound alone."""
        whole_samples = self.kind == PCM16 and len(self.sound) % 2 == 0
        return _name(self.sha256, self.kind if whole_samples or self.kind != PCM16 else OTHER)

    @property
    def seconds(self) -> float | None:
        """How long it plays, or None for a container that was not opened."""
        if self.kind != PCM16:
            return None
        return len(self.sound) / 2 / self.sample_rate_hz


@dataclass(frozen=True, slots=True)
class StoredSound:
    """A sound as it is kept: the file's name, which is the hash of the sound, and its bytes."""

    name: str
    data: bytes


def stored(sound: bytes, kind: str, sample_rate_hz: int) -> StoredSound:
    """A sound for keeping: pcm16 as FLAC, if that gives back the same bytes, else as it is."""
    digest = hashlib.sha256(sound).hexdigest()
    flac = _flac(sound, sample_rate_hz) if kind == PCM16 else None
    if flac is None:
        return StoredSound(_name(digest, OTHER if kind == PCM16 else kind), sound)
    return StoredSound(_name(digest, PCM16), flac)


def is_sound_name(name: object) -> bool:
    """Whether this names a stored sound and nothing else: no folder, no way out of one."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def sound_bytes(kept: StoredSound) -> bytes:
    """The sound again, exact. Raises UsageError if it is not the one that its name says."""
    digest, _, ending = kept.name.partition(".")
    data = _samples(kept.data) if ending == "flac" else kept.data
    if data is None or hashlib.sha256(data).hexdigest() != digest:
        raise UsageError(
            f"the recorded sound {kept.name} is damaged or was replaced, expected the samples that "
            "its name is the hash of; copy the cassette again"
        )
    return data


def _name(digest: str, kind: str) -> str:
    return f"{digest}.flac" if kind == PCM16 else f"{digest}.given.{kind}"


def _container(data: bytes) -> str | None:
    from cellvoice.audio import sniff

    kind = sniff(data)
    if kind == "mp3" and data[:3] != b"ID3":
        # Samples just below zero begin like MPEG sound as well; no MP3 has these values, though.
        layer_3 = len(data) > 2 and data[1] & 0x06 == _LAYER_3
        return kind if layer_3 and data[2] >> 4 not in _BAD_BITRATES else None
    return kind


def _samples_of(wav: bytes) -> Payload | None:
    from cellvoice.audio import Clip

    try:
        clip = Clip.from_bytes(wav)
    except AudioError:
        return None
    sound = clip.to_pcm16()
    start = wav.find(b"data", 12) + 8
    if wav[start : start + len(sound)] != sound:
        return None  # several channels, or other than 16 bits: its samples are not its bytes
    head, tail = wav[:start], wav[start + len(sound) :]
    return Payload(PCM16, clip.sample_rate_hz, head, sound, tail)


def _flac(pcm: bytes, sample_rate_hz: int) -> bytes | None:
    from cellvoice.audio import Clip

    try:
        flac = Clip.from_pcm16(pcm, sample_rate_hz).to_bytes("flac")
    except AudioError:
        return None
    return flac if _samples(flac) == pcm else None


def _samples(flac: bytes) -> bytes | None:
    from cellvoice.audio import Clip

    try:
        return Clip.from_bytes(flac).to_pcm16()
    except AudioError:
        return None
