"""Recorded bytes taken apart into text and sound, and put together to the same bytes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.protocol.tape import SoundPart, put_together, taken_apart
from cellvoice.protocol.taped_sound import StoredSound, is_sound_name, sound_bytes

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
STREAMS = sorted(RECORDED.glob("*.sse"))
VOICE = Clip.read(Path(__file__).parents[2] / "fixtures" / "speech" / "capital_of_france.wav")
PCM = VOICE.resampled(24_000).to_pcm16()


def again(body: bytes, *, streamed: bool) -> bytes:
    """The body after it was stored and read from what was stored."""
    taken = taken_apart(body, streamed=streamed)
    known = {kept.name: sound_bytes(kept) for kept in taken.sounds}
    return put_together(taken.lines, known.__getitem__)


def delta(sound: bytes, name: str = "data") -> bytes:
    return b'data: {"audio":{"%s":"%s"}}\n\n' % (name.encode(), base64.b64encode(sound))


@pytest.mark.parametrize("path", sorted(RECORDED.iterdir()), ids=lambda path: path.name)
@pytest.mark.parametrize("streamed", [True, False])
def test_what_a_service_sent_comes_back_to_the_byte(path: Path, streamed: bool) -> None:
    assert again(path.read_bytes(), streamed=streamed) == path.read_bytes()


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_come_back(body: bytes, streamed: bool) -> None:
    assert again(body, streamed=streamed) == body


# What servers write around and inside of their base64, in any order and cut anywhere.
PIECES = st.one_of(
    st.binary(max_size=60),
    st.binary(min_size=12, max_size=90).map(delta),
    st.binary(min_size=12, max_size=90).map(lambda data: delta(data).replace(b"=", b"")),
    st.binary(min_size=12, max_size=90).map(lambda data: b'"data": "' + base64.b64encode(data)),
    st.binary(min_size=12, max_size=90).map(
        lambda data: b"data:audio/wav;base64," + base64.b64encode(data) + b"=="
    ),
    st.binary(min_size=800, max_size=900).map(
        lambda data: b'{"content":"' + base64.b64encode(data) + b'"}\r\n\r\n'
    ),
    st.sampled_from(
        [
            b'"data":"AAAAAAAAAAAAAAAAAAAAAAAAAB=="',
            b'"data":"====',
            b"\xff\xfe\n\n",
            b"\n\n",
            b'"data":"' + base64.b64encode(Clip.from_pcm16(PCM[:200]).to_bytes("wav")) + b'"\n\n',
            b'"data":"' + base64.b64encode(b"OggS" + bytes(40)) + b'"\n\n',
            b'"data":"' + base64.b64encode(b"\xff\xfb\x90\x00" + bytes(41)) + b'"\n\n',
        ]
    ),
)


@given(st.lists(PIECES, max_size=8).map(b"".join), st.booleans(), st.integers(0, 40))
def test_any_base64_comes_back(body: bytes, streamed: bool, cut: int) -> None:
    assert again(body[: len(body) - cut], streamed=streamed) == body[: len(body) - cut]


def test_the_pieces_of_a_stream_are_one_sound_that_can_be_heard() -> None:
    body = b"".join(delta(PCM[start : start + 4_801]) for start in range(0, 48_010, 4_801))
    taken = taken_apart(body, streamed=True)
    (kept,) = taken.sounds
    assert kept.name.endswith(".flac")
    assert Clip.from_bytes(kept.data).to_pcm16() == PCM[:48_010]
    assert len(kept.data) < 0.6 * 48_010
    assert len(taken.lines) == 10
    assert again(body, streamed=True) == body


def test_an_odd_byte_at_the_end_of_a_cut_stream_is_kept() -> None:
    body = delta(PCM[:4_800]) + delta(PCM[4_800:9_601])
    taken = taken_apart(body, streamed=True)
    assert taken.sounds[0].name.endswith(".flac")
    assert again(body, streamed=True) == body


def test_a_header_in_every_piece_is_not_part_of_the_sound() -> None:
    pieces = [Clip.from_pcm16(PCM[at : at + 4_800], 44_100).to_bytes() for at in (0, 4_800)]
    taken = taken_apart(b"".join(map(delta, pieces)), streamed=True)
    (kept,) = taken.sounds
    clip = Clip.from_bytes(kept.data)
    assert (clip.to_pcm16(), clip.sample_rate_hz) == (PCM[:9_600], 44_100)


def test_compressed_sound_is_kept_as_it_is() -> None:
    mp3 = VOICE.to_bytes("mp3")
    body = json.dumps({"audio": {"data": base64.b64encode(mp3).decode()}}).encode()
    (kept,) = taken_apart(body, streamed=False).sounds
    assert kept.name.endswith(".given.mp3")
    assert kept.data == mp3


def test_samples_just_below_zero_are_not_taken_for_mp3() -> None:
    quiet = np.full(4_800, -1, np.int16).tobytes()
    (kept,) = taken_apart(delta(quiet), streamed=True).sounds
    assert kept.name.endswith(".flac")


def test_the_same_sound_twice_is_kept_once() -> None:
    body = delta(PCM[:4_800]) + delta(PCM[:4_800])
    assert len(taken_apart(body, streamed=False).sounds) == 1


def test_words_are_never_taken_for_sound() -> None:
    body = b'data: {"content":"' + b"word" * 200 + b'","id":"' + b"A" * 400 + b'"}\n\n'
    assert taken_apart(body, streamed=True).sounds == ()


def test_a_line_of_the_recording_is_an_event_of_the_stream() -> None:
    taken = taken_apart((RECORDED / "text.plain.sse").read_bytes(), streamed=True)
    assert all(isinstance(line[0], str) and line[0].endswith("\n\n") for line in taken.lines)


def test_a_sound_that_is_not_what_its_name_says_is_refused() -> None:
    (kept,) = taken_apart(delta(PCM[:4_800]), streamed=True).sounds
    other = Clip.from_pcm16(PCM[4_800:9_600]).to_bytes("flac")
    for data in (other, b"", kept.data[:-40]):
        with pytest.raises(UsageError, match="damaged or was replaced"):
            sound_bytes(StoredSound(kept.name, data))


@pytest.mark.parametrize("name", ["../../etc/passwd", "a.flac", "A" * 64 + ".flac", 3, None])
def test_only_the_name_of_a_sound_is_one(name: object) -> None:
    assert not is_sound_name(name)


def test_a_part_names_the_bytes_that_it_stands_for() -> None:
    taken = taken_apart(delta(PCM[:4_800]) + delta(PCM[4_800:9_600]), streamed=True)
    slices = [part for line in taken.lines for part in line if isinstance(part, SoundPart)]
    assert [(part.start, part.end) for part in slices] == [(0, 4_800), (4_800, 9_600)]
