"""What may be said, and what is refused in one sentence before anything is sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import AudioError, UsageError

from .conftest import MakeSession
from .rig import Service, recorded

CLIP = Clip.from_pcm16(b"\x00\x10" * 2400)


def test_text_clips_and_files_are_said_in_their_order(
    make_session: MakeSession, tmp_path: Path
) -> None:
    path = tmp_path / "question.wav"
    CLIP.write(path)
    turn = make_session(Service(recorded())).say(["Listen:", CLIP, path, str(path)])
    assert turn.input[0] == "Listen:"
    assert [part == CLIP for part in turn.input[1:]] == [True, True, True]


def test_a_string_that_only_looks_like_a_file_is_text_and_noticed(
    make_session: MakeSession,
) -> None:
    turn = make_session(Service(recorded())).say("no-such-question.wav")
    assert turn.input == ("no-such-question.wav",)
    assert any("pathlib.Path" in notice for notice in turn.notices)


@pytest.mark.parametrize("text", ["What is a .wav", "one\ntwo.wav", "x" * 5000 + ".wav", "a\0.wav"])
def test_other_text_is_never_looked_up(make_session: MakeSession, text: str) -> None:
    assert make_session(Service(recorded())).say(text).input == (text,)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("", "text is empty"),
        ("  \n", "text is empty"),
        ([], "list is empty"),
        (["Hello", ""], "text is empty"),
        (None, "cannot say None"),
        (7, "cannot say a int"),
        (["Hello", ["nested"]], "cannot say a list"),
        (b"RIFF", "Clip.from_bytes"),
        (np.zeros(10), "Clip.from_array"),
        (Path("no-such.wav"), "there is no file"),
        (Path.cwd(), "there is no file"),
        ({"text": "Hello"}, "cannot say a dict"),
    ],
)
def test_anything_else_is_refused_before_it_is_sent(
    make_session: MakeSession, said: object, sentence: str
) -> None:
    service = Service(recorded())
    session = make_session(service)
    with pytest.raises(UsageError, match=sentence):
        session.say(said)
    assert service.asked == [] and session.turns == ()


def test_a_file_that_is_no_sound_is_refused(make_session: MakeSession, tmp_path: Path) -> None:
    (tmp_path / "fake.wav").write_text("this is no sound")
    with pytest.raises(AudioError):
        make_session(Service(recorded())).say(tmp_path / "fake.wav")


def test_unknown_parameters_are_refused_with_the_nearest_name(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    with pytest.raises(UsageError, match="temperature"):
        session.say("Hello.", temprature=1)
    with pytest.raises(UsageError, match="0…2"):
        session.say("Hello.", temperature=3)
    with pytest.raises(UsageError, match="voice"):
        session.say("Hello.", voice=7)
    assert session.turns == ()


def test_a_written_answer_needs_a_spoken_question(make_session: MakeSession) -> None:
    service = Service(recorded("text.plain.sse"))
    session = make_session(service)
    with pytest.raises(UsageError, match="without sound"):
        session.say("Hello.", voice=None)
    turn = session.say(CLIP, voice=None)
    assert "modalities" not in service.asked[0].body
    assert turn.text and turn.voice is None and turn.notices == ()
