"""How earlier answers are repeated: by their sound, by their words, at what price, how many."""

from __future__ import annotations

from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.protocol import STAY_IN_VOICE

from .conftest import MakeSession
from .rig import SHORTEST_EXPIRES_AT, Reply, Service, event, recorded, refusal, speech

NOW = SHORTEST_EXPIRES_AT - 1800.0
LATER = SHORTEST_EXPIRES_AT
QUESTION = Clip.from_pcm16(b"\x00\x10" * 24_000)


def spoken(number: int, expires_at: int = LATER, audio_tokens: int | None = None) -> Reply:
    reply = speech(f"audio_{number}", f"word {number}", expires_at)
    if audio_tokens is None:
        return reply
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": audio_tokens + 5,
        "total_tokens": audio_tokens + 15,
        "prompt_tokens_details": {"audio_tokens": 0, "text_tokens": 10},
        "completion_tokens_details": {"audio_tokens": audio_tokens, "text_tokens": 5},
    }
    pieces = list(reply.pieces)
    return Reply([*pieces[:-1], event({"choices": [], "usage": usage}), pieces[-1]])


def answers(service: Service, request: int = -1) -> list[Any]:
    """The earlier answers of a request: the id of a sound, or words."""
    messages = service.asked[request].body["messages"]
    found = [message for message in messages if message["role"] == "assistant"]
    return [one["audio"]["id"] if "audio" in one else one["content"] for one in found]


def system(service: Service, request: int = -1) -> list[str]:
    messages = service.asked[request].body["messages"]
    return [message["content"] for message in messages if message["role"] == "system"]


def test_each_answer_goes_by_its_sound_until_that_expires(make_session: MakeSession) -> None:
    now = [NOW]
    replies = [spoken(1, LATER), spoken(2, LATER), spoken(3, LATER + 600), spoken(4, LATER + 9999)]
    service = Service(*replies)
    session = make_session(service, clock=lambda: now[0], system="Be brief.")
    first, second, third = [session.say(question) for question in ("one", "two", "three")]
    now[0] = LATER - 60.5
    turn = session.say("in time")
    assert answers(service) == ["audio_1", "audio_2", "audio_3"]
    assert system(service) == ["Be brief."]
    assert set(turn.rungs.values()) == {"audio"}
    now[0] = LATER - 60.0
    turn = session.say("a minute before")
    assert answers(service)[:3] == ["word 1", "word 2", "audio_3"]
    assert turn.rungs[first.id] == turn.rungs[second.id] == "transcript"
    assert turn.rungs[third.id] == "audio"
    now[0] = LATER + 700
    session.say("long after")
    assert answers(service)[:3] == ["word 1", "word 2", "word 3"]
    assert system(service) == [f"Be brief.\n\n{STAY_IN_VOICE}"], "one message, said once"


def test_a_sound_lost_before_its_time_leaves_its_rung_on_the_turn(
    make_session: MakeSession,
) -> None:
    lost = refusal(400, message="Assistant audio audio_1 not found.", code="audio_not_found")
    service = Service(spoken(1), spoken(2), lost, spoken(3))
    session = make_session(service)
    first, second = session.say("one"), session.say("two")
    turn = session.say("three")
    assert answers(service, 2) == ["audio_1", "audio_2"]
    assert answers(service, 3) == ["word 1", "audio_2"]
    assert dict(turn.rungs) == {first.id: "transcript", second.id: "audio"}
    assert any("sound of turn 1" in notice for notice in turn.notices)


def test_a_written_conversation_gets_no_hint_to_speak(make_session: MakeSession) -> None:
    service = Service(spoken(1), spoken(2))
    session = make_session(service, history="transcript")
    session.say(QUESTION)
    session.say(QUESTION, voice=None)
    assert answers(service) == ["word 1"] and system(service) == []


def test_history_by_transcript_repeats_words_and_stays_in_voice(
    make_session: MakeSession,
) -> None:
    service = Service(spoken(1), spoken(2))
    session = make_session(service, history="transcript")
    session.say("one")
    session.say("two")
    assert answers(service) == ["word 1"] and system(service) == [STAY_IN_VOICE]
    session.say("three", history="audio")
    assert answers(service) == ["audio_1", "audio_2"] and system(service) == []
    session.configure(history=None)
    session.say("four")
    assert answers(service)[:2] == ["audio_1", "audio_2"]


