"""The traps of the wire that only a conversation shows, each told by the sentence that warns."""

from __future__ import annotations

import json

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import ServiceError, StreamBroken

from .conftest import MakeSession
from .rig import (
    SHORTEST_AUDIO_ID,
    SHORTEST_EXPIRES_AT,
    Reply,
    Service,
    event,
    events_of,
    recorded,
    refusal,
    speech,
)

QUESTION = Clip.from_pcm16(b"\x00\x10" * 2_400)
DONE = b"data: [DONE]\n\n"


def piece(delta: dict[str, object], **more: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta, **more}]})


def test_the_words_of_a_spoken_answer_are_its_transcript(make_session: MakeSession) -> None:
    """9. `content` is null on spoken answers; show `audio.transcript`."""
    turn = make_session(Service(recorded())).say("Say hello.")
    assert (turn.text, turn.reply.content) == ("Hello", "")


def test_an_answer_in_text_is_a_complete_turn_with_a_notice(make_session: MakeSession) -> None:
    """9. Handle the opposite (text answer, no audio) as a normal result, not as an error."""
    end = piece({}, finish_reason="stop")
    service = Service(Reply([piece({"content": "Hello"}), end, DONE]))
    session = make_session(service)
    turn = session.say("Say hello.")
    assert (turn.finish, turn.error, turn.text, turn.clip) == ("complete", None, "Hello", None)
    assert any("in text" in notice for notice in turn.notices)
    assert session.history()[-1] == {"role": "assistant", "content": "Hello"}


def test_an_id_that_is_about_to_die_is_replaced_by_the_words(make_session: MakeSession) -> None:
    """10. Drop to a text turn shortly before expiry (clock skew)."""
    now = [SHORTEST_EXPIRES_AT - 1_800.0]
    session = make_session(Service(recorded()), clock=lambda: now[0])
    session.say("one")
    assert session.history()[-1] == {"role": "assistant", "audio": {"id": SHORTEST_AUDIO_ID}}
    now[0] = SHORTEST_EXPIRES_AT - 5.0
    assert session.history()[-1] == {"role": "assistant", "content": "Hello"}


def test_a_lost_sound_is_repaired_once_and_told(make_session: MakeSession) -> None:
    """10. On `audio_not_found` repair the message, retry once; the reply may turn into text."""
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
    assert len(service.asked) == 3
    assert service.asked[2].body["messages"][-2] == {"role": "assistant", "content": "Hello"}
    assert any("may come as text" in notice for notice in turn.notices)


def test_an_id_whose_expiry_is_already_past_is_never_sent(make_session: MakeSession) -> None:
    """10. Audio ids die: one server tells an expiry that is the moment of the reply itself."""
    service = Service(speech(expires_at=int(SHORTEST_EXPIRES_AT) - 1_800))
    session = make_session(service)
    session.say("one")
    session.say("two")
    assert service.asked[1].body["messages"][-2] == {"role": "assistant", "content": "Hello"}


def test_an_earlier_answer_is_sent_as_its_id_and_nothing_else(make_session: MakeSession) -> None:
    """11. On replay send only `{"role":"assistant","audio":{"id"}}`; extra keys are errors."""
    service = Service(recorded())
    session = make_session(service)
    session.say("one")
    session.say("two")
    assert service.asked[1].body["messages"][1] == {
        "role": "assistant",
        "audio": {"id": SHORTEST_AUDIO_ID},
    }


def test_the_running_cost_counts_every_turn_with_what_it_replayed(
    make_session: MakeSession,
) -> None:
    """12. Replayed answers are billed again every turn. Show the running cost."""
    heard_again: dict[str, object] = {
        "prompt_tokens": 142,
        "completion_tokens": 5,
        "total_tokens": 147,
        "prompt_tokens_details": {"audio_tokens": 93, "text_tokens": 49},
        "completion_tokens_details": {"audio_tokens": 0, "text_tokens": 5},
    }
    usage = event({"choices": [], "usage": heard_again})
    second = speech(expires_at=int(SHORTEST_EXPIRES_AT))
    service = Service(recorded(), Reply([*second.pieces[:-1], usage, DONE]))
    session = make_session(service)
    first, again = session.say("one"), session.say("two")
    assert float(again.cost) == pytest.approx((93 * 32 + 49 * 2.5 + 5 * 10) / 1_000_000)
    assert float(session.cost) == pytest.approx(float(first.cost) + float(again.cost))
    assert session.usage.prompt_audio_tokens == 93


