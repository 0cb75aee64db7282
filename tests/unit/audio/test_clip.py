"""Clips: made of anything that is sound, and of nothing else."""

from __future__ import annotations

import base64
import copy
import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

RATE_HZ = 24_000
SECOND = np.arange(RATE_HZ) / RATE_HZ


def tone(frequency_hz: float = 440.0, level: float = 0.5, duration_s: float = 1.0) -> Any:
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def speech16() -> Any:
    """Every 16-bit value once, in a mixed order."""
    values = np.arange(-32_768, 32_768, dtype=np.int32)
    return np.random.default_rng(7).permutation(values).astype(np.int16)


# Arrays


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", ">f8"])
def test_floats_of_any_width_become_float32(dtype: Any) -> None:
    clip = Clip.from_array(tone().astype(dtype), RATE_HZ)
    assert clip.samples.dtype == np.float32
    np.testing.assert_allclose(clip.samples, tone(), atol=1e-3)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, ">i2", ">i4"])
def test_signed_integers_are_scaled_by_their_width(dtype: Any) -> None:
    full = np.iinfo(np.dtype(dtype)).max
    clip = Clip.from_array((tone().astype(np.float64) * full).astype(dtype), RATE_HZ)
    as_float = clip.samples / (32_768 if clip.samples.dtype == np.int16 else 1)
    np.testing.assert_allclose(as_float, tone(), atol=1 / 64)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_unsigned_integers_have_their_zero_in_the_middle(dtype: Any) -> None:
    half = (int(np.iinfo(dtype).max) + 1) // 2
    found = (tone().astype(np.float64) * (half - 1) + half).astype(dtype)
    np.testing.assert_allclose(Clip.from_array(found, RATE_HZ).samples, tone(), atol=1 / 64)


def test_python_s_own_ints_are_16_bit_samples() -> None:
    clip = Clip.from_array([0, 1_000, -32_768, 32_767], RATE_HZ)
    assert clip.samples.dtype == np.int16
    assert clip.samples.tolist() == [0, 1_000, -32_768, 32_767]


def test_channels_are_averaged() -> None:
    left, right = tone(440), tone(880)
    stereo = np.stack([left, right], axis=1)
    clip = Clip.from_array(stereo, RATE_HZ)
    assert clip.samples.shape == (RATE_HZ,)
    np.testing.assert_allclose(clip.samples, (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_equal_16_bit_channels_stay_as_they_are(channels: int) -> None:
    mono = speech16()
    clip = Clip.from_array(np.stack([mono] * channels, axis=1), RATE_HZ)
    assert clip.samples.dtype == np.int16
    np.testing.assert_array_equal(clip.samples, mono)


def test_loud_16_bit_channels_do_not_overflow() -> None:
    loud = np.full((10, 2), 32_767, np.int16)
    assert Clip.from_array(loud, RATE_HZ).samples.tolist() == [32_767] * 10


def test_a_little_over_full_scale_is_cut_to_it() -> None:
    clip = Clip.from_array(np.array([0.0, 1.2, -1.5], np.float32), RATE_HZ)
    assert clip.samples.tolist() == [0.0, 1.0, -1.0]


def test_the_caller_s_array_is_neither_kept_nor_changed() -> None:
    given = tone()
    clip = Clip.from_array(given, RATE_HZ)
    direct = Clip(given, RATE_HZ)
    read_only = given.view()
    read_only.setflags(write=False)
    view = Clip.from_array(read_only, RATE_HZ)
    given[:] = 1.0
    for made in (clip, direct, view):
        np.testing.assert_array_equal(made.samples, tone())
    assert given.flags.writeable


def test_samples_cannot_be_written_to() -> None:
    for clip in (Clip.from_array(tone(), RATE_HZ), Clip.from_pcm16(b"\x01\x00" * 9)):
        with pytest.raises(ValueError, match="read-only"):
            clip.samples[0] = 1
        with pytest.raises(AttributeError):
            clip.sample_rate_hz = 8_000  # type: ignore[misc]


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([], "at least one"),
        (np.zeros((0, 2)), "at least one"),
        (np.zeros((5, 0)), "at least one"),
        ([0.0, math.nan], "NaN"),
        ([0.0, math.inf], "NaN"),
        ([0.0, 1e300], "NaN"),
        (np.zeros((2, 2, 2)), r"\(frames, channels\)"),
        (np.float32(0.5), r"\(frames, channels\)"),
        (np.zeros((2, 24_000)), r"samples\.T"),
        ([[1.0], [1.0, 2.0]], "different lengths"),
        (["a", "b"], "floats or integers"),
        (np.array([True, False]), "floats or integers"),
        (np.array([1j]), "floats or integers"),
        ("speech", r"from_bytes"),
        (b"\x01\x00", r"from_pcm16"),
        (None, "expected an array"),
        ({"a": 1}, "expected an array"),
        ([12_000.5, -8_000.0], "32_768"),
    ],
)
def test_what_is_no_sound_is_one_clear_error(samples: Any, said: str) -> None:
    with pytest.raises(AudioError, match=said) as caught:
        Clip.from_array(samples, RATE_HZ)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("rate_hz", [0, -1, 24_000.5, math.nan, "24000", None, True, 10**9])
