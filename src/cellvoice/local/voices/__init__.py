"""Voices: text to 24 kHz 16-bit samples, chosen by what is installed.

Each voice makes one sentence whole and returns it; nothing is locked while sound is being sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cellvoice.errors import EngineError

__all__ = ["VOICE_NAMES", "Voice", "choose_voice"]

# The names of the service's voices; here they are stand-in timbres, not the real voices.
VOICE_NAMES = (
    "alloy",
    "echo",
    "fable",
    "onyx",
    "nova",
    "shimmer",
    "coral",
    "verse",
    "ballad",
    "ash",
    "sage",
    "marin",
    "cedar",
)


class Voice(Protocol):
    """Something that can speak."""

    label: str  # for people: "espeak-ng 1.52"
    part: str  # for the fingerprint: "espeak"

    def speak(self, text: str, voice: str) -> NDArray[np.int16]:
        """One sentence as mono samples at 24 kHz."""
        ...


def choose_voice(part: str | None = None) -> Voice:
    """The best voice that works here, or the one asked for: "espeak", "program" or "formant".

    Raises EngineError, ImportError or OSError only for a voice that was asked for by name.
    """
    if part is not None:
        return _MAKERS[part]()
    for made in (_espeak, _program):
        try:
            return made()
        except (EngineError, ImportError, OSError):
            continue  # not installed, or not for this machine: the next one is
    return _formant()


def _espeak() -> Voice:
    from .espeak import EspeakVoice

    return EspeakVoice()


def _program() -> Voice:
    from .program import ProgramVoice

    return ProgramVoice()


def _formant() -> Voice:
    from .formant import FormantVoice

    return FormantVoice()


_MAKERS: Mapping[str, Callable[[], Voice]] = {
    "espeak": _espeak,
    "program": _program,
    "formant": _formant,
}
