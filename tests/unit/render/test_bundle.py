"""The three MIME types of a finished turn, and where its sound goes."""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from cellvoice.audio import Clip
from cellvoice.render import TURN_MIME, Place, bundle

DATA_URL = re.compile(r'<audio [^>]*src="data:audio/mpeg;base64,([^"]+)"')


def test_a_bundle_has_three_types_and_the_sound_once(spoken_turn: Any) -> None:
    made = bundle(spoken_turn)
    assert set(made) == {TURN_MIME, "text/html", "text/plain"}
    assert json.dumps(made).count("audio/mpeg;base64,") == 1
    json.dumps(made, allow_nan=False)


def test_the_sound_of_the_page_is_the_sound_of_the_turn(make_turn: Any) -> None:
    turn = make_turn(1.0)
    found = DATA_URL.search(str(bundle(turn)["text/html"]))
    assert found is not None
    played = Clip.from_bytes(b64decode(found[1]))
    kept = turn.reply.clip
    assert played.sample_rate_hz == kept.sample_rate_hz
    assert abs(played.duration_s - kept.duration_s) < 0.1
    frames = min(len(played.samples), len(kept.samples))
    assert best_correlation(played.samples[:frames], kept.samples[:frames]) > 0.95


def best_correlation(one: Any, other: Any) -> float:
    """The likeness of two sounds at the best of some shifts: MP3 adds about 1,100 samples."""
    left, right = one.astype(float), other.astype(float)
    best = 0.0
    for shift in range(0, 2_400, 10):
        moved, still = left[shift:], right[: len(right) - shift]
        best = max(best, float(np.corrcoef(moved, still)[0, 1]))
    return best


def test_long_sound_goes_beside_the_notebook_and_is_linked(make_turn: Any, tmp_path: Path) -> None:
    place = Place(tmp_path / "my talk.ipynb", cap_bytes=1_000)
    made = bundle(make_turn(1.0), place)
    (written,) = (tmp_path / "my talk_audio").iterdir()
    assert written.name == f"{hashlib.sha256(written.read_bytes()).hexdigest()[:16]}.mp3"
    card: Any = made[TURN_MIME]
    assert unquote(card["reply"]["sound"]["href"]) == f"my talk_audio/{written.name}"
    page = str(made["text/html"])
    assert f'src="{card["reply"]["sound"]["href"]}"' in page
    assert "beside the notebook" in page
    assert "base64," not in page.replace("svg+xml;base64,", "")
    assert written.name in str(made["text/plain"])


def test_the_same_sound_is_written_once(make_turn: Any, tmp_path: Path) -> None:
    place = Place(tmp_path / "talk.ipynb", cap_bytes=1_000)
    for _ in range(2):
        bundle(make_turn(1.0), place)
    assert len(list((tmp_path / "talk_audio").iterdir())) == 1


def test_a_folder_that_can_not_be_written_is_said_on_the_card(
    make_turn: Any, tmp_path: Path
) -> None:
    (tmp_path / "talk_audio").write_text("a file in the way")
    made = bundle(make_turn(1.0), Place(tmp_path / "talk.ipynb", cap_bytes=1_000))
    card: Any = made[TURN_MIME]
    assert "could not be written" in card["notices"][0]
    assert "turn.clip.write(path)" in str(made["text/html"])


def test_a_turn_without_sound_has_no_player(make_turn: Any) -> None:
    assert "<audio" not in str(bundle(make_turn(0))["text/html"])


def test_text_is_the_transcript_and_one_line_of_facts(spoken_turn: Any) -> None:
    assert str(bundle(spoken_turn)["text/plain"]).splitlines() == [
        "You: Please answer: [sound 0.30 s, heard “what is the capital of france”]",
        "alloy: The capital of France is Paris.",
        "[embedded engine, not gpt-audio · first sound 0.19 s · 0.23 s in all · 66 tokens · $0]",
    ]


def test_a_stopped_turn_says_so_in_text(make_turn: Any) -> None:
    assert "Stopped; what had arrived is kept." in str(
        bundle(make_turn(finish="stopped"))["text/plain"]
    )


def test_sound_that_can_not_be_compressed_still_leaves_a_card(
    make_turn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_mp3(*_: object, **__: object) -> None:
        raise soundfile.LibsndfileError(28)

    # A system's own libsndfile may be older than the one in the wheel.
    monkeypatch.setattr(soundfile, "SoundFile", without_mp3)
    made = bundle(make_turn(0.2))
    card: Any = made[TURN_MIME]
    assert "could not be compressed" in card["notices"][0]
    assert "turn.clip.write('reply.wav')" in str(made["text/plain"])
    assert "Paris." in str(made["text/html"])


def test_a_notebook_with_markup_in_its_name_is_linked_and_not_obeyed(
    make_turn: Any, tmp_path: Path
) -> None:
    name = "\"><img src=x onerror=alert(1)>'&javascript:"
    made = bundle(make_turn(1.0), Place(tmp_path / f"{name}.ipynb", cap_bytes=1_000))
    page = str(made["text/html"])
    assert "<img src=x" not in page
    found = re.search(r'<a href="([^"]+)">', page)
    assert found is not None
    assert (tmp_path / unquote(html.unescape(found[1]))).is_file()
    assert ":" not in found[1] and "'" not in found[1]
