"""What came over the wire for a turn: of all its requests, also where they were refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cellvoice.client.cassette import Cassette, Clocks
from cellvoice.errors import CellvoiceError
from cellvoice.session import Session

from .conftest import MakeSession, Resume
from .rig import SHORTEST, Hold, Reply, Service, events_of, recorded, refusal, speech
from .tool_rig import calls, spoken

KEY = "sk-proj-abcdefghijklmnop1234"


def payloads(reply: Reply) -> int:
    return sum(isinstance(piece, bytes) for piece in reply.pieces)


def test_every_event_of_a_turn_is_there_without_its_sound(make_session: MakeSession) -> None:
    turn = make_session(Service(recorded())).say("Hi.")
    events = turn.events
    assert len(events) == len(events_of(SHORTEST)) and events.left_out == 0
    assert {event.round for event in events} == {1} and turn.events_kept
    times_s = [event.at_s for event in events]
    assert times_s == sorted(times_s) and times_s[0] > 0
    assert turn.timing.total_s is not None and times_s[-1] <= turn.timing.total_s
    assert max(len(event.text) for event in events) < 1_000
    assert sum("⟨pcm16 " in event.text for event in events) > 1


def test_a_turn_that_runs_tells_what_has_come_so_far(make_session: MakeSession) -> None:
    hold, pieces = Hold(), events_of(SHORTEST)
    session = make_session(Service(Reply([*pieces[:4], hold, *pieces[4:]])))
    turn = session.start_turn("Hi.")
    hold.wait_until_reached()
    assert len(turn.events) == 4
    hold.release()
    turn.wait()
    assert len(turn.events) == len(pieces)


def test_each_request_of_a_tool_loop_has_its_round(make_session: MakeSession) -> None:
    def weather(city: str) -> str:
        """The weather."""
        return f"sunny in {city}"

    asked, answered = calls(("weather", '{"city": "Lyon"}')), spoken("Sunny.")
    turn = make_session(Service(asked, answered)).say("Weather?", tools=[weather])
    assert len(turn.events.of_round(1)) == payloads(asked)
    assert len(turn.events.of_round(2)) == payloads(answered)
    assert turn.events.of_round(2)[0].at_s > turn.events.of_round(1)[-1].at_s


def test_a_refusal_is_an_event_with_its_status_and_without_keys(make_session: MakeSession) -> None:
    told = f"Incorrect API key provided: {KEY}."
    service = Service(refusal(401, message=told, code="invalid_api_key"))
    with pytest.raises(CellvoiceError) as caught:
        make_session(service, api_key=KEY).say("Hi.")
    (event,) = caught.value.turn.events  # type: ignore[union-attr]
    assert event.status == 401 and event.data["error"]["code"] == "invalid_api_key"
    assert KEY not in event.text and "sk-" not in event.text


def test_what_was_refused_before_it_was_repaired_is_there(make_session: MakeSession) -> None:
    no = refusal(400, message="Unsupported parameter: 'seed'.", param="seed")
    turn = make_session(Service(no, speech())).say("Hi.", seed=3)
    assert [event.status for event in turn.events] == [400, None, None, None]
    assert {event.round for event in turn.events} == {1}


def test_the_sessions_own_key_is_masked_wherever_it_stands(make_session: MakeSession) -> None:
    own = "my-very-own-token"
    echo = b"data: " + json.dumps({"id": "c1", "echo": f"it is {own} here"}).encode() + b"\n\n"
    service = Service(Reply([echo, *speech().pieces]))
    turn = make_session(service, api_key=own).say("Hi.")
    assert turn.events[0].data["echo"] == "it is *** here"


def test_in_replay_the_events_come_again(tmp_path: Path) -> None:
    clocks = Clocks(now=lambda: 1_795_600_000.0)
    with Session(
        transport=Service(recorded()),
        journal=False,
        cassette=Cassette(tmp_path / "lesson", "record", clocks=clocks),
    ) as session:
        first = session.say("Hi.").events
    replay = Cassette(tmp_path / "lesson", timing="instant", clocks=clocks)
    with Session(cassette=replay, journal=False) as session:
        again = session.say("Hi.").events
    assert [event.text for event in again] == [event.text for event in first]


def test_a_turn_that_is_resumed_has_none_and_says_so(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(recorded()))
    session.say("Hi.")
    (turn,) = resume(session).turns
    assert turn.text and len(turn.events) == 0 and not turn.events_kept


def test_a_branch_has_the_events_of_the_turns_that_it_shares(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), journal=False)
    turn = session.say("Hi.")
    with session.fork(journal=False) as branch:
        assert len(branch.turns[0].events) == len(turn.events)
