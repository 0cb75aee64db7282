"""How loud which pitch is when: a picture of a clip, computed with numpy alone."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ._convert import to_float32

if TYPE_CHECKING:
    import numpy.typing as npt

    from .clip import Clip

__all__ = ["Spectrogram", "spectrogram"]

_WINDOW_S: Final = 0.025
# Speech has little above this; a clip of a lower rate ends at half of it.
_MAX_HZ: Final = 8_000.0
_ROWS: Final = 128
_MOST_COLUMNS: Final = 800
_STEP_S: Final = 0.008
# Of a long clip a column stands for a while; so many windows of it are averaged.
_WINDOWS_A_COLUMN: Final = 8
_FLOOR_DB: Final = -80.0
# From quiet to loud, and readable on a light and on a dark page.
_COLORS: Final = ((13, 14, 38), (52, 35, 118), (122, 63, 156), (214, 104, 110), (250, 216, 134))


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """`levels_db` has shape `(rows, columns)`: from the highest pitch down to 0 Hz, and in time.

    In dB below the loudest point, from −80 to 0.
    """

    levels_db: npt.NDArray[np.float32]
    duration_s: float
    max_hz: float

    def to_png(self) -> bytes:
        """A picture with a pixel for each level."""
        scaled = (self.levels_db - _FLOOR_DB) * (255 / -_FLOOR_DB)
        pixels = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
        height, width = pixels.shape
        # Each line begins with the number of its filter, 0 for none.
        lines = np.zeros((height, width + 1), np.uint8)
        lines[:, 1:] = pixels
        header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            (
                _chunk(b"IHDR", header),
                _chunk(b"PLTE", _palette().tobytes()),
                _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)),
                _chunk(b"IEND", b""),
            )
        )


def spectrogram(clip: Clip) -> Spectrogram:
    """The loudness of 128 pitches up to 8 kHz, every 8 ms or 800 times, whichever is less.

    Takes about 30 ms for a minute of speech.
    """
    samples = to_float32(clip.samples)
    window = max(round(_WINDOW_S * clip.sample_rate_hz), 16)
    columns = max(1, min(round(clip.duration_s / _STEP_S), _MOST_COLUMNS))
    padded = np.concatenate([samples, np.zeros(window, np.float32)])
    shape = np.hanning(window).astype(np.float32)
    max_hz = min(_MAX_HZ, clip.sample_rate_hz / 2)
    transform = max(window, 2 * _ROWS)
    bins = max(int(max_hz / clip.sample_rate_hz * transform), 1)
    power = np.zeros((columns, bins), np.float32)
    for part in range(_WINDOWS_A_COLUMN):
        places = (np.arange(columns) + part / _WINDOWS_A_COLUMN) * (len(samples) / columns)
        frames = padded[places.astype(np.int64)[:, None] + np.arange(window)] * shape
        power += np.square(np.abs(np.fft.rfft(frames, transform)[:, :bins])).astype(np.float32)
    rows = power[:, np.arange(_ROWS) * bins // _ROWS].T[::-1]
    loudest = float(rows.max())
    if loudest <= 0.0:
        return Spectrogram(np.full(rows.shape, _FLOOR_DB, np.float32), clip.duration_s, max_hz)
    faintest = 10 ** (_FLOOR_DB / 10)
    levels = np.maximum(10 * np.log10(np.maximum(rows / loudest, faintest)), _FLOOR_DB)
    return Spectrogram(levels.astype(np.float32), clip.duration_s, max_hz)


def _palette() -> npt.NDArray[np.uint8]:
    place = np.linspace(0, len(_COLORS) - 1, 256)
    stops = np.array(_COLORS, np.float64)
    channels = [np.interp(place, np.arange(len(stops)), channel) for channel in stops.T]
    return np.stack(channels, axis=1).astype(np.uint8)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
