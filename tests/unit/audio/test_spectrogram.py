"""A spectrogram shows which pitch is loud when, and its picture says the same."""

from __future__ import annotations

import struct
import time
import zlib

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.audio.spectrogram import spectrogram
from cellvoice.audio.voiced import voiced_frames

RATE_HZ = 24_000


def tones(*pitches_hz: float, each_s: float = 0.5, rate_hz: int = RATE_HZ) -> Clip:
    at = np.arange(round(each_s * rate_hz)) / rate_hz
    sound = np.concatenate([0.5 * np.sin(2 * np.pi * hz * at) for hz in pitches_hz])
    return Clip.from_array(sound.astype(np.float32), rate_hz)


def loudest_hz(clip: Clip, at_s: float) -> float:
    made = spectrogram(clip)
    rows, columns = made.levels_db.shape
    row = int(made.levels_db[:, int(at_s / made.duration_s * columns)].argmax())
    return (rows - 1 - row + 0.5) / rows * made.max_hz


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000])
def test_a_tone_is_loudest_at_its_pitch_and_in_its_time(rate_hz: int) -> None:
    clip = tones(500, 2_000, rate_hz=rate_hz)
    assert loudest_hz(clip, 0.25) == pytest.approx(500, abs=80)
    assert loudest_hz(clip, 0.75) == pytest.approx(2_000, abs=80)


def test_levels_are_below_the_loudest_point() -> None:
    levels = spectrogram(tones(1_000)).levels_db
    assert levels.shape[0] == 128
    assert levels.max() == 0.0 and levels.min() >= -80.0


@pytest.mark.parametrize("frames", [1, 10, 600])
def test_short_and_silent_clips_have_a_picture_too(frames: int) -> None:
    made = spectrogram(Clip.from_array(np.zeros(frames, np.float32), RATE_HZ))
    assert (made.levels_db == -80.0).all()
    assert made.to_png().startswith(b"\x89PNG")


def test_the_picture_has_a_pixel_for_each_level() -> None:
    made = spectrogram(tones(1_000))
    png = made.to_png()
    width, height = struct.unpack(">II", png[16:24])
    assert (height, width) == made.levels_db.shape
    start = png.index(b"IDAT")
    size = int.from_bytes(png[start - 4 : start], "big")
    content = png[start + 4 : start + 4 + size]
    assert int.from_bytes(png[start + 4 + size : start + 8 + size], "big") == zlib.crc32(
        b"IDAT" + content
    )
    lines = np.frombuffer(zlib.decompress(content), np.uint8).reshape(height, width + 1)
    assert lines[:, 1:].max() == 255
    assert np.array_equal(lines[:, 1:] > 200, made.levels_db > -80 + 200.5 / 255 * 80)


def test_ten_minutes_are_no_larger_than_the_picture() -> None:
    long = Clip.from_array(np.tile(tones(300, 900).samples, 600), RATE_HZ)
    start_s = time.process_time()
    made = spectrogram(long)
    assert made.levels_db.shape == (128, 800)
    assert time.process_time() - start_s < 2.0


def test_speech_is_told_from_pauses() -> None:
    loud, quiet = tones(220).samples, np.zeros(RATE_HZ // 2, np.float32)
    found = voiced_frames(Clip.from_array(np.concatenate([quiet, loud, quiet]), RATE_HZ))
    times_s = np.flatnonzero(found) * 0.02
    assert times_s[0] == pytest.approx(0.5) and times_s[-1] == pytest.approx(0.98)
    assert not voiced_frames(Clip.from_array(quiet, RATE_HZ)).any()
