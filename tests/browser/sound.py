"""Comparing sound: what was recorded or rendered against the samples it should be."""

from __future__ import annotations

import base64
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import correlate as cross_correlate  # type: ignore[import-untyped]

Samples = NDArray[np.float64]

SAMPLE_RATE_HZ = 24_000
_BLOCK_S = 0.05
_QUANTUM = 128
_MOST_STALLED_S = 0.03


@dataclass(frozen=True, slots=True)
class Match:
    """How well a recording agrees with a source, after the recording was shifted to it."""

    offset_frames: int
    correlation: float
    worst_block: float
    """The lowest correlation of any loud 50 ms of the source, all at the same offset.

    A gap, a repeat or a skip moves everything after it, so those blocks fall to about zero.
    """


def as_floats(samples: NDArray[Any]) -> Samples:
    """Samples as floats in −1…1, whatever they were kept as."""
    if samples.dtype == np.int16:
        return samples.astype(np.float64) / 32768.0
    return samples.astype(np.float64)


def read_wav(path: Path) -> Samples:
    """A 16-bit mono WAV at 24 kHz, read without the software under test."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2), path
        data = file.readframes(file.getnframes())
        rate_hz = file.getframerate()
    return to_24k(as_floats(np.frombuffer(data, dtype="<i2")), rate_hz)


def to_24k(samples: Samples, rate_hz: float) -> Samples:
    """The same sound at 24 kHz."""
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampled: Samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
    return resampled


def from_tap(recording: dict[str, Any]) -> Samples:
    """One recording of `tap.js`: its chunks put back at their places, silence between them."""
    chunks = [
        (int(chunk["start"]), np.frombuffer(base64.b64decode(chunk["samples"]), dtype="<f4"))
        for chunk in recording["chunks"]
    ]
    first = chunks[0][0]
    whole = np.zeros(max(start + len(part) for start, part in chunks) - first)
    for start, part in chunks:
        whole[start - first : start - first + len(part)] = part
    return to_24k(whole, float(recording["rate"]))


def spoken(samples: Samples, floor_db: float = -35.0) -> Samples:
    """The part from the first to the last 20 ms that is louder than `floor_db` below the peak."""
    block = SAMPLE_RATE_HZ // 50
    count = len(samples) // block
    levels = np.sqrt(np.mean(samples[: count * block].reshape(count, block) ** 2, axis=1))
    loud = np.flatnonzero(levels > np.max(np.abs(samples)) * 10 ** (floor_db / 20))
    return samples[loud[0] * block : (loud[-1] + 1) * block]


def correlate(recorded: Samples, source: Samples) -> Match:
    """Shift `recorded` to where it fits `source` best and say how well it fits."""
    raw = cross_correlate(recorded, source, mode="full", method="fft")
    offset = int(np.argmax(raw)) - (len(source) - 1)
    shifted = np.zeros(len(source))
    begin, end = max(0, offset), min(len(recorded), offset + len(source))
    shifted[begin - offset : end - offset] = recorded[begin:end]
    return Match(offset, _cosine(shifted, source), _worst_block(shifted, source))


def correlate_heard(recorded: Samples, source: Samples) -> Match:
    """As `correlate`, for what was heard from a page's speakers.

    While its audio thread starts, Chromium now and then renders a quantum or a few of nothing, in
    one reply of fifteen on a quiet machine; the page's own count of underruns stays at zero. Such
    a stall is taken out, up to `_MOST_STALLED_S` of it. Sound that is lost, repeated or out of
    its order is no silence and stays as bad as it is.
    """
    best = correlate(recorded, source)
    left = int(_MOST_STALLED_S * SAMPLE_RATE_HZ) // _QUANTUM
    while best.worst_block <= 0.95 and left > 0:
        tries = [
            (
                correlate(np.delete(recorded, slice(start, start + count * _QUANTUM)), source),
                start,
                count,
            )
            for start, silent in _silences(recorded)
            for count in range(1, min(left, silent // _QUANTUM) + 1)
        ]
        found = max(tries, key=lambda one: one[0].worst_block, default=None)
        if found is None or found[0].correlation <= best.correlation:
            break
        best, start, count = found
        recorded = np.delete(recorded, slice(start, start + count * _QUANTUM))
        left -= count
    return best


def _silences(samples: Samples) -> list[tuple[int, int]]:
    """Where at least one quantum is exactly silent between sounds, and for how many frames."""
    sounding = np.flatnonzero(samples)
    gaps = np.diff(sounding) - 1
    return [(int(sounding[at]) + 1, int(gaps[at])) for at in np.flatnonzero(gaps >= _QUANTUM)]


def _worst_block(shifted: Samples, source: Samples) -> float:
    block = int(_BLOCK_S * SAMPLE_RATE_HZ)
    loud = np.sqrt(np.mean(source**2)) * 0.3
    worst = 1.0
    for start in range(0, len(source) - block, block):
        part = source[start : start + block]
        if np.sqrt(np.mean(part**2)) > loud:
            worst = min(worst, _cosine(shifted[start : start + block], part))
    return worst


def _cosine(a: Samples, b: Samples) -> float:
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0
