"""Samples from any array: one channel, float32 in −1…1 or int16, read-only."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from cellvoice.errors import AudioError

if TYPE_CHECKING:
    import numpy.typing as npt

    Float32 = npt.NDArray[np.float32]
    Int16 = npt.NDArray[np.int16]
    Samples = Float32 | Int16

_MAX_RATE_HZ = 1_000_000
_MAX_CHANNELS = 64
# Decoders overshoot full scale a little and noise can; far above it, the scale is another one.
_MAX_OVERSHOOT = 4.0


def checked_rate_hz(rate_hz: object) -> int:
    """A sample rate as an int; raises AudioError unless it is a whole number of 1 Hz or more."""
    expected = "expected a whole number of Hz such as 24_000"
    if isinstance(rate_hz, (bool, np.bool_)):
        raise AudioError(f"the sample rate is {rate_hz!r}, {expected}")
    if isinstance(rate_hz, (float, np.floating)) and float(rate_hz).is_integer():
        rate_hz = int(rate_hz)
    try:
        whole = operator.index(rate_hz)  # type: ignore[arg-type]
    except TypeError:
        raise AudioError(f"the sample rate is {rate_hz!r}, {expected}") from None
    if not 1 <= whole <= _MAX_RATE_HZ:
        raise AudioError(f"the sample rate is {whole:,} Hz, {expected}")
    return whole


def to_float32(samples: Samples) -> Float32:
    """Samples in −1…1; 16-bit samples are divided by 32,768, exactly."""
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32_768)
    return samples.astype(np.float32, copy=False)


def to_int16(samples: Samples) -> Int16:
    """Samples as 16-bit integers, rounded; what came from 16 bits comes back bit for bit."""
    if samples.dtype == np.int16:
        return samples.astype(np.int16, copy=False)
    scaled = np.rint(samples.astype(np.float64) * 32_768)
    return np.clip(scaled, -32_768, 32_767).astype(np.int16)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The same sound at another rate, in the same sample type; at least one frame is left."""
    if from_hz == to_hz:
        return samples
    import soxr

    changed: Float32 = soxr.resample(to_float32(samples), from_hz, to_hz)
    if len(changed) == 0:
        changed = to_float32(samples[:1])
    # Band limiting rings, so that the peak of a loud sound can pass full scale.
    changed = np.clip(changed, -1.0, 1.0)
    return to_int16(changed) if samples.dtype == np.int16 else changed


def mono(array: object) -> Samples:
    """One channel of float32 or int16 from any array of numbers; raises AudioError.

    Takes `(frames,)` and `(frames, channels)`. Channels are averaged. Integers are scaled by
    the full scale of their width (unsigned ones have their zero in the middle); 64-bit ones
    that all fit into 16 bits are 16-bit samples, because Python's own ints arrive so.
    """
    samples = _as_array(array)
    if samples.ndim == 2:
        return _downmixed(samples)
    return _scaled(samples)


def _as_array(array: object) -> npt.NDArray[np.generic]:
    if isinstance(array, (str, bytes, bytearray, memoryview)):
        raise AudioError(
            f"samples are {type(array).__name__}, expected an array of numbers; "
            "for files and raw bytes there are Clip.from_bytes and Clip.from_pcm16"
        )
    try:
        samples = np.asarray(array)
    except (ValueError, TypeError) as error:
        raise AudioError(
            "samples have rows of different lengths, expected (frames,) or (frames, channels)"
        ) from error
    if samples.dtype.kind not in "iuf":
        kind = type(array).__name__ if samples.ndim == 0 else f"an array of {samples.dtype}"
        raise AudioError(f"samples are {kind}, expected an array of floats or integers")
    if samples.ndim not in (1, 2):
        raise AudioError(
            f"samples have shape {samples.shape}, expected (frames,) or (frames, channels)"
        )
    if samples.size == 0:
        raise AudioError("there are no samples, expected at least one frame of sound")
    if samples.ndim == 2 and samples.shape[1] > _MAX_CHANNELS:
        raise AudioError(
            f"samples have shape {samples.shape}, expected (frames, channels) with at most "
            f"{_MAX_CHANNELS} channels; pass samples.T if channels come first"
        )
    return samples


def _downmixed(samples: npt.NDArray[np.generic]) -> Samples:
    if samples.shape[1] == 1:
        return _scaled(samples[:, 0])
    if samples.dtype == np.int16:
        mean: npt.NDArray[np.float64] = np.rint(samples.mean(axis=1, dtype=np.float64))
        return mean.astype(np.int16)
    one_by_one = _scaled(samples.reshape(-1))
    mixed: npt.NDArray[np.float64] = (
        to_float32(one_by_one).reshape(samples.shape).mean(axis=1, dtype=np.float64)
    )
    return mixed.astype(np.float32)


def _scaled(samples: npt.NDArray[np.generic]) -> Samples:
    if samples.dtype.kind == "f":
        return _float_samples(samples)
    native = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if native.dtype == np.int16:
        return native.astype(np.int16, copy=False)
    bits = 8 * native.dtype.itemsize
    if native.dtype == np.int64 and native.min() >= -32_768 and native.max() <= 32_767:
        return native.astype(np.int16)
    centre = 2.0 ** (bits - 1)
    offset = centre if native.dtype.kind == "u" else 0.0
    scaled: Float32 = ((native.astype(np.float64) - offset) / centre).astype(np.float32)
    return scaled


def _float_samples(samples: npt.NDArray[np.generic]) -> Float32:
    with np.errstate(over="ignore"):
        floats = samples.astype(np.float32, copy=False)
    if not np.isfinite(floats).all():
        raise AudioError(
            "samples hold NaN or infinity, expected numbers in −1…1; "
            "numpy.nan_to_num(samples) replaces them"
        )
    peak = float(np.abs(floats).max())
    if peak > _MAX_OVERSHOOT:
        raise AudioError(
            f"float samples reach {peak:,.6g}, expected −1…1; "
            "divide them by full scale (32_768 for 16-bit sound)"
        )
    return np.clip(floats, -1.0, 1.0) if peak > 1.0 else floats
