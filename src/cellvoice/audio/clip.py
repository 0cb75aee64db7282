"""Sound as a value."""

from __future__ import annotations

import base64
import binascii
import math
import os
import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from cellvoice.errors import AudioError

from . import _formats
from ._convert import checked_rate_hz, mono, resample, to_float32, to_int16
from ._kinds import FORMATS, sniff
from ._wav import wav_header

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32] | npt.NDArray[np.int16]

__all__ = ["Clip"]

PCM16 = "pcm16"
_SERVICE_RATE_HZ = 24_000
_DATA_URL = re.compile(r"\s*data:([^,;]*)[^,]*,", re.IGNORECASE)
_HASHED_FRAMES = 1_024
_TRIM_WINDOW_S = 0.010


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Clip:
    """An immutable piece of sound: mono samples, their rate, and where they came from.

    `samples` has shape `(frames,)`, float32 in −1…1 or int16, and is read-only. Everything that
    cannot be sound (no samples, NaN, a rate of zero, a wrong type) raises AudioError.
    """

    samples: Samples
    sample_rate_hz: int
    source: str = ""

    def __post_init__(self) -> None:
        samples = mono(self.samples)
        if not _is_frozen(samples) or not samples.flags.c_contiguous:
            samples = samples.copy()
        samples.setflags(write=False)
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sample_rate_hz", checked_rate_hz(self.sample_rate_hz))

    @classmethod
    def read(cls, file: str | os.PathLike[str] | IO[bytes]) -> Clip:
        """Read a sound file by its path, or from a file opened in binary mode."""
        if isinstance(file, (str, os.PathLike)):
            path = Path(file).expanduser()
            try:
                found = path.read_bytes()
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise AudioError(
                    f"cannot read {str(path)!r} ({reason}), expected the path of a sound file"
                ) from error
            return cls._decoded(found, None, path.name)
        reader = getattr(file, "read", None)
        if reader is None:
            raise AudioError(
                f"cannot read a {type(file).__name__}, expected a path or an open binary file; "
                "for bytes and arrays there are Clip.from_bytes and Clip.from_array"
            )
        found = reader()
        if not isinstance(found, (bytes, bytearray, memoryview)):
            raise AudioError("the file is open as text, expected binary; open it with mode 'rb'")
        name = getattr(file, "name", "")
        return cls._decoded(bytes(found), None, Path(name).name if isinstance(name, str) else "")

    @classmethod
    def from_bytes(cls, data: bytes, format: str | None = None) -> Clip:  # noqa: A002
        """Read the bytes of a sound file.

        What the bytes say of themselves counts, `format` only where they say nothing:
        `"pcm16"` means headerless 16-bit mono sound at 24 kHz.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise AudioError(
                f"cannot read a {type(data).__name__}, expected bytes of a sound file; "
                "for paths and arrays there are Clip.read and Clip.from_array"
            )
        return cls._decoded(bytes(data), format, "bytes")

    @classmethod
    def from_array(cls, samples: npt.ArrayLike, sample_rate_hz: int) -> Clip:
        """Make a clip from numbers of shape `(frames,)` or `(frames, channels)`.

        Floats are expected in −1…1; integers of any width are scaled by their full scale, and
        unsigned ones have their zero in the middle. Channels are averaged.
        """
        return cls(mono(samples), sample_rate_hz, "array")

    @classmethod
    def from_pcm16(cls, data: bytes, sample_rate_hz: int = _SERVICE_RATE_HZ) -> Clip:
        """Make a clip from headerless signed 16-bit little-endian mono samples.

        An odd last byte, the rest of a cut stream, is dropped: `b"\\x01\\x00\\xff\\x7f"` is the
        two samples 1 and 32,767.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise AudioError(f"cannot read a {type(data).__name__}, expected bytes of pcm16")
        sound = bytes(data)
        samples = np.frombuffer(sound, "<i2", count=len(sound) // 2)
        return cls(samples, sample_rate_hz, PCM16)

    @classmethod
    def from_base64(cls, text: str | bytes, format: str | None = None) -> Clip:  # noqa: A002
        """Read a sound file written as base64, with or without `data:…;base64,` in front."""
        if not isinstance(text, (str, bytes)):
            raise AudioError(f"cannot read a {type(text).__name__}, expected base64 text")
        letters = text if isinstance(text, str) else text.decode("ascii", "replace")
        body = re.sub(r"\s+", "", _DATA_URL.sub("", letters, count=1)).rstrip("=")
        body = body.replace("-", "+").replace("_", "/")
        try:
            found = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise AudioError(
                f"these {len(text):,} characters are no base64, expected a base64 sound file"
            ) from error
        return cls._decoded(found, format, "base64")

    @classmethod
    def _decoded(cls, data: bytes, hint: str | None, source: str) -> Clip:
        if hint is not None and hint not in (*FORMATS, PCM16):
            known = ", ".join((*FORMATS, PCM16))
            raise AudioError(f"unknown sound format {hint!r}, expected one of {known}")
        if hint == PCM16 and sniff(data) is None:
            return cls.from_pcm16(data)
        samples, rate_hz = _formats.decode(data)
        return cls(mono(samples), rate_hz, source)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a sound file; the ending of the name chooses wav, flac, mp3, opus or ogg."""
        target = Path(path).expanduser()
        ending = target.suffix.lower().removeprefix(".")
        if ending not in FORMATS:
            endings = ", ".join(f".{known}" for known in FORMATS)
            raise AudioError(f"cannot write {target.name!r}, expected a name ending in {endings}")
        target.write_bytes(self.to_bytes(ending))

    def to_bytes(self, format: str = "wav") -> bytes:  # noqa: A002
        """The clip as a sound file; `wav` and `flac` keep 16 bits a sample, the others compress.

        `mp3` is the compact form for notebooks: variable bit rate, 60 to 85 kbit/s of speech.
        """
        if format == PCM16:
            return self.to_pcm16()
        return _formats.encode(self.samples, self.sample_rate_hz, format)

    def to_base64(self, format: str = "wav") -> str:  # noqa: A002
        """The clip as a sound file in base64, without a `data:` prefix."""
        return base64.b64encode(self.to_bytes(format)).decode("ascii")

    def to_pcm16(self) -> bytes:
        """Headerless signed 16-bit little-endian samples, at the clip's own rate."""
        return to_int16(self.samples).astype("<i2", copy=False).tobytes()

    def as_int16(self) -> Clip:
        """The same sound with 16-bit samples; this very clip if it has them already."""
        if self.samples.dtype == np.int16:
            return self
        return Clip(to_int16(self.samples), self.sample_rate_hz, self.source)

    def wav_parts(self) -> tuple[bytes, memoryview]:
        """A WAV file's header and its 16-bit samples, as bytes.

        The samples are not copied if the clip has 16 bits already: joined, the two are what
        `to_bytes("wav")` gives.
        """
        samples = to_int16(self.samples).astype("<i2", copy=False).data.cast("B")
        return wav_header(self.sample_rate_hz, len(samples)), samples

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz

    @property
    def peak_dbfs(self) -> float:
        """The loudest sample in dB below full scale; −inf for digital silence."""
        return _dbfs(float(np.abs(to_float32(self.samples)).max()))

    @property
    def rms_dbfs(self) -> float:
        """The mean level in dB below full scale: a full-scale sine has −3.01; silence −inf."""
        squares = np.square(to_float32(self.samples), dtype=np.float64)
        return _dbfs(math.sqrt(float(squares.mean())))

    def peaks(self, count: int) -> list[float]:
        """The loudest sample of each of `count` equal stretches, 0…1, to draw a waveform."""
        if count < 1:
            raise AudioError(f"cannot make {count} peaks, expected 1 or more")
        loudness = np.abs(to_float32(self.samples))
        starts = np.arange(count, dtype=np.int64) * len(loudness) // count
        peaks: npt.NDArray[np.float32] = np.maximum.reduceat(loudness, starts)
        return [round(float(peak), 4) for peak in peaks]

    def resampled(self, sample_rate_hz: int) -> Clip:
        """The same sound at another rate, in the same sample type."""
        rate_hz = checked_rate_hz(sample_rate_hz)
        if rate_hz == self.sample_rate_hz:
            return self
        return Clip(resample(self.samples, self.sample_rate_hz, rate_hz), rate_hz, self.source)

    def sliced(self, start_s: float, end_s: float | None = None) -> Clip:
        """The part between two times in seconds; negative times count from the end.

        Times past either end are brought back to it. Raises AudioError if nothing is left.
        """
        end_s = self.duration_s if end_s is None else end_s
        start, end = self._frame_at(start_s), self._frame_at(end_s)
        if end <= start:
            raise AudioError(
                f"nothing lies between {start_s} s and {end_s} s of {self.duration_s:.2f} s, "
                "expected a start before the end"
            )
        return Clip(self.samples[start:end], self.sample_rate_hz, self.source)

    def _frame_at(self, time_s: object) -> int:
        if not isinstance(time_s, (int, float, np.integer, np.floating)) or not math.isfinite(
            time_s
        ):
            raise AudioError(f"a time is {time_s!r}, expected seconds as a number")
        frame = round(float(time_s) * self.sample_rate_hz)
        frames = len(self.samples)
        return min(max(frame + frames if time_s < 0 else frame, 0), frames)

    def trimmed(self, threshold_dbfs: float = -45.0) -> Clip:
        """The clip without the quiet at both ends.

        Quiet is a mean level below the threshold over 10 ms. Raises AudioError if all is quiet.
        """
        window = max(round(_TRIM_WINDOW_S * self.sample_rate_hz), 1)
        squares = np.square(to_float32(self.samples), dtype=np.float64)
        starts = np.arange(0, len(squares), window)
        sums = np.add.reduceat(squares, starts)
        lengths = np.diff(np.append(starts, len(squares)))
        loud = np.flatnonzero(np.sqrt(sums / lengths) > 10 ** (threshold_dbfs / 20))
        if len(loud) == 0:
            raise AudioError(
                f"all of the clip is below {threshold_dbfs:g} dBFS, expected some sound; "
                "record it louder or pass a lower threshold_dbfs"
            )
        first, last = int(loud[0]), int(loud[-1])
        kept = self.samples[first * window : (last + 1) * window]
        return Clip(kept, self.sample_rate_hz, self.source)

    def __add__(self, other: object) -> Clip:
        """This clip and then another, which is brought to this one's rate."""
        if not isinstance(other, Clip):
            return NotImplemented
        second = other.resampled(self.sample_rate_hz)
        if self.samples.dtype == second.samples.dtype:
            joined = np.concatenate([self.samples, second.samples])
        else:
            joined = np.concatenate([to_float32(self.samples), to_float32(second.samples)])
        return Clip(joined, self.sample_rate_hz, self.source)

    def __radd__(self, other: object) -> Clip:
        """Let `sum(clips)` work, which begins with 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __eq__(self, other: object) -> bool:
        """Equal sound: same rate and same samples, in whichever of the two types they are."""
        if not isinstance(other, Clip):
            return NotImplemented
        if self.sample_rate_hz != other.sample_rate_hz or len(self.samples) != len(other.samples):
            return False
        if self.samples.dtype == other.samples.dtype:
            return np.array_equal(self.samples, other.samples)
        return np.array_equal(to_float32(self.samples), to_float32(other.samples))

    def __hash__(self) -> int:
        frames = len(self.samples)
        some = to_float32(self.samples[:: -(-frames // _HASHED_FRAMES)])
        # Adding zero makes −0.0 into 0.0, which it is equal to.
        return hash((frames, self.sample_rate_hz, (some + np.float32(0)).tobytes()))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by value, so that the copy's samples are read-only again."""
        return (Clip, (np.asarray(self.samples), self.sample_rate_hz, self.source))

    def __repr__(self) -> str:
        origin = f", from {self.source!r}" if self.source else ""
        return (
            f"Clip({self.duration_s:.2f} s, {self.sample_rate_hz:,} Hz, "
            f"{self.samples.dtype}{origin})"
        )

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        from ._show import clip_html

        return {"text/html": clip_html(self), "text/plain": repr(self)}


def _is_frozen(samples: npt.NDArray[np.generic]) -> bool:
    """Whether nobody can write to this memory, also not through the array it is a view of."""
    owner: object = samples
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    return True


def _dbfs(level: float) -> float:
    return 20 * math.log10(level) if level > 0 else -math.inf
