"""What a stream shows only at the level of a turn: noise, several replies, missing sound."""

from __future__ import annotations

import base64
import json

import pytest

from cellvoice.errors import UsageError

from .conftest import MakeSession
from .rig import Reply, Service, event, speech

SECOND = base64.b64encode(b"\x10\x00" * 24_000).decode()
DONE = b"data: [DONE]\n\n"


def spoken(**audio: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"audio": audio}}]})


def wordless(seconds: int) -> Reply:
    pieces = [spoken(data=SECOND) for _ in range(seconds)]
    return Reply([spoken(id="audio_1"), *pieces, spoken(expires_at=1_780_697_172), DONE])


def test_noise_is_cut_after_the_time_that_was_given(make_session: MakeSession) -> None:
    service = Service(wordless(12))
    session = make_session(service, guard=5)
    turn = session.say("Make noise.", max_completion_tokens=400)
    assert turn.finish == "stopped" and turn.error is None
    assert turn.clip is not None and turn.clip.duration_s == 6.0
    assert any("up to 14 s more" in notice for notice in turn.notices)
    assert session.say("Again.", guard=8).reply.received_s == 9.0


def test_noise_that_was_asked_for_goes_on(make_session: MakeSession) -> None:
    turn = make_session(Service(wordless(40)), guard=False).say("Play the sound of rain.")
    assert (turn.finish, turn.reply.received_s) == ("complete", 40.0)


def test_a_guard_that_is_none_is_refused(make_session: MakeSession) -> None:
    with pytest.raises(UsageError, match="guard='loud'"):
        make_session(Service(wordless(1)), guard="loud")


def test_words_without_their_sound_are_named(make_session: MakeSession) -> None:
    turn = make_session(Service(Reply([spoken(id="audio_1", transcript="Hi."), DONE]))).say("Hi.")
    assert turn.text == "Hi."
    assert turn.notices == ("the service sent the words of its speech but no sound; ask again",)


def test_speech_that_was_announced_and_never_came_is_named(make_session: MakeSession) -> None:
    turn = make_session(Service(Reply([spoken(id="audio_1"), DONE]))).say("Hi.")
    assert turn.notices == ("the service announced speech and sent none of it; ask again",)


def test_a_limit_shows_by_the_tokens_that_were_used(make_session: MakeSession) -> None:
    used = event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 16_384}})
    whole = Reply([*speech().pieces[:-1], used, spoken(expires_at=1_780_697_172), DONE])
    turn = make_session(Service(whole)).say("Go on for ever.")
    assert turn.finish == "length"
    assert turn.notices == ("the reply was cut at the model's own limit; ask it to go on",)


def test_a_limit_shows_by_the_speech_when_usage_is_missing(make_session: MakeSession) -> None:
    beats = [event({"usage": None})] * 41
    whole = Reply([*speech().pieces[:-1], *beats, spoken(expires_at=1_780_697_172), DONE])
    assert make_session(Service(whole)).say("Go on.", max_completion_tokens=40).finish == "length"
    assert make_session(Service(whole)).say("Go on.", max_completion_tokens=41).finish == "complete"


def test_all_replies_of_one_turn_are_there(make_session: MakeSession) -> None:
    texts = ["Paris.", "Lyon."]
    chunk = {"choices": [{"index": i, "delta": {"content": text}} for i, text in enumerate(texts)]}
    turn = make_session(Service(Reply([event(chunk), DONE])), voice=None, model="gpt-x").say(
        "A city?", n=2
    )
    assert json.loads(turn.request.body())["n"] == 2 if turn.request else False
    assert [choice.text for choice in turn.choices] == texts
    assert turn.text == "Paris."


def test_the_probabilities_of_a_turn_are_there(make_session: MakeSession) -> None:
    rows = [{"token": "Yes", "logprob": -0.1, "bytes": [89, 101, 115], "top_logprobs": []}]
    choice = {"index": 0, "delta": {"content": "Yes"}, "logprobs": {"content": rows}}
    service = Service(Reply([event({"choices": [choice]}), DONE]))
    session = make_session(service, voice=None, model="gpt-x")
    turn = session.say("Is it?", top_logprobs=0)
    assert turn.logprobs is not None
    assert (turn.logprobs.content, turn.logprobs.text) == (rows, "Yes")
    assert service.asked[0].body["logprobs"] is True
