"""WAV files with sizes that are wrong, and files that stop too early."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import soundfile

from cellvoice.audio import Clip, sniff
from cellvoice.errors import AudioError

RATE_HZ = 24_000
SAMPLES = np.arange(-500, 500, dtype=np.int16)


def wav(subtype: str = "PCM_16", samples: Any = SAMPLES, kind: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE_HZ, format=kind, subtype=subtype)
    return buffer.getvalue()


def with_sizes(file: bytes, riff: int, data: int) -> bytes:
    """The same file, lying about its sizes."""
    place = file.index(b"data") + 4
    changed = bytearray(file)
    changed[4:8] = struct.pack("<I", riff)
    changed[place : place + 4] = struct.pack("<I", data)
    return bytes(changed)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0, 2, 1_000_000])
def test_a_wav_that_lies_about_its_size_is_read_by_its_payload(subtype: str, size: int) -> None:
    samples = SAMPLES.astype(np.float32) / 32_768 if subtype in ("FLOAT", "DOUBLE") else SAMPLES
    honest = wav(subtype, samples)
    assert Clip.from_bytes(with_sizes(honest, size, size)) == Clip.from_bytes(honest)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "PCM_24", "FLOAT", "ULAW", "ALAW"])
def test_a_wav_cut_off_anywhere_in_its_sound_gives_what_is_there(subtype: str) -> None:
    file = wav(subtype, SAMPLES.astype(np.float32) / 32_768 if subtype == "FLOAT" else SAMPLES)
    whole = Clip.from_bytes(file)
    start = file.index(b"data") + 8
    frame_bytes = (len(file) - start) // len(SAMPLES)
    for cut in range(start + frame_bytes, len(file), 97):
        part = Clip.from_bytes(file[:cut])
        frames = (cut - start) // frame_bytes
        assert len(part.samples) == frames
        np.testing.assert_array_equal(part.samples, whole.samples[:frames])


def test_a_wav_cut_off_before_its_sound_is_one_clear_error() -> None:
    file = wav()
    for cut in range(1, file.index(b"data") + 8):
        with pytest.raises(AudioError):
            Clip.from_bytes(file[:cut])
    with pytest.raises(AudioError, match="at least one"):
        Clip.from_bytes(file[: file.index(b"data") + 8])


def test_chunks_around_the_sound_are_not_sound() -> None:
    file = wav()
    note = b"LIST" + struct.pack("<I", 5) + b"INFOx\0"
    place = file.index(b"fmt ")
    for changed in (file + note, file + note + note, file[:place] + note + file[place:]):
        assert Clip.from_bytes(changed).samples.tolist() == SAMPLES.tolist()


def test_a_note_between_header_and_sound_of_unknown_size_is_skipped() -> None:
    # As ffmpeg writes to a pipe.
    file = with_sizes(wav(), 0xFFFFFFFF, 0xFFFFFFFF)
    place = file.index(b"data")
    note = b"LIST" + struct.pack("<I", 26) + b"INFOISFT\x0e\0\0\0Lavf60.16.100\0"
    assert Clip.from_bytes(file[:place] + note + file[place:]).samples.tolist() == SAMPLES.tolist()


def test_bytes_after_a_size_that_is_too_small_are_sound() -> None:
    file = with_sizes(wav(), 136, 100)
    assert Clip.from_bytes(file).samples.tolist() == SAMPLES.tolist()


@pytest.mark.parametrize("kind", ["WAVEX", "RF64"])
def test_wider_kinds_of_wav_are_read(kind: str) -> None:
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        samples = SAMPLES.astype(np.float32) / 32_768 if subtype == "FLOAT" else SAMPLES
        expected = Clip.from_array(SAMPLES, RATE_HZ)
        assert Clip.from_bytes(wav(subtype, samples, kind)) == expected


def test_a_big_endian_wav_is_read() -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, SAMPLES, RATE_HZ, format="WAV", subtype="PCM_16", endian="BIG")
    assert buffer.getvalue()[:4] == b"RIFX"
    assert Clip.from_bytes(buffer.getvalue()) == Clip.from_array(SAMPLES, RATE_HZ)


def test_stereo_is_averaged_and_a_half_frame_dropped() -> None:
    stereo = np.stack([SAMPLES, SAMPLES], axis=1)
    file = wav(samples=stereo)
    assert Clip.from_bytes(file).samples.tolist() == SAMPLES.tolist()
    assert Clip.from_bytes(file[:-3]).samples.tolist() == SAMPLES.tolist()[:-1]


@pytest.mark.parametrize(("offset", "size"), [(22, 2), (24, 4), (32, 2)])
def test_a_header_with_zeros_is_one_clear_error(offset: int, size: int) -> None:
    file = bytearray(wav())
    file[offset : offset + size] = bytes(size)
    with pytest.raises(AudioError):
        Clip.from_bytes(bytes(file))


def test_our_own_wav_is_what_others_read() -> None:
    file = Clip.from_array(SAMPLES, RATE_HZ).to_bytes("wav")
    found, rate_hz = soundfile.read(io.BytesIO(file), dtype="int16")
    assert (found.tolist(), rate_hz) == (SAMPLES.tolist(), RATE_HZ)
    assert len(file) == 44 + 2 * len(SAMPLES)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "opus", "ogg"])
def test_each_kind_is_known_by_its_first_bytes(kind: str) -> None:
    file = Clip.from_array(np.tile(SAMPLES, 10), RATE_HZ).to_bytes(kind)
    assert sniff(file) == kind
    assert sniff(file[:40]) == kind


@pytest.mark.parametrize("found", [b"", b"\xff", b"RIFF", b"\xff\xf1\x50\x80", b"\x00" * 50])
def test_what_is_no_known_kind_has_no_name(found: bytes) -> None:
    assert sniff(found) is None