def test_what_is_no_rate_is_one_clear_error(rate_hz: Any) -> None:
    for make in (
        lambda: Clip.from_array(tone(), rate_hz),
        lambda: Clip.from_pcm16(b"\x00\x00", rate_hz),
        lambda: Clip(tone(), rate_hz),
    ):
        with pytest.raises(AudioError, match="expected a whole number of Hz"):
            make()


def test_a_whole_rate_of_any_number_type_is_taken() -> None:
    for rate_hz in (24_000, 24_000.0, np.int32(24_000), np.float64(24_000)):
        clip = Clip.from_array(tone(), rate_hz)  # type: ignore[arg-type]
        assert type(clip.sample_rate_hz) is int


# Bytes, files, base64


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_every_16_bit_value_survives_a_file_bit_for_bit(kind: str) -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    again = Clip.from_bytes(clip.to_bytes(kind))
    assert again.samples.dtype == np.int16
    np.testing.assert_array_equal(again.samples, clip.samples)
    assert again.sample_rate_hz == RATE_HZ


def test_every_16_bit_value_survives_pcm16_and_float_bit_for_bit() -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    assert Clip.from_pcm16(clip.to_pcm16()) == clip
    as_float = Clip.from_array(clip.samples.astype(np.float32) / 32_768, RATE_HZ)
    assert as_float.to_pcm16() == clip.to_pcm16()


def test_pcm16_is_little_endian_and_an_odd_byte_is_dropped() -> None:
    clip = Clip.from_pcm16(b"\x01\x00\xff\x7f\x05")
    assert clip.samples.tolist() == [1, 32_767]
    assert clip.to_pcm16() == b"\x01\x00\xff\x7f"
    assert clip.sample_rate_hz == 24_000


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "opus", "ogg"])
@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 44_100])
def test_each_kind_of_file_keeps_the_sound(kind: str, rate_hz: int) -> None:
    times_s = np.arange(rate_hz) / rate_hz
    clip = Clip.from_array(0.5 * np.sin(2 * np.pi * 440 * times_s), rate_hz)
    again = Clip.from_bytes(clip.to_bytes(kind))
    assert again.duration_s == pytest.approx(1.0, abs=0.03)
    assert again.rms_dbfs == pytest.approx(clip.rms_dbfs, abs=0.5)
    spectrum = np.abs(np.fft.rfft(again.samples))
    loudest_hz = np.argmax(spectrum) * again.sample_rate_hz / len(again.samples)
    assert loudest_hz == pytest.approx(440, abs=3)