def test_only_the_newest_answers_go_as_sound_if_so_many_are_wanted(
    make_session: MakeSession,
) -> None:
    service = Service(*[spoken(number) for number in range(1, 9)])
    session = make_session(service, audio_turns=1)
    for question in ("one", "two", "three", "four"):
        session.say(question)
    assert answers(service) == ["word 1", "word 2", "audio_3"]
    session.say("five", audio_turns=0)
    assert answers(service) == ["word 1", "word 2", "word 3", "word 4"]
    session.say("six", audio_turns=None)
    assert answers(service) == [f"audio_{number}" for number in range(1, 6)]
    assert session.settings_values()["audio_turns"] == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"history": "words"}, "expected 'audio' or 'transcript'"),
        ({"audio_turns": -1}, "whole number from 0"),
        ({"audio_turns": True}, "whole number from 0"),
        ({"audio_turns": 1.5}, "whole number from 0"),
    ],
)
def test_a_choice_that_is_none_is_refused(
    make_session: MakeSession, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        make_session(Service(spoken(1)), **settings)
    session = make_session(Service(spoken(1)))
    with pytest.raises(UsageError, match=words):
        session.say("one", **settings)


def test_what_each_choice_would_cost_is_shown(make_session: MakeSession) -> None:
    service = Service(spoken(1, audio_tokens=93), spoken(2, audio_tokens=40))
    session = make_session(service, audio_turns=1)
    session.say(QUESTION)
    session.say("two")
    prices = session.history_cost()
    assert prices["audio"].audio_tokens == 10 + 93 + 40
    assert prices["now"].audio_tokens == 10 + 40 and prices["now"].answers_as_sound == 1
    assert prices["transcript"].audio_tokens == 10, "what a person said has no transcript"
    dearer = float(prices["audio"].cost) - float(prices["transcript"].cost)
    assert dearer == pytest.approx(133 * 32e-6, rel=0.05) and prices["now"].cost.estimated


def test_the_price_of_a_history_for_an_unknown_model_is_unknown(
    make_session: MakeSession,
) -> None:
    session = make_session(Service(spoken(1)), model="another")
    session.say("one")
    assert session.history_cost()["now"].cost.usd is None


def test_what_the_model_cannot_take_is_refused_before_it_is_sent(
    make_session: MakeSession,
) -> None:
    service = Service(spoken(1))
    session = make_session(service)
    with pytest.raises(UsageError, match=r"takes 128,000; .* too long by itself"):
        session.say("word " * 110_000)
    with pytest.raises(UsageError, match="too long by itself"):
        session.say("word " * 100_000, max_completion_tokens=10_000)
    assert service.asked == [] and session.turns == ()
    session.say("word " * 100_000)
    assert len(service.asked) == 1


def test_what_can_be_left_out_is_proposed_and_fits(make_session: MakeSession) -> None:
    service = Service(*[spoken(number, audio_tokens=50_000) for number in range(1, 9)])
    session = make_session(service)
    session.say("one")
    session.say("two")
    session.say("three")
    with pytest.raises(UsageError, match="audio_turns=2 repeats only the newest"):
        session.say("four")
    session.say("four", audio_turns=2)
    assert answers(service) == ["word 1", "audio_2", "audio_3"]
    with pytest.raises(UsageError, match="history='transcript' repeats the earlier answers"):
        session.say("word " * 80_000)
    session.say("word " * 80_000, history="transcript")
    with pytest.raises(UsageError, match=r"session\.clear\(\) begins anew"):
        session.say("word " * 80_000)


def test_a_turn_that_no_longer_fits_when_its_time_comes_fails_unsent(
    make_session: MakeSession,
) -> None:
    service = Service(spoken(1, audio_tokens=100_000), spoken(2, audio_tokens=100_000))
    session = make_session(service)
    first, second = session.start_turn("one"), session.start_turn("word " * 60_000)
    assert first.wait(10) and second.wait(10)
    assert second.finish == "failed" and isinstance(second.error, UsageError)
    assert len(service.asked) == 1 and second.cost == 0.0


def test_a_changed_system_prompt_holds_from_the_next_turn_and_the_newest_is_sent(
    make_session: MakeSession,
) -> None:
    service = Service(spoken(1), spoken(2), spoken(3))
    session = make_session(service, system="Be brief.")
    session.say("one")
    session.system = "Be long."
    session.say("two")
    assert system(service, 0) == ["Be brief."] and system(service, 1) == ["Be long."]
    session.system = "Be kind."
    shown = [
        message["content"] if message["role"] != "assistant" else "…"
        for message in session.history(system_changes=True)
    ]
    assert shown == ["Be brief.", "one", "…", "Be long.", "two", "…", "Be kind."]
    assert session.history()[0]["role"] == "system"
    assert session.history()[0]["content"] == "Be kind."
    assert not any(turn.stale for turn in session)


def test_an_answer_in_text_where_speech_was_asked_is_named(make_session: MakeSession) -> None:
    text = Reply(
        [
            event({"choices": [{"index": 0, "delta": {"content": "In words."}}]}),
            event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
            b"data: [DONE]\n\n",
        ]
    )
    service = Service(text, recorded())
    session = make_session(service)
    turn = session.say("one")
    assert turn.text == "In words." and any("in text, not in speech" in n for n in turn.notices)
    session.say("two")
    assert answers(service) == ["In words."] and system(service) == [], "it was never spoken"
