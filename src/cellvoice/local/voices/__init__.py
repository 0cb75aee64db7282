"""Voices: text to 24 kHz 16-bit samples, chosen by what is installed.

Each voice makes one sentence whole and returns it; nothing is locked while sound is being sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cellvoice.errors import EngineError

__all__ = ["VOICE_NAMES", "Spoken", "Voice", "WordTime", "choose_voice", "word_places"]

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


# Letters and digits, with what stands between two of them: "don't", "twenty-two", "5.20".
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")

# First character, the one after the last, first second, last second.
WordTime = tuple[int, int, float, float]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Mono samples at 24 kHz, and where each word of the text is in them.

    `words` is in order, without gaps in the text's words; it is empty where a voice does not tell.
    """

    samples: NDArray[np.int16]
    words: tuple[WordTime, ...] = ()


def word_places(text: str) -> list[tuple[int, int]]:
    """Where each word of `text` begins and ends, in characters."""
    return [found.span() for found in _WORD.finditer(text)]


class Voice(Protocol):
    """Something that can speak."""

    label: str  # for people: "espeak-ng 1.52"
    part: str  # for the fingerprint: "espeak"

    def speak(self, text: str, voice: str) -> NDArray[np.int16]:
        """One sentence as mono samples at 24 kHz."""
        ...

    def timed(self, text: str, voice: str) -> Spoken:
        """The same samples, with the times of the words."""
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
