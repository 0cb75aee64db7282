"""Ears: 16 kHz samples to words, chosen by what is installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ear", "Heard", "NoEar", "choose_ear", "speech_seconds"]

EAR_RATE_HZ = 16_000
_FRAME = EAR_RATE_HZ // 50
_QUIETEST_SPEECH_DBFS = -50.0
_ABOVE_NOISE_DB = 9.0
_SHORTEST_SPEECH_S = 0.12


@dataclass(frozen=True, slots=True)
class Heard:
    """What an ear made of a sound. `text` is None if it was not transcribed, "" for no speech."""

    text: str | None
    speech_s: float


class Ear(Protocol):
    """Something that can hear."""

    label: str  # for people: "pocketsphinx 5.1.1"
    part: str  # for the fingerprint: "sphinx"

    def warm_up(self) -> None:
        """Get ready in the background, so that the first question is answered quickly."""
        ...

    def hear(self, samples: NDArray[np.float32]) -> Heard:
        """The words in mono samples at 16 kHz. Raises EngineError when the ear has died twice."""
        ...

    def close(self) -> None:
        """End what the ear has running."""
        ...


class NoEar:
    """Measures how long somebody spoke, and says honestly that it understands no words."""

    label = "none"
    part = "deaf"

    def warm_up(self) -> None:
        """Nothing to get ready."""

    def hear(self, samples: NDArray[np.float32]) -> Heard:
        """The seconds of speech, without words."""
        seconds = speech_seconds(samples)
        return Heard("" if seconds == 0 else None, seconds)

    def close(self) -> None:
        """Nothing to end."""


def choose_ear(part: str | None = None, corpus_path: Path | None = None) -> Ear:
    """The best ear installed here, or the one asked for: "sphinx" or "none"."""
    if part == "sphinx" or (part is None and importlib.util.find_spec("pocketsphinx")):
        from .sphinx import SphinxEar

        return SphinxEar(corpus_path)
    return NoEar()


def speech_seconds(samples: NDArray[np.float32]) -> float:
    """How long somebody speaks in `samples` (16 kHz), by loudness above the quietest parts."""
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
