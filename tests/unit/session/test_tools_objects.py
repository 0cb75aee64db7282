"""Objects in the same loop: repaired, spoken about, and kept as text where they never fit."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from .conftest import MakeSession
from .rig import Reply, Service
from .test_session_params import text
from .tool_rig import calls, delta, messages, spoken, told, usage


@dataclass
class Booking:
    city: str
    nights: int = 1


RIGHT = ("Booking", '{"city": "Lyon", "nights": 2}')
WRONG = ("Booking", '{"nights": 2}')


def weather(city: str) -> str:
    """Current weather."""
    return f"{city}: sun"


def test_an_object_that_does_not_fit_is_given_back_to_be_repaired(
    make_session: MakeSession,
) -> None:
    service = Service(calls(WRONG), calls(RIGHT))
    turn = make_session(service).say("Book it.", schema=Booking)
    assert turn.parsed == Booking("Lyon", 2) and turn.parsed_error is None
    assert len(turn.requests) == 2 and turn.finish == "complete"
    (error,) = told(service.asked[1])
    assert "city" in error and error.endswith("call Booking again with all of it")
    assert "did not fit and was given back" in turn.notices[0]
    choices = [asked.body["tool_choice"]["function"]["name"] for asked in service.asked]
    assert choices == ["Booking", "Booking"]


def test_a_written_object_is_repaired_as_well(make_session: MakeSession) -> None:
    service = Service(text('{"nights": 2}'), text(RIGHT[1]))
    session = make_session(service, model="a-text-model", voice="alloy")
    turn = session.say("Book it.", schema=Booking, voice=None)
    assert turn.parsed == Booking("Lyon", 2)
    asked = messages(service.asked[1])
    assert [one["role"] for one in asked] == ["user", "assistant", "user"]
    assert asked[2]["content"].startswith("That is no Booking: ")
    # A later turn is not told of what went wrong on the way.
    assert [one["role"] for one in session.history()] == ["user", "assistant"]


@pytest.mark.parametrize(("max_repairs", "requests"), [(0, 1), (1, 2), (None, 3)])
def test_it_ends_and_keeps_the_text(
    make_session: MakeSession, max_repairs: int | None, requests: int
) -> None:
    service = Service(calls(WRONG))
    turn = make_session(service).say("Book it.", schema=Booking, max_repairs=max_repairs)
    assert len(service.asked) == requests
    assert turn.parsed is None and turn.finish == "complete"
    assert (turn.parsed_error or "").endswith('the model wrote: {"nights": 2}')


def test_a_refusal_is_a_refusal(make_session: MakeSession) -> None:
    pieces = [delta({"refusal": "I won't."}), b"data: [DONE]\n\n"]
    service = Service(Reply(pieces))
    turn = make_session(service).say("Book it.", schema=Booking)
    assert turn.finish == "refused" and len(service.asked) == 1 and turn.parsed is None
    assert turn.parsed_error is None


def test_an_object_and_a_spoken_answer_in_one_turn(make_session: MakeSession) -> None:
    service = Service(calls(RIGHT, tokens=(100, 10)), spoken("Two nights.", tokens=(150, 20)))
    session = make_session(service)
    turn = session.say("Book it.", schema=Booking, speak=True)
    assert turn.parsed == Booking("Lyon", 2) and turn.text == "Two nights."
    assert turn.clip is not None and len(turn.requests) == 2
    first, second = (asked.body for asked in service.asked)
    assert first["tool_choice"]["function"]["name"] == "Booking"
    assert second["tool_choice"] == "none" and "response_format" not in second
    assert told(service.asked[1]) == [RIGHT[1]]
    assert turn.usage is not None and turn.usage.total_tokens == 280
    assert turn.cost == pytest.approx((250 * 2.5 + 30 * 10) / 1e6)
    roles = [message["role"] for message in session.history()]
    assert roles == ["user", "assistant", "tool", "assistant"]


def test_the_object_is_forced_by_a_call_also_where_the_model_could_write_it(
    make_session: MakeSession,
) -> None:
    service = Service(calls(RIGHT), spoken("Two nights."))
    session = make_session(service, model="another-model")
    turn = session.say("Book it.", schema=Booking, speak=True)
    assert turn.parsed == Booking("Lyon", 2) and turn.text == "Two nights."
    assert "response_format" not in service.asked[0].body


def test_tools_may_be_called_before_the_object_is_given(make_session: MakeSession) -> None:
    service = Service(calls(("weather", '{"city": "Lyon"}')), calls(RIGHT), spoken("Done."))
    turn = make_session(service).say("Book it.", schema=Booking, tools=[weather], speak=True)
    assert turn.parsed == Booking("Lyon", 2) and turn.text == "Done."
    choices = [asked.body.get("tool_choice") for asked in service.asked]
    assert choices == ["required", "required", "none"]
    assert [call.name for call in turn.tool_calls] == ["weather", "Booking"]


def test_a_repaired_object_may_be_spoken_about(make_session: MakeSession) -> None:
    service = Service(calls(WRONG), calls(RIGHT), spoken("Done."))
    turn = make_session(service).say("Book it.", schema=Booking, speak=True)
    assert turn.parsed == Booking("Lyon", 2) and turn.text == "Done."
    assert [call.state for call in turn.tool_calls] == ["failed", "done"]


def test_what_every_request_used_is_in_the_trace(make_session: MakeSession) -> None:
    one = [delta({"content": '{"nights": 2}'}), delta({}, finish_reason="stop"), usage(10, 5)]
    two = [delta({"content": RIGHT[1]}), delta({}, finish_reason="stop"), usage(30, 5)]
    done = b"data: [DONE]\n\n"
    service = Service(Reply([*one, done]), Reply([*two, done]))
    session = make_session(service, model="a-text-model")
    turn = session.say("Book it.", schema=Booking, voice=None)
    assert [span.tokens for span in turn.trace.of_kind("request")] == [15, 35]
