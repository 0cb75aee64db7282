"""What stands in for which of the service's names: espeak-ng's voices, and settings of our own."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ESPEAK_VOICES", "FORMANT_TIMBRES", "WORDS_PER_MINUTE", "Timbre"]

WORDS_PER_MINUTE = 160

ESPEAK_VOICES = {
    "alloy": "en-us",
    "ash": "en-us+m3",
    "ballad": "gmw/en+m5",  # plain "en-gb" is refused by the library's voice search
    "cedar": "en-us+m4",
    "coral": "en-us+f2",
    "echo": "en-us+m1",
    "fable": "en-gb-x-rp",
    "marin": "en-us+f3",
    "nova": "en-us+f4",
    "onyx": "en-us+m7",
    "sage": "en-gb-scotland+f1",
    "shimmer": "en-us+f5",
    "verse": "en-us+m2",
}


@dataclass(frozen=True, slots=True)
class Timbre:
    """A speaker of the formant voice.

    `shortness` is how much shorter than a man's the throat is; `pace` divides the length of every
    sound; `dark` takes so many dB off each octave above 500 Hz; `breath` adds noise to the voice, 0
    to 1; `range` is how far the pitch moves, 1 as in plain speech.
    """

    pitch_hz: float
    shortness: float
    pace: float = 1.0
    dark: float = 0.0
    breath: float = 0.0
    range: float = 1.0


FORMANT_TIMBRES = {
    "alloy": Timbre(118, 1.05),
    "ash": Timbre(98, 1.0, dark=3.0, breath=0.10),
    "ballad": Timbre(108, 1.02, pace=0.88, range=1.7),
    "cedar": Timbre(84, 0.97, pace=0.92, dark=2.0),
    "coral": Timbre(200, 1.15),
    "echo": Timbre(90, 1.0, pace=1.10, range=0.6),
    "fable": Timbre(124, 1.03, pace=0.95, range=1.7),
    "marin": Timbre(212, 1.13, dark=2.5, breath=0.12),
    "nova": Timbre(188, 1.16, pace=1.12, range=1.5),
    "onyx": Timbre(74, 0.95, dark=1.0),
    "sage": Timbre(168, 1.12, pace=0.94, dark=0.5),
    "shimmer": Timbre(235, 1.18, breath=0.06, range=1.3),
    "verse": Timbre(104, 1.0, pace=1.08, range=1.4),
}
