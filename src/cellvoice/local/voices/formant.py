"""The engine's own voice, in numpy: needs nothing, sounds like a robot, is understood.

Harmonics of a falling pitch are weighed by five resonances that move from sound to sound; noise
in bands makes the consonants.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .phonemes import Phone, phones_of
from .pronounce import sounds_of

__all__ = ["FormantVoice"]

_RATE_HZ = 24_000
_HOP = 120  # 5 ms
_HIGHEST_HZ = 5_500.0
_BANDWIDTHS_HZ = np.array([70.0, 100.0, 140.0, 250.0, 300.0])
_PAUSE_MS = 160.0
_QUIET = Phone((500, 1500, 2500), _PAUSE_MS)
_NOISE_WINDOW = 512
_PEAK = 0.6

# Pitch in Hz, and how much shorter than a man's the throat is.
_TIMBRES = {
    "alloy": (118, 1.05),
    "ash": (96, 1.0),
    "ballad": (105, 1.02),
    "cedar": (84, 0.97),
    "coral": (200, 1.15),
    "echo": (88, 1.0),
    "fable": (110, 1.03),
    "marin": (205, 1.13),
    "nova": (192, 1.16),
    "onyx": (78, 0.95),
    "sage": (172, 1.12),
    "shimmer": (230, 1.18),
    "verse": (104, 1.0),
}

Floats = NDArray[np.float64]


class FormantVoice:
    """Speaks English robotically; the same text always gives the same samples on one machine."""

    label = "formant voice"
    part = "formant"

    def speak(self, text: str, voice: str) -> NDArray[np.int16]:
        """One sentence as mono samples at 24 kHz."""
        phones = [_QUIET]
        for word in sounds_of(text):
            phones += [phone for sound in word for phone in phones_of(sound)] or [_QUIET]
        pitch_hz, shortness = _TIMBRES[voice]
        track = _track(phones, shortness)
        sound = _voiced(track, _pitch(track.shape[0], pitch_hz)) + _hissed(track)
        loudest = float(np.max(np.abs(sound))) or 1.0
        return np.asarray(sound * (_PEAK / loudest) * 32767, dtype=np.int16)


def _track(phones: list[Phone], shortness: float) -> Floats:
    """One row every 5 ms: F1, F2, F3, voice, noise, noise centre, noise width."""
    rows = [
        [*p.formants_hz, p.voice, p.noise, p.noise_hz or 3000.0, p.noise_width_hz] for p in phones
    ]
    counts = [max(1, round(p.duration_ms / 1000 * _RATE_HZ / _HOP)) for p in phones]
    track = np.repeat(np.array(rows), counts, axis=0)
    track[:, :3] *= shortness
    smooth = np.empty_like(track)
    # The tongue is slower than the breath: 55 ms for formants, 15 ms for loudness.
    for columns, width in ((slice(0, 3), 11), (slice(3, 7), 3)):
        window = np.hanning(width + 2)[1:-1]
        window /= window.sum()
        padded = np.pad(track[:, columns], ((width // 2, width // 2), (0, 0)), mode="edge")
        for at, column in enumerate(range(columns.start, columns.stop)):
            smooth[:, column] = np.convolve(padded[:, at], window, mode="valid")
    return smooth


def _pitch(frames: int, pitch_hz: float) -> Floats:
    """Falls over the sentence, as statements do, and sways a little, as people do."""
    time_s = np.arange(frames) * _HOP / _RATE_HZ
    falling = np.linspace(1.12, 0.84, frames)
    sway = 1 + 0.025 * np.sin(2 * np.pi * 2.1 * time_s) + 0.008 * np.sin(2 * np.pi * 5.3 * time_s)
    result: Floats = pitch_hz * falling * sway
    return result


def _voiced(track: Floats, pitch_hz: Floats) -> Floats:
    """Harmonics of the pitch, each as loud as the throat lets it through."""
    phase = 2 * np.pi * np.cumsum(_each_sample(pitch_hz)) / _RATE_HZ
    fixed = np.tile([3500.0, 4500.0], (track.shape[0], 1))
    formants_hz = np.concatenate([track[:, :3], fixed], axis=1)
    sound = np.zeros(phase.shape[0])
    # sin(k·x) from the two before it: several times faster than asking for each sine.
    twice_cosine, before, sine = 2 * np.cos(phase), np.zeros_like(phase), np.sin(phase)
    for number in range(1, int(_HIGHEST_HZ / pitch_hz.min()) + 1):
        hz = number * pitch_hz
        level = track[:, 3] * _throat(hz, formants_hz) / number
        level[hz > _HIGHEST_HZ] = 0.0
        sound += _each_sample(level) * sine
        before, sine = sine, twice_cosine * sine - before
    return sound


def _each_sample(values: Floats) -> Floats:
    """Straight lines from frame to frame; the last value is held."""
    following = np.append(values[1:], values[-1:])
    share = np.arange(_HOP) / _HOP
    lines: Floats = values[:, None] + (following - values)[:, None] * share
    return lines.reshape(-1)


def _throat(hz: Floats, formants_hz: Floats) -> Floats:
    """How strongly five resonances in a row pass a frequency, frame by frame."""
    gain = np.ones_like(hz)
    for at in range(5):
        centre = formants_hz[:, at]
        gain *= centre**2 / np.hypot(centre**2 - hz**2, _BANDWIDTHS_HZ[at] * hz)
    result: Floats = gain * np.sqrt(hz / 100.0)  # lips radiate high tones better
    return result


def _hissed(track: Floats) -> Floats:
    """Seeded noise, shaped in overlapping windows by each frame's band."""
    length = track.shape[0] * _HOP
    half = _NOISE_WINDOW // 2
    count = length // half + 1
    noise = np.random.default_rng(7).normal(0.0, 1.0, (count + 1) * half)
    windows = np.lib.stride_tricks.sliding_window_view(noise, _NOISE_WINDOW)[::half]
    middle = np.minimum(np.arange(windows.shape[0]) * half // _HOP, track.shape[0] - 1)
    hz = np.fft.rfftfreq(_NOISE_WINDOW, 1 / _RATE_HZ)
    band = np.exp(-(((hz[None, :] - track[middle, 5, None]) / track[middle, 6, None]) ** 2))
    spectrum = np.fft.rfft(windows * np.hanning(_NOISE_WINDOW)) * band
    sound = np.zeros((windows.shape[0] + 1) * half)
    for at, shaped in enumerate(np.fft.irfft(spectrum, _NOISE_WINDOW)):
        sound[at * half : at * half + _NOISE_WINDOW] += shaped
    # Window `at` is centred half a window after its frame; shift it back to where it belongs.
    aligned = np.pad(sound[half:], (0, length))[:length]
    result: Floats = aligned * _each_sample(track[:, 4])
    return result