def test_nothing_that_the_model_refuses_is_sent_unasked(make_session: MakeSession) -> None:
    """13. Do not send `logprobs`, `top_logprobs`, `response_format`, `prediction` by default."""
    service = Service(recorded())
    make_session(service).say("Say hello.")
    refused = {"logprobs", "top_logprobs", "response_format", "prediction", "temperature", "n"}
    assert refused & set(service.asked[0].body) == set()


def test_a_refused_parameter_is_named(make_session: MakeSession) -> None:
    """13. A 400/403 on them must lead back to the control."""
    words = "Unsupported parameter: 'temperature' is not supported with this model."
    session = make_session(Service(refusal(400, message=words, param="temperature")))
    with pytest.raises(ServiceError, match="temperature") as caught:
        session.say("Say hello.", temperature=0.8)
    assert caught.value.param == "temperature"


def test_a_parameter_that_the_model_is_known_to_refuse_is_told(make_session: MakeSession) -> None:
    """13. UI controls for them must be marked "refused by this model"."""
    turn = make_session(Service(recorded())).say("Say hello.", logprobs=True)
    assert any("refuse" in notice and "logprobs" in notice for notice in turn.notices)


def test_a_low_temperature_without_a_limit_is_warned_of(make_session: MakeSession) -> None:
    """14. temperature 0 can yield endless noise: warn, and always set a limit."""
    session = make_session(Service(recorded()))
    notices = " ".join(session.say("Say hello.", temperature=0).notices)
    assert "temperature" in notices and "noise" in notices
    assert "max_completion_tokens" in notices
    assert session.say("Say hello.", temperature=0.8).notices == ()


@pytest.mark.parametrize(("limit", "finish"), [(16, "length"), (17, "complete")])
def test_a_limit_that_the_stream_does_not_tell_is_seen_in_the_usage(
    make_session: MakeSession, limit: int, finish: str
) -> None:
    """15. A stream does not tell you so: compare usage with the limit."""
    turn = make_session(Service(recorded())).say("Say hello.", max_completion_tokens=limit)
    assert turn.reply.finish_reason is None
    assert turn.finish == finish
    assert any("max_completion_tokens" in notice for notice in turn.notices) == (limit == 16)


def test_a_cost_that_was_not_told_is_estimated_from_the_events_and_says_so(
    make_session: MakeSession,
) -> None:
    """17. Missing details: 20 × seconds received, or choice-less events − 1; mark as estimate."""
    beats = [event({}) for _ in range(41)]
    heard = speech(sound_s=0.5).pieces[:-1]
    session = make_session(Service(Reply([*heard, *beats])))
    with pytest.raises(StreamBroken):
        session.say("Say hello.")
    turn = session.turns[0]
    assert turn.cost.parts.audio_out == (40, pytest.approx(40 * 64 / 1_000_000))
    # And the words: 10 of the request, 2 of the reply.
    assert float(turn.cost) == pytest.approx((10 * 2.5 + 40 * 64 + 2 * 10) / 1_000_000)
    assert turn.cost.estimated and "estimated" in (turn.cost_note or "")


