"""One turn: what is kept of it, how it ends, and what it cost."""

from __future__ import annotations

import httpx
import pytest

from cellvoice.errors import AuthError, ConnectionFailed, ServiceError, StreamBroken

from .conftest import MakeSession
from .rig import (
    RECORDED,
    SHORTEST,
    Hold,
    Reply,
    Service,
    event,
    events_of,
    recorded,
    refusal,
    sound_in,
    speech,
)


def test_a_spoken_reply_is_kept_sample_for_sample(make_session: MakeSession) -> None:
    turn = make_session(Service(recorded())).say("Say hello.")
    assert turn.finish == "complete"
    assert turn.text == "Hello"
    assert turn.clip is not None
    assert turn.clip.samples.tobytes() == sound_in((RECORDED / SHORTEST).read_bytes())
    assert turn.clip.sample_rate_hz == 24_000
    assert turn.model == "gpt-audio-1.5"
    assert turn.request_id == "req_1"


def test_cost_is_the_usage_at_the_models_prices(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    turn = session.say("Say hello.")
    # 18 text tokens in; 11 audio and 5 text tokens out.
    assert float(turn.cost) == pytest.approx((18 * 2.5 + 11 * 64 + 5 * 10) / 1_000_000)
    assert turn.cost_note is None and not turn.cost.estimated
    session.say("Again.")
    assert float(session.cost) == pytest.approx(2 * float(turn.cost))
    assert session.usage.completion_tokens == 32


def test_without_usage_the_cost_is_estimated_and_says_so(make_session: MakeSession) -> None:
    turn = make_session(Service(speech(sound_s=2.0, expires_at=1))).say("Say hello.")
    assert turn.usage is None
    # 3 text tokens in 10 letters and 7 around them; 40 of sound and 2 of text come back.
    assert float(turn.cost) == pytest.approx((10 * 2.5 + 40 * 64 + 2 * 10) / 1_000_000)
    assert turn.cost.estimated
    assert turn.cost_note is not None and "estimated" in turn.cost_note


def test_a_model_without_a_known_price_has_an_unknown_cost(make_session: MakeSession) -> None:
    events = [part.replace(b"gpt-audio-1.5", b"some-model") for part in events_of()]
    session = make_session(Service(Reply(events)), model="some-model")
    turn = session.say("Say hello.")
    assert turn.cost_usd is None
    assert "some-model" in (turn.cost_note or "")
    assert float(session.cost) == 0.0 and session.cost.estimated


def test_text_and_sound_grow_while_the_reply_comes(make_session: MakeSession) -> None:
    events = events_of()
    first_sound = next(i for i, part in enumerate(events) if b'"data":"' in part)
    words, sound = Hold(), Hold()
    pieces = [*events[:first_sound], words, events[first_sound], sound, *events[first_sound + 1 :]]
    session = make_session(Service(Reply(pieces)))
    turn = session.start_turn("Say hello.")
    words.wait_until_reached()
    assert (turn.text, turn.clip, turn.finish, turn.done) == ("Hello", None, None, False)
    assert session.turns == (turn,)
    words.release()
    sound.wait_until_reached()
    assert turn.clip is not None
    heard_s = turn.clip.duration_s
    sound.release()
    assert turn.wait(10)
    assert turn.clip is not None and turn.clip.duration_s > heard_s > 0
    assert turn.finish == "complete"


def test_timing_counts_from_sending(make_session: MakeSession) -> None:
    timing = make_session(Service(recorded())).say("Say hello.").timing
    assert timing.first_event_s is not None
    assert timing.first_sound_s is not None
    assert timing.total_s is not None
    # Eight events with a pause before each come between the first one and the sound.
    assert 0 < timing.first_event_s < timing.first_sound_s - 0.008 < timing.total_s


def test_a_stopped_turn_keeps_what_came_and_closes_the_connection(
    make_session: MakeSession,
) -> None:
    hold = Hold()
    events = events_of()
    service = Service(Reply([*events[:-4], hold, *events[-4:]]))
    turn = make_session(service).start_turn("Say hello.")
    hold.wait_until_reached()
    turn.stop()
    assert turn.wait(10)
    assert (turn.finish, turn.text, turn.error) == ("stopped", "Hello", None)
    assert turn.clip is not None
    assert service.asked[0].closed.is_set()


def test_stopping_twice_or_after_the_end_does_nothing(make_session: MakeSession) -> None:
    turn = make_session(Service(recorded())).say("Say hello.")
    turn.stop()
    turn.stop()
    assert turn.finish == "complete"


def test_a_turn_that_waits_for_another_can_be_stopped(make_session: MakeSession) -> None:
    hold = Hold()
    service = Service(Reply([hold, *events_of()]), recorded())
    session = make_session(service)
    first, second = session.start_turn("one"), session.start_turn("two")
    hold.wait_until_reached()
    second.stop()
    assert second.wait(10)
    assert second.finish == "stopped" and second.request is None
    assert float(second.cost) == 0.0
    assert first.finish is None
    hold.release()
    assert first.wait(10) and first.finish == "complete"
    assert len(service.asked) == 1


def test_turns_of_one_session_run_one_at_a_time_in_order(make_session: MakeSession) -> None:
    hold = Hold()
    events = events_of()
    service = Service(Reply([*events[:3], hold, *events[3:]]), recorded())
    session = make_session(service)
    first = session.start_turn("one")
    second = session.start_turn("two")
    hold.wait_until_reached()
    assert len(service.asked) == 1
    hold.release()
    assert first.wait(10) and second.wait(10)
    assert [turn.number for turn in session.turns] == [1, 2]
    said = [message["content"] for message in service.asked[1].body["messages"][::2]]
    assert said == ["one", "two"]


def test_a_cut_connection_keeps_the_text_and_raises(make_session: MakeSession) -> None:
    cut = httpx.RemoteProtocolError("peer closed connection")
    session = make_session(Service(Reply([*events_of()[:-3], cut])))
    with pytest.raises(StreamBroken) as caught:
        session.say("Say hello.")
    turn = caught.value.turn
    assert turn is session.turns[0]
    assert (turn.finish, turn.text) == ("cut", "Hello")
    assert turn.error is caught.value
    assert turn.clip is not None and turn.clip.duration_s > 0
    assert turn.cost.estimated


def test_a_body_that_ends_early_without_a_fault_is_cut_as_well(make_session: MakeSession) -> None:
    session = make_session(Service(Reply(events_of()[:-3])))
    with pytest.raises(StreamBroken):
        session.say("Say hello.")
    assert session.turns[0].finish == "cut"


def test_an_empty_reply_is_a_failure(make_session: MakeSession) -> None:
    session = make_session(Service(Reply([])))
    with pytest.raises(StreamBroken):
        session.say("Say hello.")
    assert session.turns[0].finish == "failed"


def test_an_error_in_the_middle_keeps_what_came(make_session: MakeSession) -> None:
    body: dict[str, object] = {
        "error": {"message": "The server had an error.", "type": "server_error", "code": None}
    }
    session = make_session(Service(Reply([*events_of()[:6], event(body), b"data: [DONE]\n\n"])))
    with pytest.raises(ServiceError, match="The server had an error") as caught:
        session.say("Say hello.")
    assert caught.value.turn is not None
    assert (caught.value.turn.finish, caught.value.turn.text) == ("cut", "Hello")
    assert caught.value.request_id == "req_1"


def test_a_refused_request_fails_with_nothing_to_pay(make_session: MakeSession) -> None:
    session = make_session(Service(refusal(400, message="Invalid value: 'x'.", param="model")))
    with pytest.raises(ServiceError, match="Invalid value"):
        session.say("Say hello.")
    turn = session.turns[0]
    assert turn.finish == "failed" and float(turn.cost) == 0.0
    assert turn.timing.first_event_s is None


def test_a_wrong_key_is_the_accounts_business(make_session: MakeSession) -> None:
    session = make_session(
        Service(refusal(401, message="Incorrect API key provided: a-key.", code="invalid_api_key")),
        api_key="a-key-that-is-wrong",
    )
    with pytest.raises(AuthError) as caught:
        session.say("Say hello.")
    assert caught.value.status == 401
    assert "\n" not in str(caught.value)


def test_no_answer_says_what_to_check(make_session: MakeSession) -> None:
    session = make_session(Service(Reply([httpx.ConnectError("refused")])))
    with pytest.raises(ConnectionFailed, match="check the network"):
        session.say("Say hello.")
    assert session.turns[0].finish == "failed"


def test_the_models_refusal_is_told_and_goes_into_the_history(make_session: MakeSession) -> None:
    # The recording named after a refusal has it as plain text, so this one is made.
    pieces = [
        event({"choices": [{"index": 0, "delta": {"refusal": text}, "finish_reason": None}]})
        for text in ("I'm sorry,", " no.")
    ]
    end = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    session = make_session(Service(Reply([*pieces, end, b"data: [DONE]\n\n"])))
    turn = session.say("How to rob a bank?")
    assert (turn.finish, turn.reply.refusal, turn.text) == ("refused", "I'm sorry, no.", "")
    assert turn.clip is None
    assert session.history()[-1] == {"role": "assistant", "content": "I'm sorry, no."}


def test_a_reply_cut_by_the_limit_is_told(make_session: MakeSession) -> None:
    turn = make_session(Service(recorded("text.finish-length.sse"))).say("Count.")
    assert turn.finish == "length"
    assert any("limit" in notice for notice in turn.notices)


def test_the_limit_is_seen_in_the_count_where_no_reason_is_given(
    make_session: MakeSession,
) -> None:
    session = make_session(Service(recorded()))
    assert session.say("Say hello.", max_completion_tokens=17).finish == "complete"
    turn = session.say("Say hello.", max_completion_tokens=16)
    assert turn.finish == "length"
    assert any("max_completion_tokens=16" in notice for notice in turn.notices)


def test_a_written_answer_where_speech_was_asked_for_is_noticed(
    make_session: MakeSession,
) -> None:
    turn = make_session(Service(recorded("text.plain.sse"))).say("Say hello.")
    assert turn.finish == "complete" and turn.text
    assert any("in text, not in speech" in notice for notice in turn.notices)
