"""What kind of sound it is, before anybody looks for words in it.

Speech changes its colour and its loudness from syllable to syllable. Noise keeps its colour; music
keeps its loudness or its notes. The limits lie between what thirteen synthetic voices, eleven
human recordings, seven noises and fourteen pieces of simple music measure, with room on the side of
speech: benchmarks/README.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .features import mel_powers

__all__ = ["EAR_RATE_HZ", "Kind", "Measured", "kind_of", "measured", "speech_seconds"]

Kind = Literal["silence", "speech", "music", "noise"]
EAR_RATE_HZ = 16_000
_FRAME = EAR_RATE_HZ // 50
_QUIETEST_SPEECH_DBFS = -50.0
_ABOVE_NOISE_DB = 9.0
_SHORTEST_SPEECH_S = 0.12

_WINDOW = 1024
_LOUD_DB = 30.0  # below the loudest
_COLOUR_FLOOR_DB = 50.0
_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 70, 500
_PERIODIC = 0.6
_SAME_NOTE_SEMITONES = 0.15
# A single word measures at least 3.8 dB of colour, noise at most 2.7.
_COLOUR_DB = 3.3
# A sentence measures at least 4.4 dB of loudness, music without long notes at most 3.3; a word
# may be as even as that, so it counts from so many seconds on.
_LOUDNESS_DB = 3.6
_SENTENCE_S = 1.0
# Speech keeps its pitch in at most 0.78 of its steps.
_NOTES = 0.9


@dataclass(frozen=True, slots=True)
class Measured:
    """`colour_db` and `loudness_db` say how much the sound changes in both; `voiced` is the share
    of loud parts that have a pitch, `notes` the share of these that keep it for 40 ms.
    """

    colour_db: float
    loudness_db: float
    voiced: float
    notes: float


def kind_of(samples: NDArray[np.float32]) -> Kind:
    """Speech when in doubt: an ear may still hear nothing in it. `samples` are mono at 16 kHz."""
    seconds = speech_seconds(samples)
    if seconds == 0:
        return "silence"
    found = measured(samples)
    if found.colour_db < _COLOUR_DB:
        # A tone that stays keeps its colour, too.
        return "music" if found.voiced > 0.5 and found.notes > _NOTES else "noise"
    even = seconds > _SENTENCE_S and found.loudness_db < _LOUDNESS_DB
    if even or found.notes > _NOTES:
        return "music" if found.voiced > 0.2 else "noise"
    return "speech"


def measured(samples: NDArray[np.float32]) -> Measured:
    """The figures that tell kinds apart."""
    padded = np.pad(samples, (0, max(0, _WINDOW - samples.shape[0])))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_FRAME]
    level_db = 10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12)
    loud = level_db > level_db.max() - _LOUD_DB
    lag, periodicity = _pitch(frames)
    voiced = loud & (periodicity > _PERIODIC)
    powers = mel_powers(padded)
    colour_db = 10 * np.log10(powers + 1e-10)
    colour_db = np.maximum(colour_db, colour_db.max() - _COLOUR_FLOOR_DB)
    colour_db -= colour_db.mean(axis=1, keepdims=True)
    total = powers.sum(axis=1)
    return Measured(
        colour_db=float(colour_db[total > total.max() * 1e-3].std(axis=0).mean()),
        loudness_db=float(level_db[loud].std()),
        voiced=float(voiced.sum() / max(1, loud.sum())),
        notes=_kept(lag, voiced),
    )


def _pitch(frames: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each frame the lag of its best repetition in samples, and how exact that is, up to 1."""
    window = np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames * window, 2 * _WINDOW)) ** 2
    matches = np.fft.irfft(power, axis=1)[:, :_WINDOW]
    # The window alone makes long lags look worse than they are.
    alone = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * _WINDOW)) ** 2)[:_WINDOW]
    matches = matches / (alone + 1e-9)
    shortest, longest = EAR_RATE_HZ // _HIGHEST_PITCH_HZ, EAR_RATE_HZ // _LOWEST_PITCH_HZ
    near = matches[:, shortest:longest]
    return near.argmax(axis=1) + float(shortest), near.max(axis=1) / (matches[:, 0] + 1e-12)


def _kept(lag: NDArray[np.float64], voiced: NDArray[np.bool_]) -> float:
    """The share of voiced steps of 40 ms in which the pitch stays."""
    through = voiced[2:] & voiced[1:-1] & voiced[:-2]
    if not through.any():
        return 0.0
    steps = 12 * np.abs(np.log2(lag[2:] / lag[:-2]))[through]
    return float(np.mean(steps < _SAME_NOTE_SEMITONES))


def speech_seconds(samples: NDArray[np.float32]) -> float:
    """How long `samples` (16 kHz) are louder than their quietest parts, as speech would be."""
    count = samples.shape[0] // _FRAME
    if count == 0:
        return 0.0
    frames = samples[: count * _FRAME].reshape(count, _FRAME)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    level_db = 10 * np.log10(power + 1e-12)
    floor_db = float(np.percentile(level_db, 5))
    # Speech from first to last frame may leave no quiet part, so the floor is capped.
    threshold_db = max(_QUIETEST_SPEECH_DBFS, min(floor_db, -45.0) + _ABOVE_NOISE_DB)
    seconds = float(np.count_nonzero(level_db > threshold_db)) * _FRAME / EAR_RATE_HZ
    return seconds if seconds >= _SHORTEST_SPEECH_S else 0.0