def test_a_turn_with_tool_calls_and_no_sound_is_complete(make_session: MakeSession) -> None:
    """23. Expect a turn with tool calls and no audio; arguments may be invalid JSON."""
    call = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": "{oops"}}
    service = Service(
        Reply([piece({"tool_calls": [call]}), piece({}, finish_reason="tool_calls"), DONE])
    )
    turn = make_session(service).say("What is the weather?")
    assert turn.finish == "complete" and turn.notices == ()
    assert [call.arguments for call in turn.reply.tool_calls] == ["{oops"]


def test_several_answers_are_all_on_the_turn(make_session: MakeSession) -> None:
    """24. `n>1` with audio is unverified: pass it through, keep what comes."""
    pieces = [
        event({"choices": [{"index": index, "delta": {"content": word}}]})
        for index, word in ((0, "Yes"), (1, "No"), (0, "!"))
    ]
    service = Service(Reply([*pieces, b"data: [DONE]\n\n"]))
    turn = make_session(service).say("Really?", n=2)
    assert service.asked[0].body["n"] == 2
    assert turn.text == "Yes!"
    assert [choice.text for choice in turn.reply.choices] == ["Yes!", "No"]


def test_the_model_is_a_setting_and_its_end_is_told_in_time(make_session: MakeSession) -> None:
    """25. `gpt-audio` itself is reported to shut down: make the model a setting."""
    december_2026 = 1_796_500_000.0
    service = Service(recorded())
    session = make_session(service, model="gpt-audio", clock=lambda: december_2026)
    turn = session.say("one")
    assert any("gpt-audio-1.5" in notice for notice in turn.notices)
    session.model = "gpt-audio-1.5"
    session.say("two")
    assert [asked.body["model"] for asked in service.asked] == ["gpt-audio", "gpt-audio-1.5"]


def test_a_model_that_is_gone_names_its_successor(make_session: MakeSession) -> None:
    """25. On 404 `model_not_found` propose `gpt-audio-1.5`."""
    gone = refusal(404, message="The model `gpt-audio` does not exist", code="model_not_found")
    session = make_session(Service(gone), model="gpt-audio")
    with pytest.raises(ServiceError, match=r"gpt-audio-1\.5"):
        session.say("Say hello.")


def test_what_the_user_spoke_stays_sound(make_session: MakeSession) -> None:
    """26. Users' speech is not transcribed in the response; do not invent a user transcript."""
    service = Service(recorded())
    session = make_session(service)
    turn = session.say(QUESTION)
    assert turn.input == (QUESTION,)
    session.say("two")
    for asked in service.asked:
        (part,) = asked.body["messages"][0]["content"]
        assert set(part) == {"type", "input_audio"}


def test_a_stream_of_another_server_makes_an_ordinary_turn(make_session: MakeSession) -> None:
    """27. Other providers send headers in every chunk and omit `[DONE]`."""
    words = piece({"content": "Hello"})
    wav = QUESTION.to_base64("wav")
    sound = event({"choices": [{"index": 0, "delta": {"content": wav}}], "modality": "audio"})
    end = piece({}, finish_reason="stop")
    turn = make_session(Service(Reply([words, sound, sound, end]))).say("Say hello.")
    assert (turn.finish, turn.text) == ("complete", "Hello")
    assert turn.clip is not None and turn.clip.duration_s == pytest.approx(0.2)


def test_a_recording_cut_before_any_event_is_never_a_complete_turn(
    make_session: MakeSession,
) -> None:
    """2. Completeness = id + data + transcript + `expires_at`: anything less is cut."""
    events = events_of()
    needed = next(i for i, one in enumerate(events) if b'"usage":{' in one)
    for count in range(1, needed):
        session = make_session(Service(Reply(events[:count])))
        with pytest.raises(StreamBroken):
            session.say("Say hello.")
        assert session.turns[0].finish in ("cut", "failed")


def test_the_server_s_own_word_of_a_shutdown_counts(make_session: MakeSession) -> None:
    """25. read `shutdown_date` from `/v1/models` when present."""
    listed = {"data": [{"id": "my-model", "shutdown_date": "1970-01-31"}]}
    service = Service(
        Reply([json.dumps(listed).encode()], headers={"content-type": "application/json"})
    )
    session = make_session(service, model="my-model", clock=lambda: 0.0)
    assert session.notice == ""
    (model,) = session.models()
    assert model.id == "my-model"
    assert session.notice == "my-model is to be shut down on 1970-01-31, as the service says"
