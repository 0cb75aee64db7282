"""The conversation so far, as the next request has it."""

from __future__ import annotations

import json

import httpx
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import CellvoiceError, ServiceError
from cellvoice.protocol import STAY_IN_VOICE

from .conftest import MakeSession
from .rig import (
    SHORTEST_AUDIO_ID,
    SHORTEST_EXPIRES_AT,
    Hold,
    Reply,
    Service,
    events_of,
    recorded,
    refusal,
    speech,
)

QUESTION = Clip.from_pcm16(b"\x00\x10" * 2400)


def test_a_second_turn_is_asked_as_the_service_was_seen_to_accept_it(
    make_session: MakeSession,
) -> None:
    service = Service(recorded())
    session = make_session(service)
    session.say(QUESTION)
    session.say(["Please answer the following spoken question:", QUESTION])
    body = service.asked[1].body
    assert body["modalities"] == ["text", "audio"]
    assert body["audio"] == {"voice": "alloy", "format": "pcm16"}
    first, answer, second = body["messages"]
    assert [part["type"] for part in first["content"]] == ["input_audio"]
    assert answer == {"role": "assistant", "audio": {"id": SHORTEST_AUDIO_ID}}
    assert [part["type"] for part in second["content"]] == ["text", "input_audio"]
    assert second["content"][1]["input_audio"]["format"] == "wav"
    assert first["role"] == second["role"] == "user"


def test_only_what_was_set_is_sent(make_session: MakeSession) -> None:
    service = Service(recorded())
    make_session(service, temperature=0.7).say("Say hello.", seed=7)
    body = service.asked[0].body
    assert set(body) == {
        "model",
        "messages",
        "modalities",
        "audio",
        "stream",
        "stream_options",
        "temperature",
        "seed",
    }
    assert (body["temperature"], body["seed"]) == (0.7, 7)


def test_overrides_hold_for_one_turn(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service, system="Be brief.", temperature=0.7)
    session.say("one", voice="cedar", model="gpt-audio", temperature=None, system="Be long.")
    session.say("two")
    first, second = (asked.body for asked in service.asked)
    assert (first["audio"]["voice"], first["model"]) == ("cedar", "gpt-audio")
    assert "temperature" not in first
    assert first["messages"][0] == {"role": "system", "content": "Be long."}
    assert (second["audio"]["voice"], second["model"]) == ("alloy", "gpt-audio-1.5")
    assert second["temperature"] == 0.7
    assert second["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_setting_changed_in_between_holds_from_the_next_turn(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service)
    session.say("one")
    session.voice, session.system, session.model = "cedar", "Be brief.", "gpt-audio"
    session.say("two")
    body = service.asked[1].body
    assert (body["audio"]["voice"], body["model"]) == ("cedar", "gpt-audio")
    assert body["messages"][0]["content"] == "Be brief."


@pytest.mark.parametrize(
    ("left_s", "answer"),
    [
        (61.0, {"role": "assistant", "audio": {"id": SHORTEST_AUDIO_ID}}),
        (60.0, {"role": "assistant", "content": "Hello"}),
        (-1.0, {"role": "assistant", "content": "Hello"}),
    ],
)
def test_a_minute_before_its_sound_expires_an_answer_goes_as_its_words(
    make_session: MakeSession, left_s: float, answer: dict[str, object]
) -> None:
    service = Service(recorded())
    session = make_session(service, clock=lambda: SHORTEST_EXPIRES_AT - left_s)
    session.say("one")
    assert session.history()[-1] == answer
    session.say("two")
    assert service.asked[1].body["messages"][-2] == answer


def test_an_answer_whose_expiry_was_not_told_goes_as_its_words(make_session: MakeSession) -> None:
    session = make_session(Service(speech(text="Hello")))
    session.say("one")
    assert session.history()[-1] == {"role": "assistant", "content": "Hello"}


def test_a_failed_turn_is_left_out(make_session: MakeSession) -> None:
    service = Service(Reply([httpx.ConnectError("refused")]), recorded())
    session = make_session(service)
    with pytest.raises(CellvoiceError):
        session.say("lost")
    session.say("two")
    assert [message["content"] for message in service.asked[1].body["messages"]] == ["two"]
    assert [turn.finish for turn in session.turns] == ["failed", "complete"]


def test_a_stopped_answer_goes_as_the_words_that_came(make_session: MakeSession) -> None:
    hold = Hold()
    service = Service(Reply([*events_of()[:-1], hold]), recorded())
    session = make_session(service)
    turn = session.start_turn("one")
    hold.wait_until_reached()
    turn.stop()
    turn.wait(10)
    # It has an id and an expiry, but whether the service keeps an aborted answer is not known.
    assert turn.reply.audio_id == SHORTEST_AUDIO_ID and turn.expires_at == SHORTEST_EXPIRES_AT
    assert session.history() == [
        {"role": "system", "content": STAY_IN_VOICE},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "Hello"},
    ]


def test_a_turn_stopped_before_a_word_is_left_out(make_session: MakeSession) -> None:
    hold = Hold()
    session = make_session(Service(Reply([hold])))
    turn = session.start_turn("one")
    hold.wait_until_reached()
    turn.stop()
    turn.wait(10)
    assert session.history() == []
    assert turn.notices == ("stopped before anything was heard",)


def test_a_lost_sound_is_replaced_by_its_words_and_asked_once_more(
    make_session: MakeSession,
) -> None:
    lost = refusal(
        400,
        message=f"Assistant audio {SHORTEST_AUDIO_ID} not found.",
        code="audio_not_found",
        param="content.messages[1].audio.id",
    )
    service = Service(recorded(), lost, recorded())
    session = make_session(service)
    session.say("one")
    turn = session.say("two")
    assert turn.finish == "complete"
    assert any("sound of turn 1" in notice for notice in turn.notices)
    answers = [asked.body["messages"][-2] for asked in service.asked[1:]]
    assert answers == [
        {"role": "assistant", "audio": {"id": SHORTEST_AUDIO_ID}},
        {"role": "assistant", "content": "Hello"},
    ]
    session.say("three")
    assert {"role": "assistant", "content": "Hello"} in service.asked[3].body["messages"]


def test_a_service_that_was_started_anew_has_lost_every_sound(make_session: MakeSession) -> None:
    def lost(number: int) -> Reply:
        message = f"Assistant audio audio_{number} not found."
        return refusal(400, message=message, code="audio_not_found")

    later = SHORTEST_EXPIRES_AT
    spoken = [speech(f"audio_{number}", f"word {number}", later) for number in range(1, 5)]
    service = Service(*spoken, lost(1), lost(2), recorded())
    session = make_session(service)
    for _ in spoken:
        session.say("one more")
    turn = session.say("and now?")
    assert turn.finish == "complete"
    assert [message["content"] for message in service.asked[-1].body["messages"][2::2]] == [
        f"word {number}" for number in range(1, 5)
    ]
    assert len(service.asked) == 7


def test_a_sound_that_stays_lost_is_an_error_after_one_repair(make_session: MakeSession) -> None:
    lost = refusal(400, message="Assistant audio x not found.", code="audio_not_found")
    service = Service(recorded(), lost)
    session = make_session(service)
    session.say("one")
    with pytest.raises(ServiceError, match="not found"):
        session.say("two")
    assert len(service.asked) == 3


def test_the_history_is_a_copy(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    session.say("one")
    before = json.dumps(session.history())
    for message in session.history():
        message.clear()
    assert json.dumps(session.history()) == before
