"""The trap of endless noise: it is cut, and long speech is not."""

from __future__ import annotations

import base64

import pytest

from .conftest import MakeSession
from .rig import Hold, Reply, Service, event, speech

SECOND = base64.b64encode(b"\x10\x00" * 24_000).decode()


def test_endless_noise_is_cut_and_what_was_said_is_kept(make_session: MakeSession) -> None:
    """14. temperature 0 can yield endless noise. Abort = close the HTTP connection."""
    words = speech(text="Good morning.").pieces[0]
    noise = event({"choices": [{"index": 0, "delta": {"audio": {"data": SECOND}}}]})
    never = Hold()
    service = Service(Reply([words, *[noise] * 60, never]))
    turn = make_session(service).start_turn("Say good morning.")
    assert turn.wait(10), "the noise went on"
    assert service.asked[0].closed.is_set()
    assert turn.text == "Good morning."
    assert turn.clip is not None and turn.clip.duration_s >= 30
    assert any("endless noise" in notice for notice in turn.notices)


def test_a_long_speech_with_its_words_is_left_alone(make_session: MakeSession) -> None:
    """14. The limit is for noise: a minute of speech has a minute of words."""
    pieces = [
        event({"choices": [{"index": 0, "delta": {"audio": audio}}]})
        for _ in range(60)
        for audio in ({"transcript": " and then some"}, {"data": SECOND})
    ]
    end = speech(expires_at=1_780_697_172).pieces[-2:]
    turn = make_session(Service(Reply([*pieces, *end]))).say("Tell me a story.")
    assert turn.finish == "complete" and turn.notices == ()
    assert turn.clip is not None and turn.clip.duration_s == pytest.approx(60)