def test_mp3_keeps_the_length_and_the_place_of_the_sound() -> None:
    quiet = np.zeros(RATE_HZ // 2, np.float32)
    clip = Clip.from_array(np.concatenate([quiet, tone(), quiet]), RATE_HZ)
    again = Clip.from_bytes(clip.to_bytes("mp3"))
    assert len(again.samples) == len(clip.samples)
    together = np.correlate(again.samples, clip.samples[: -RATE_HZ // 2], "valid")
    assert abs(int(np.argmax(together))) <= 1


def test_a_long_clip_can_be_written_in_every_compressed_form() -> None:
    # libsndfile's Vorbis encoder has died of long writes.
    clip = Clip.from_array(np.tile(tone(), 20), RATE_HZ)
    for kind in ("mp3", "ogg"):
        again = Clip.from_bytes(clip.to_bytes(kind))
        assert again.duration_s == pytest.approx(20, abs=0.05)


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "opus", "ogg", "WAV"])
def test_a_file_is_written_as_its_name_ends_and_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"hello.{ending}"
    clip = Clip.from_array(tone(), RATE_HZ)
    clip.write(path)
    for again in (Clip.read(path), Clip.read(str(path))):
        assert again.source == path.name
        assert again.duration_s == pytest.approx(1.0, abs=0.03)
    with path.open("rb") as file:
        assert Clip.read(file) == Clip.read(path)


def test_a_file_object_in_memory_is_read() -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    assert Clip.read(io.BytesIO(clip.to_bytes())) == clip


def test_other_kinds_that_libsndfile_knows_are_read_too() -> None:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, speech16(), RATE_HZ, format="AIFF", subtype="PCM_16")
    assert Clip.from_bytes(buffer.getvalue()) == Clip.from_array(speech16(), RATE_HZ)


@pytest.mark.parametrize("prefix", ["", "data:audio/wav;base64,", " data:audio/x;a=b;base64,"])
def test_base64_is_read_with_and_without_a_data_address(prefix: str) -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    text = prefix + clip.to_base64()
    assert Clip.from_base64(text) == clip
    assert Clip.from_base64(text.rstrip("=")) == clip
    assert Clip.from_base64(text[:50] + "\n" + text[50:]) == clip


def test_base64_of_bare_samples_needs_to_be_told_so() -> None:
    text = base64.b64encode(b"\x01\x00\x02\x00").decode()
    assert Clip.from_base64(text, "pcm16").samples.tolist() == [1, 2]
    with pytest.raises(AudioError, match="no known sound file"):
        Clip.from_base64(text)


def test_the_bytes_count_more_than_the_format_they_are_said_to_have() -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    for said in ("mp3", "pcm16", "ogg"):
        assert Clip.from_bytes(clip.to_bytes("wav"), said) == clip


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (b"", "no bytes"),
        (b"hello, this is no sound", "no known sound file"),
        (b"<html><body>404</body></html>", "web page"),
        (b'{"error": 1}', "JSON"),
        (b"\x1aE\xdf\xa3" + b"\x00" * 50, "WebM"),
        (b"\x00\x00\x00 ftypM4A " + b"\x00" * 50, "MP4"),
        (b"fLaC" + b"\x00" * 50, "FLAC file is damaged"),
        (b"OggS" + b"\x00" * 50, "OGG file is damaged"),
        (b"\x00" * 500, "no known sound file"),
    ],
)
def test_bytes_that_are_no_sound_say_what_they_are(found: bytes, said: str) -> None:
    with pytest.raises(AudioError, match=said):
        Clip.from_bytes(found)


def test_wrong_types_say_what_was_expected(tmp_path: Path) -> None:
    wrong: list[tuple[Any, Any, str]] = [
        (Clip.read, 5, "a path or an open binary file"),
        (Clip.read, b"RIFF", "a path or an open binary file"),
        (Clip.read, io.StringIO("x"), "mode 'rb'"),
        (Clip.read, tmp_path / "no.wav", "expected the path of a sound file"),
        (Clip.read, tmp_path, "expected the path of a sound file"),
        (Clip.read, "nul\0.wav", "expected the path of a sound file"),
        (Clip.from_bytes, "text", "expected bytes"),
        (Clip.from_pcm16, "text", "expected bytes"),
        (Clip.from_base64, 5, "expected base64 text"),
        (Clip.from_base64, "§§§", "no base64"),
        (Clip.from_pcm16, b"", "at least one"),
        (Clip.from_pcm16, b"\x01", "at least one"),
    ]
    for make, given, said in wrong:
        with pytest.raises(AudioError, match=said):
            make(given)


