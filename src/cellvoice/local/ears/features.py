"""What the phrase matcher listens for: the shape of the spectrum, twenty milliseconds at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["HOP_S", "MEL_HZ", "cepstra", "mel_powers", "trimmed"]

Floats = NDArray[np.float32]

HOP_S = 0.02
_RATE_HZ = 16_000
_HOP = round(HOP_S * _RATE_HZ)
_WINDOW = 512  # 32 ms
_BANDS = 26
_LOW_HZ, _HIGH_HZ = 120.0, 7_000.0
_COEFFICIENTS = 13
_FLOOR_DB = 55.0  # below the loudest; what is quieter differs from room to room
_SILENT_DB = 38.0
_ENERGY_WEIGHT = 0.35
_CHANGE_WEIGHT = 1.0


def _mel(hz: Floats | float) -> Floats:
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0), dtype=np.float32)


def _band_edges_hz() -> Floats:
    edges = np.linspace(float(_mel(_LOW_HZ)), float(_mel(_HIGH_HZ)), _BANDS + 2)
    return np.asarray(700.0 * (10 ** (edges / 2595.0) - 1.0), dtype=np.float32)


# The middle of each band.
MEL_HZ: Floats = _band_edges_hz()[1:-1]


@cache
def _filters() -> Floats:
    """One triangle for each band, over the bins of the spectrum."""
    edges = _band_edges_hz()
    hz = np.fft.rfftfreq(_WINDOW, 1 / _RATE_HZ)
    rising = (hz[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles / triangles.sum(axis=1, keepdims=True), dtype=np.float32)


@cache
def _cosines() -> Floats:
    at = (np.arange(_BANDS) + 0.5) / _BANDS
    return np.asarray(
        np.cos(np.pi * np.arange(_COEFFICIENTS)[:, None] * at) * np.sqrt(2 / _BANDS),
        dtype=np.float32,
    )


def mel_powers(samples: Floats) -> Floats:
    """Power in each band, one row for 20 ms of mono samples at 16 kHz."""
    if samples.shape[0] < _WINDOW:
        samples = np.pad(samples, (0, _WINDOW - samples.shape[0]))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW))) ** 2
    return np.asarray(spectrum @ _filters().T, dtype=np.float32)


def trimmed(powers: Floats) -> Floats:
    """The rows from the first to the last that is not silent."""
    level_db = 10 * np.log10(powers.sum(axis=1) + 1e-12)
    loud = np.flatnonzero(level_db > level_db.max() - _SILENT_DB)
    return powers[loud[0] : loud[-1] + 1]


def cepstra(powers: Floats) -> Floats:
    """Rows of 13 cepstral coefficients and their changes, free of the microphone's colour."""
    level_db = 10 * np.log10(powers + 1e-12)
    level_db = np.maximum(level_db, level_db.max() - _FLOOR_DB)
    shape = (level_db / 10.0) @ _cosines().T
    shape -= shape.mean(axis=0)
    shape[:, 0] *= _ENERGY_WEIGHT
    padded = np.pad(shape, ((2, 2), (0, 0)), mode="edge")
    change = (padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])) / 5
    return np.asarray(np.hstack([shape, _CHANGE_WEIGHT * change]), dtype=np.float32)
