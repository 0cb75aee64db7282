"""What each ARPAbet sound is made of: resonances, voice and noise.

Formants are the textbook means of men's vowels (Peterson and Barney 1952); the consonants' places
are the usual loci of formant transitions, tuned until the recogniser understood them.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Phone", "phones_of"]


@dataclass(frozen=True, slots=True)
class Phone:
    """One stretch of sound. Formants in Hz, length in ms, loudness 0 to 1."""

    formants_hz: tuple[float, float, float]
    duration_ms: float
    voice: float = 0.0
    noise: float = 0.0
    noise_hz: float = 0.0
    noise_width_hz: float = 1.0


def _vowel(f1: float, f2: float, f3: float, duration_ms: float = 105) -> tuple[Phone, ...]:
    return (Phone((f1, f2, f3), duration_ms, 1.0),)


def _glide(start: tuple[float, float, float], end: tuple[float, float, float]) -> tuple[Phone, ...]:
    return (Phone(start, 80, 1.0), Phone(end, 70, 0.8))


def _stop(
    locus: tuple[float, float, float], hz: float, width_hz: float, burst: float, voiced: bool
) -> tuple[Phone, ...]:
    if voiced:
        return (Phone(locus, 50, 0.12), Phone(locus, 12, 0.35, burst * 0.6, hz, width_hz))
    return (
        Phone(locus, 60),
        Phone(locus, 16, 0.0, burst, hz, width_hz),
        Phone(locus, 28, 0.0, burst * 0.22, 1800, 1600),
    )


_LIPS, _TEETH, _BACK = (250.0, 900.0, 2200.0), (250.0, 1750.0, 2650.0), (250.0, 1950.0, 2350.0)
_HISS, _HUSH = (6800.0, 1900.0), (3300.0, 1200.0)

_PHONES: dict[str, tuple[Phone, ...]] = {
    "IY": _vowel(280, 2290, 3010),
    "IH": _vowel(400, 1990, 2550, 80),
    "EH": _vowel(540, 1840, 2480, 95),
    "AE": _vowel(670, 1720, 2410, 125),
    "AA": _vowel(730, 1090, 2440, 125),
    "AO": _vowel(580, 860, 2410, 120),
    "UH": _vowel(440, 1020, 2240, 80),
    "UW": _vowel(310, 900, 2240, 110),
    "AH": _vowel(620, 1200, 2390, 75),
    "ER": _vowel(480, 1350, 1690, 115),
    "EY": _glide((480, 1950, 2550), (330, 2200, 2800)),
    "AY": _glide((730, 1200, 2450), (380, 2050, 2650)),
    "OY": _glide((550, 850, 2400), (380, 2000, 2600)),
    "AW": _glide((730, 1250, 2450), (420, 900, 2300)),
    "OW": _glide((520, 950, 2400), (370, 820, 2300)),
    "M": (Phone((270, 1000, 2200), 70, 0.4),),
    "N": (Phone((270, 1650, 2600), 65, 0.4),),
    "NG": (Phone((270, 2050, 2500), 80, 0.4),),
    "L": (Phone((360, 1050, 2750), 65, 0.6),),
    "R": (Phone((360, 1150, 1600), 65, 0.6),),
    "W": (Phone((300, 680, 2200), 65, 0.5),),
    "Y": (Phone((280, 2250, 3000), 60, 0.5),),
    "HH": (Phone((500, 1500, 2500), 60, 0.0, 0.16, 1500, 1600),),
    "S": (Phone(_TEETH, 105, 0.0, 0.34, *_HISS),),
    "Z": (Phone(_TEETH, 80, 0.18, 0.22, *_HISS),),
    "SH": (Phone(_BACK, 105, 0.0, 0.4, *_HUSH),),
    "ZH": (Phone(_BACK, 80, 0.2, 0.25, *_HUSH),),
    "F": (Phone(_LIPS, 95, 0.0, 0.10, 6500, 5000),),
    "V": (Phone(_LIPS, 60, 0.3, 0.05, 6500, 5000),),
    "TH": (Phone((250, 1350, 2550), 90, 0.0, 0.08, 6000, 4500),),
    "DH": (Phone((260, 1350, 2550), 45, 0.35, 0.03, 6000, 4500),),
    "P": _stop(_LIPS, 900, 900, 0.3, False),
    "B": _stop(_LIPS, 900, 900, 0.3, True),
    "T": _stop(_TEETH, 4800, 2000, 0.45, False),
    "D": _stop(_TEETH, 4800, 2000, 0.45, True),
    "K": _stop(_BACK, 2000, 800, 0.45, False),
    "G": _stop(_BACK, 2000, 800, 0.45, True),
    "CH": (Phone(_TEETH, 55), Phone(_BACK, 85, 0.0, 0.42, *_HUSH)),
    "JH": (Phone(_TEETH, 45, 0.12), Phone(_BACK, 60, 0.2, 0.3, *_HUSH)),
}


def phones_of(sound: str) -> tuple[Phone, ...]:
    """The stretches of one ARPAbet sound; stress digits are ignored."""
    return _PHONES[sound.rstrip("012")]