def test_unknown_formats_name_the_known_ones(tmp_path: Path) -> None:
    clip = Clip.from_array(tone(), RATE_HZ)
    with pytest.raises(AudioError, match=r"'aac'.*wav, flac, mp3, opus, ogg"):
        clip.to_bytes("aac")
    with pytest.raises(AudioError, match=r"\.wav, \.flac"):
        clip.write(tmp_path / "sound.txt")
    with pytest.raises(AudioError, match="'aac'"):
        Clip.from_bytes(clip.to_bytes(), "aac")
    assert list(tmp_path.iterdir()) == []


# Measures


def test_levels_are_in_db_below_full_scale() -> None:
    full = Clip.from_array(tone(level=1.0), RATE_HZ)
    assert full.peak_dbfs == pytest.approx(0, abs=0.01)
    assert full.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    half = Clip.from_array(np.full(100, 16_384, np.int16), RATE_HZ)
    assert half.peak_dbfs == half.rms_dbfs == pytest.approx(-6.02, abs=0.01)
    lowest = Clip.from_array(np.array([-32_768], np.int16), RATE_HZ)
    assert lowest.peak_dbfs == 0


def test_silence_has_no_level() -> None:
    clip = Clip.from_array(np.zeros(100, np.int16), RATE_HZ)
    assert clip.peak_dbfs == clip.rms_dbfs == -math.inf


def test_peaks_follow_the_sound() -> None:
    clip = Clip.from_array(np.concatenate([tone(level=0.2), tone(level=0.8)]), RATE_HZ)
    assert clip.peaks(4) == pytest.approx([0.2, 0.2, 0.8, 0.8], abs=0.01)
    assert clip.peaks(1) == pytest.approx([0.8], abs=0.01)


def test_there_may_be_more_peaks_than_samples() -> None:
    clip = Clip.from_array(np.array([-32_768, 16_384], np.int16), RATE_HZ)
    assert clip.peaks(4) == [1.0, 1.0, 0.5, 0.5]
    with pytest.raises(AudioError, match="1 or more"):
        clip.peaks(0)


