"""The engine's own voice, in numpy: needs nothing, sounds like a robot, is understood.

Harmonics of a falling pitch are weighed by five resonances that move from sound to sound; noise
in bands makes the consonants.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import Spoken
from ._timbres import FORMANT_TIMBRES, Timbre
from .phonemes import Phone, phones_of
from .pronounce import said_words
from .times import word_times

__all__ = ["FormantVoice", "band_powers"]

_RATE_HZ = 24_000
_HOP = 120  # 5 ms
_HIGHEST_HZ = 5_500.0
_BANDWIDTHS_HZ = np.array([70.0, 100.0, 140.0, 250.0, 300.0])
_PAUSE_MS = 160.0
_QUIET = Phone((500, 1500, 2500), _PAUSE_MS)
_NOISE_WINDOW = 512
_PEAK = 0.6
_BREATH_WIDTH_HZ = 3000.0

_NEUTRAL_HZ = 120.0
# Of noise with variance 1 at 24 kHz, after windows that overlap by half.
_NOISE_POWER_PER_HZ = 0.75 / 12_000
_INAUDIBLE = 1e-9

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


class FormantVoice:
    """Speaks English robotically; the same text always gives the same samples on one machine."""

    label = "formant voice"
    part = "formant"

    def speak(self, text: str, voice: str) -> NDArray[np.int16]:
        """One sentence as mono samples at 24 kHz."""
        return self.timed(text, voice).samples

    def timed(self, text: str, voice: str) -> Spoken:
        """The same, with the words' times, which are exact: they are what it is made by."""
        timbre = FORMANT_TIMBRES[voice]
        phones = [_QUIET]
        starts: list[tuple[int, float]] = []
        end_s = frames = _frames(_QUIET, timbre)
        for said in said_words(text):
            sounds = [phone for sound in said.sounds for phone in phones_of(sound)]
            if sounds:
                starts.append((said.start_char, _seconds(frames)))
            phones += sounds or [_QUIET]
            frames += sum(_frames(phone, timbre) for phone in sounds or [_QUIET])
            if sounds:
                end_s = frames
        track = _track(phones, timbre)
        pitch_hz = _pitch(track.shape[0], timbre)
        sound = _voiced(track, pitch_hz, timbre) + _hissed(track)
        loudest = float(np.max(np.abs(sound))) or 1.0
        samples = np.asarray(sound * (_PEAK / loudest) * 32767, dtype=np.int16)
        return Spoken(samples, word_times(text, starts, _seconds(end_s)))


def band_powers(text: str, shortness: float, hz: Floats32, hop_s: float) -> Floats32:
    """How loud this voice is in narrow bands around `hz`, one row for `hop_s`, without its pitch.

    It is what a filter bank would see of the sound, found without making the sound.
    """
    timbre = Timbre(_NEUTRAL_HZ, shortness)
    sounds = (sound for said in said_words(text) for sound in said.sounds)
    phones = [phone for sound in sounds for phone in phones_of(sound)] or [_QUIET]
    track = _track(phones, timbre)[:: round(hop_s * _RATE_HZ / _HOP)]
    formants_hz = _all_formants(track)
    powers = np.empty((track.shape[0], hz.shape[0]))
    for at, centre in enumerate(hz.astype(np.float64)):
        # Harmonics as far apart as the pitch, each quieter by its number.
        level = track[:, 3] * _throat(np.full(track.shape[0], centre), formants_hz)
        level *= _NEUTRAL_HZ / centre
        voiced = level**2 / 2 / _NEUTRAL_HZ if centre < _HIGHEST_HZ else 0.0
        band = np.exp(-(((centre - track[:, 5]) / track[:, 6]) ** 2))
        powers[:, at] = voiced + (track[:, 4] * band) ** 2 * _NOISE_POWER_PER_HZ
    return np.asarray(powers + _INAUDIBLE, dtype=np.float32)


def _frames(phone: Phone, timbre: Timbre) -> int:
    """How many hops of 5 ms a sound lasts."""
    return max(1, round(phone.duration_ms / timbre.pace / 1000 * _RATE_HZ / _HOP))


def _seconds(frames: int) -> float:
    return frames * _HOP / _RATE_HZ


def _track(phones: list[Phone], timbre: Timbre) -> Floats:
    """One row every 5 ms: F1, F2, F3, voice, noise, noise centre, noise width."""
    rows = [
        [*p.formants_hz, p.voice, p.noise, p.noise_hz or 3000.0, p.noise_width_hz] for p in phones
    ]
    track = np.repeat(np.array(rows), [_frames(p, timbre) for p in phones], axis=0)
    track[:, :3] *= timbre.shortness
    if timbre.breath:
        # Breath sounds with the voice and only where no other noise sets the band.
        breathy = (track[:, 3] > 0) & (track[:, 4] == 0)
        track[breathy, 4] = timbre.breath * 0.25 * track[breathy, 3]
        track[breathy, 6] = _BREATH_WIDTH_HZ
    smooth = np.empty_like(track)
    # The tongue is slower than the breath: 55 ms for formants, 15 ms for loudness.
    for columns, width in ((slice(0, 3), 11), (slice(3, 7), 3)):
        window = np.hanning(width + 2)[1:-1]
        window /= window.sum()
        padded = np.pad(track[:, columns], ((width // 2, width // 2), (0, 0)), mode="edge")
        for at, column in enumerate(range(columns.start, columns.stop)):
            smooth[:, column] = np.convolve(padded[:, at], window, mode="valid")
    return smooth


def _pitch(frames: int, timbre: Timbre) -> Floats:
    """Falls over the sentence, as statements do, and sways a little, as people do."""
    time_s = np.arange(frames) * _HOP / _RATE_HZ
    falling = np.linspace(0.14, -0.14, frames)
    sway = 0.025 * np.sin(2 * np.pi * 2.1 * time_s)
    tremble = 0.008 * np.sin(2 * np.pi * 5.3 * time_s)
    result: Floats = timbre.pitch_hz * (0.98 + timbre.range * (falling + sway)) * (1 + tremble)
    return result


def _voiced(track: Floats, pitch_hz: Floats, timbre: Timbre) -> Floats:
    """Harmonics of the pitch, each as loud as the throat lets it through."""
    phase = 2 * np.pi * np.cumsum(_each_sample(pitch_hz)) / _RATE_HZ
    formants_hz = _all_formants(track)
    sound = np.zeros(phase.shape[0])
    # sin(k·x) from the two before it: several times faster than asking for each sine.
    twice_cosine, before, sine = 2 * np.cos(phase), np.zeros_like(phase), np.sin(phase)
    for number in range(1, int(_HIGHEST_HZ / pitch_hz.min()) + 1):
        hz = number * pitch_hz
        level = track[:, 3] * _throat(hz, formants_hz) / number
        level *= 10 ** (-timbre.dark / 20 * np.maximum(0.0, np.log2(hz / 500.0)))
        level[hz > _HIGHEST_HZ] = 0.0
        sound += _each_sample(level) * sine
        before, sine = sine, twice_cosine * sine - before
    return sound


def _all_formants(track: Floats) -> Floats:
    """The three that move and two that do not."""
    fixed = np.tile([3500.0, 4500.0], (track.shape[0], 1))
    return np.concatenate([track[:, :3], fixed], axis=1)


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
