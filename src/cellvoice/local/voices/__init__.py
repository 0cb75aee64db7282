"""Voices: text to 24 kHz 16-bit samples, chosen by what is installed.

Each voice makes one sentence whole and returns it; nothing is locked while sound is being sent.
"""

from __future__ import annotations

import importlib.util
import shutil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
        """One sentence as mono samples at 24 kHz, the same every time for the same text."""
        ...


def choose_voice(part: str | None = None) -> Voice:
    """The best voice installed here, or the one asked for: "espeak", "program" or "formant"."""
    if part == "espeak" or (part is None and importlib.util.find_spec("espeakng_loader")):
        from .espeak import EspeakVoice

        return EspeakVoice()
    program = shutil.which("espeak-ng")
    if part == "program" or (part is None and program):
        from .program import ProgramVoice

        return ProgramVoice(program or "espeak-ng")
    from .formant import FormantVoice

    return FormantVoice()