# Changes


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_resampling_keeps_length_level_and_pitch(rate_hz: int) -> None:
    clip = Clip.from_array((tone() * 32_767).astype(np.int16), RATE_HZ)
    changed = clip.resampled(rate_hz)
    assert (changed.sample_rate_hz, changed.samples.dtype) == (rate_hz, np.int16)
    assert changed.duration_s == pytest.approx(1.0, abs=1e-3)
    expected = 16_384 * np.sin(2 * np.pi * 440 * np.arange(len(changed.samples)) / rate_hz)
    middle = slice(rate_hz // 10, -rate_hz // 10)
    np.testing.assert_allclose(changed.samples[middle], expected[middle], atol=40)


def test_resampling_to_the_same_rate_is_the_same_clip() -> None:
    clip = Clip.from_array(tone(), RATE_HZ)
    assert clip.resampled(RATE_HZ) is clip


def test_a_single_frame_can_be_resampled() -> None:
    assert len(Clip.from_array([0.5], 48_000).resampled(8_000).samples) >= 1


def test_slices_are_cut_by_seconds() -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    part = clip.sliced(0.5, 1.0)
    np.testing.assert_array_equal(part.samples, clip.samples[12_000:24_000])
    np.testing.assert_array_equal(clip.sliced(1.0).samples, clip.samples[24_000:])
    np.testing.assert_array_equal(clip.sliced(-0.5).samples, clip.samples[-12_000:])
    np.testing.assert_array_equal(clip.sliced(0, -0.5).samples, clip.samples[:-12_000])
    assert clip.sliced(0, 99) == clip


@pytest.mark.parametrize("times", [(1, 1), (2, 1), (99, None), (math.nan, 1), (0, "1")])
def test_a_slice_of_nothing_is_an_error(times: Any) -> None:
    with pytest.raises(AudioError, match="expected"):
        Clip.from_array(speech16(), RATE_HZ).sliced(*times)


def test_trimming_takes_the_quiet_from_both_ends_only() -> None:
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal(RATE_HZ // 2) * 1e-4).astype(np.float32)
    clip = Clip.from_array(np.concatenate([noise, tone(), noise, tone(), noise]), RATE_HZ)
    trimmed = clip.trimmed()
    assert trimmed.duration_s == pytest.approx(2.5, abs=0.03)
    np.testing.assert_allclose(trimmed.samples[:200], tone()[:200], atol=0.01)


def test_trimming_knows_quiet_by_the_given_threshold() -> None:
    soft = tone(level=0.003)
    clip = Clip.from_array(np.concatenate([soft, tone()]), RATE_HZ)
    assert clip.trimmed().duration_s == pytest.approx(1, abs=0.02)
    assert clip.trimmed(threshold_dbfs=-60).duration_s == pytest.approx(2, abs=0.02)


def test_trimming_silence_is_an_error() -> None:
    with pytest.raises(AudioError, match=r"below -45 dBFS.*threshold_dbfs"):
        Clip.from_array(np.zeros(5_000, np.int16), RATE_HZ).trimmed()


def test_joining_brings_the_second_to_the_rate_of_the_first() -> None:
    first = Clip.from_array(tone(), RATE_HZ)
    second = Clip.from_array(np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000) / 2, 48_000)
    joined = first + second
    assert joined.sample_rate_hz == RATE_HZ
    assert joined.duration_s == pytest.approx(2.0, abs=1e-3)
    np.testing.assert_array_equal(joined.samples[:RATE_HZ], first.samples)
    np.testing.assert_allclose(joined.samples[26_000:46_000], tone()[2_000:22_000], atol=2e-3)


def test_joining_keeps_16_bits_and_sums_begin_anywhere() -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    joined = sum([clip, clip, clip])
    assert isinstance(joined, Clip)
    assert joined.samples.dtype == np.int16
    assert joined.samples.tolist() == clip.samples.tolist() * 3
    assert (clip + Clip.from_array(tone(), RATE_HZ)).samples.dtype == np.float32
    with pytest.raises(TypeError):
        clip + 1  # type: ignore[operator]


# Values


def test_equal_sound_is_equal_whatever_its_type_and_origin() -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    as_float = Clip(clip.samples.astype(np.float32) / 32_768, RATE_HZ, "elsewhere")
    assert clip == as_float
    assert hash(clip) == hash(as_float)
    assert clip != Clip(clip.samples, 16_000)
    assert clip != Clip(clip.samples[:-1], RATE_HZ)
    assert clip != "clip"
    assert len({clip, as_float, Clip.from_array(tone(), RATE_HZ)}) == 2


def test_negative_zero_is_zero_also_for_the_hash() -> None:
    plus, minus = Clip(np.float32([0.0]), 8_000), Clip(np.float32([-0.0]), 8_000)
    assert plus == minus
    assert hash(plus) == hash(minus)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_copies_are_equal_and_read_only(again: Any) -> None:
    clip = Clip.from_array(speech16(), RATE_HZ)
    made = again(clip)
    assert (made, made.source) == (clip, clip.source)
    assert not made.samples.flags.writeable


def test_the_repr_says_length_rate_type_and_origin() -> None:
    assert repr(Clip.from_pcm16(b"\x00\x00" * 36_000)) == (
        "Clip(1.50 s, 24,000 Hz, int16, from 'pcm16')"
    )
