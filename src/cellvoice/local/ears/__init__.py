"""Ears: 16 kHz samples to words, chosen by what is installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .kinds import Kind, kind_of, speech_seconds

__all__ = ["Ear", "Heard", "NoEar", "choose_ear", "speech_seconds"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What an ear made of a sound. `text` is None if it was not transcribed, "" for no speech.

    `kind` is what kind of sound it was; what is no speech is not forced into words.
    """

    text: str | None
    speech_s: float
    kind: Kind = "speech"


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
        kind = kind_of(samples)
        return Heard(None, speech_seconds(samples)) if kind == "speech" else Heard("", 0.0, kind)

    def close(self) -> None:
        """Nothing to end."""


def choose_ear(part: str | None = None, corpus_path: Path | None = None) -> Ear:
    """The best ear installed here, or the one asked for: "sphinx", "phrases" or "none"."""
    if part == "none":
        return NoEar()
    if part == "sphinx" or (part is None and importlib.util.find_spec("pocketsphinx")):
        from .sphinx import SphinxEar

        return SphinxEar(corpus_path)
    from .phrases import PhraseEar

    return PhraseEar(corpus_path)
