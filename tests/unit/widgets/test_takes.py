"""Recordings on disk: gaps, repeats, closed tabs, uploads, warnings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import AudioError
from cellvoice.widgets import Takes
from cellvoice.widgets import takes as takes_module

RATE_HZ = 24_000
FRAME = 1_200


def speech(duration_s: float = 1.0, level: float = 0.3) -> bytes:
    at = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return Clip.from_array(np.clip(np.sin(2 * np.pi * 200 * at) * level, -1, 1), RATE_HZ).to_pcm16()


def record(takes: Takes, pcm: bytes, name: str = "t1", skip: set[int] | None = None) -> None:
    takes.start("page", {"take": name, "sample_rate_hz": RATE_HZ, "device": "Microphone"})
    for start in range(0, len(pcm) // 2, FRAME):
        if start // FRAME not in (skip or set()):
            takes.frames({"take": name, "start_frame": start}, pcm[start * 2 : (start + FRAME) * 2])


def stop(takes: Takes, frames: int, name: str = "t1") -> Any:
    return takes.stop({"take": name, "frames": frames})


def test_what_was_recorded_is_what_comes_out_bit_for_bit(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm)
    ready = stop(takes, len(pcm) // 2)
    assert (ready.duration_s, ready.sentence, len(ready.peaks)) == (1.0, "", 96)
    assert takes.clip("t1").to_pcm16() == pcm
    assert (tmp_path / "t1.pcm16").read_bytes() == pcm


def test_every_frame_is_on_disk_before_the_recording_ends(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech(0.5)
    record(takes, pcm)
    assert (tmp_path / "t1.pcm16").read_bytes() == pcm


def test_frames_that_come_twice_change_nothing(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm)
    takes.frames({"take": "t1", "start_frame": 0}, pcm[: FRAME * 2])
    assert stop(takes, len(pcm) // 2).sentence == ""
    assert takes.clip("t1").to_pcm16() == pcm


def test_a_gap_keeps_its_length_and_is_told(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm, skip={3, 4})
    ready = stop(takes, len(pcm) // 2)
    assert "0.10 s of this recording did not arrive" in ready.sentence
    kept = takes.clip("t1").to_pcm16()
    assert len(kept) == len(pcm)
    assert kept[3 * FRAME * 2 : 5 * FRAME * 2] == bytes(2 * FRAME * 2)


def test_missing_frames_at_the_end_are_told(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm, skip={19})
    assert "0.05 s of this recording did not arrive" in stop(takes, len(pcm) // 2).sentence


def test_a_stop_that_comes_twice_gives_the_same_take(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm)
    assert stop(takes, len(pcm) // 2) == stop(takes, len(pcm) // 2)


def test_a_discarded_take_leaves_nothing(tmp_path: Path) -> None:
    takes = Takes(tmp_path)
    record(takes, speech())
    takes.discard({"take": "t1"})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(AudioError, match="record it again"):
        takes.clip("t1")


def test_a_take_whose_page_closed_is_kept_and_can_be_sent(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm)
    (ready,) = takes.abandon("page")
    assert "closed while recording" in ready.sentence
    assert takes.clip(ready.take).to_pcm16() == pcm


def test_another_page_can_not_end_a_recording(tmp_path: Path) -> None:
    takes = Takes(tmp_path)
    record(takes, speech())
    assert takes.abandon("other") == []
    assert takes.recording_pages == {"page"}


def test_ending_the_wait_says_where_the_recording_lies(tmp_path: Path) -> None:
    takes = Takes(tmp_path)
    record(takes, speech())
    assert takes.keep() == [tmp_path / "t1.pcm16"]


def test_without_a_folder_takes_lie_in_a_temporary_one() -> None:
    takes, pcm = Takes(), speech(0.3)
    record(takes, pcm)
    assert (takes.folder / "t1.pcm16").read_bytes() == pcm
    assert stop(takes, len(pcm) // 2).duration_s == 0.3


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a\\b", "x" * 65, "ä", None, 5, "a\n"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: object) -> None:
    with pytest.raises(AudioError, match="name"):
        Takes(tmp_path).start("page", {"take": name, "sample_rate_hz": RATE_HZ})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate_hz", [0, -1, 24_000.5, "24000", None, 10**9])
def test_a_rate_that_makes_no_sense_is_refused(tmp_path: Path, rate_hz: object) -> None:
    with pytest.raises(AudioError, match="Hz"):
        Takes(tmp_path).start("page", {"take": "t1", "sample_rate_hz": rate_hz})


@pytest.mark.parametrize("start", [-1, "0", None, 10**12])
def test_frames_at_impossible_places_are_ignored(tmp_path: Path, start: object) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm)
    takes.frames({"take": "t1", "start_frame": start}, b"\1\1" * 10)
    stop(takes, len(pcm) // 2)
    assert takes.clip("t1").to_pcm16() == pcm


def test_a_disk_that_is_full_loses_nothing_and_is_named(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    resource = pytest.importorskip("resource", reason="this system has no such limit")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    # In the middle of a frame, so that the last write takes a part of it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_001, usual[1]))
    try:
        record(takes, pcm)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    sentence = stop(takes, len(pcm) // 2).sentence
    assert sentence.startswith("The disk did not take this recording (File too large)")
    assert "send it now" in sentence
    assert takes.clip("t1").to_pcm16() == pcm


def test_a_folder_that_can_not_be_made_loses_nothing_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "way").write_text("a file in the way")
    takes, pcm = Takes(tmp_path / "way" / "takes"), speech()
    record(takes, pcm)
    assert "The disk did not take this recording" in stop(takes, len(pcm) // 2).sentence
    assert takes.clip("t1").to_pcm16() == pcm


def test_a_removed_take_leaves_the_folder_of_others(tmp_path: Path) -> None:
    takes, pcm = Takes(tmp_path), speech()
    record(takes, pcm)
    stop(takes, len(pcm) // 2)
    takes.sent("t1")
    assert (tmp_path / "t1.pcm16").exists()
    for name in ("../t1", None, "t1", "t1"):
        takes.remove(name)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_recording_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    takes = Takes(tmp_path)
    record(takes, b"")
    with pytest.raises(AudioError, match="microphone"):
        stop(takes, 0)


@pytest.mark.parametrize(
    ("pcm", "words"),
    [
        (speech(0.1), "Only 0.10 s"),
        (bytes(2 * RATE_HZ), "Nothing was heard"),
        (speech(1.0, level=0.001), "Nothing was heard"),
        (speech(1.0, level=5.0), "clipped"),
        (speech(1.0), ""),
    ],
    ids=["short", "silent", "faint", "clipped", "fine"],
)
def test_a_recording_is_judged_in_one_sentence(tmp_path: Path, pcm: bytes, words: str) -> None:
    takes = Takes(tmp_path)
    record(takes, pcm)
    sentence = stop(takes, len(pcm) // 2).sentence
    assert words in sentence
    assert bool(words) == bool(sentence)


@pytest.mark.parametrize("encoding", ["wav", "flac", "mp3", "opus"])
def test_an_uploaded_file_becomes_a_take(tmp_path: Path, encoding: str) -> None:
    takes = Takes(tmp_path)
    content = Clip.from_pcm16(speech(), RATE_HZ).to_bytes(encoding)
    ready = takes.upload("u1", {"name": f"question.{encoding}"}, (content[:100], content[100:]))
    assert abs(ready.duration_s - 1.0) < 0.1
    assert abs(takes.clip("u1").duration_s - 1.0) < 0.1


def test_an_upload_that_is_no_sound_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(AudioError):
        Takes(tmp_path).upload("u1", {"name": "letter.txt"}, (b"Dear all,",))


def test_an_upload_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takes_module, "LARGEST_UPLOAD_BYTES", 1_000)
    with pytest.raises(AudioError, match="MB, expected at most"):
        Takes(tmp_path).upload("u1", {"name": "talk.wav"}, (bytes(1_001),))
