"""A turn with tools outlives its process: its requests, its calls, what they gave."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from cellvoice.client import Cassette
from cellvoice.session import Session

from .conftest import MakeSession, Resume
from .rig import Service
from .tool_rig import calls, messages, spoken, spoken_call


def weather(city: str) -> dict[str, object]:
    """Current weather."""
    return {"city": city}


@dataclass
class Booking:
    city: str


def talk(make_session: MakeSession) -> Session:
    service = Service(
        spoken_call("Let me look.", "weather", '{"city": "Lyon"}'),
        calls(("weather", "{}"), tokens=(10, 2)),
        spoken("It is warm.", sound_s=0.5),
    )
    session = make_session(service)
    session.say("And in Lyon?", tools=[weather])
    return session


def test_a_resumed_turn_has_its_calls_requests_and_trace(
    make_session: MakeSession, resume: Resume
) -> None:
    session = talk(make_session)
    (old,) = session.turns
    (new,) = resume(session).turns
    assert [call.to_json() for call in new.tool_calls] == [
        call.to_json() for call in old.tool_calls
    ]
    assert new.tool_calls[0].result == '{"city": "Lyon"}'
    assert [request.described() for request in new.requests] == [
        request.described() for request in old.requests
    ]
    assert new.trace.to_json() == old.trace.to_json()
    assert new.trace.of_kind("tool")[0].call is new.tool_calls[0]
    assert (new.text, new.usage, new.finish) == (old.text, old.usage, "complete")
    assert float(new.cost) == pytest.approx(old.cost)
    assert old.clip is not None and new.clip == old.clip


def test_a_resumed_conversation_goes_on_as_it_would_have(
    make_session: MakeSession, resume: Resume
) -> None:
    session = talk(make_session)
    history = session.history()
    service = Service(spoken("Fine."))
    again = resume(session, service)
    again.say("Thanks.")
    assert messages(service.asked[0])[:-1] == history
    assert [message["role"] for message in history] == [
        "user", "assistant", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip


def test_the_journal_has_every_message_once(make_session: MakeSession) -> None:
    session = talk(make_session)
    folder = session.journal_folder
    assert folder is not None
    session.close()
    lines = [json.loads(line) for line in (folder / "turns.jsonl").read_text().splitlines()]
    (ended,) = [line for line in lines if line["kind"] == "ended"]
    requests = [one["request"] for one in ended["rounds"]] + [ended["request"]]
    new = [name for request in requests for name in request["new"]]
    assert len(new) == len(set(new)) == 5
    assert [len(request["messages"]) for request in requests] == [1, 3, 5]


def test_a_spoken_object_is_there_again(make_session: MakeSession, resume: Resume) -> None:
    service = Service(calls(("Booking", '{"city": "Lyon"}')), spoken("Booked in Lyon."))
    session = make_session(service, schema=Booking, speak=True)
    assert session.say("Book it.").parsed == Booking("Lyon")
    again = resume(session)
    assert again.turns[0].parsed == {"city": "Lyon"}
    assert again.settings_values()["speak"] is True


def test_an_object_that_did_not_fit_keeps_its_text(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(calls(("Booking", '{"town": 1}'))), schema=Booking)
    session.say("Book it.")
    (turn,) = resume(session).turns
    assert turn.parsed is None and '{"town": 1}' in (turn.parsed_error or "")


def test_a_turn_whose_process_ended_while_a_call_waited_says_so(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = make_session(Service(calls(("weather", '{"city": "Lyon"}'), said="Let me ask.")))
    session.tool(approve="ask")(weather)
    turn = session.say("And in Lyon?")
    assert not turn.done and session.unsent_takes == ()  # all that was handed over is written
    assert session.journal_folder is not None
    copy = tmp_path / "copy" / session.journal_folder.name
    shutil.copytree(session.journal_folder, copy, ignore=shutil.ignore_patterns("lock"))
    again = Session.resume(copy, transport=Service(spoken("Fine.")))
    (half,) = again.turns
    assert (half.finish, half.text) == ("cut", "Let me ask.")
    assert "ended while its tools ran" in half.notices[-1]
    assert "its tools (weather) are only described here" in again.notice
    again.close()


def test_a_recorded_turn_is_replayed_with_its_tools_run_again(
    make_session: MakeSession, tmp_path: Path
) -> None:
    ran: list[str] = []

    def look(city: str) -> str:
        """Look."""
        ran.append(city)
        return "sun"

    service = Service(calls(("look", '{"city": "Lyon"}')), spoken("Sun."))
    tape = Cassette(tmp_path / "lesson", mode="record")
    make_session(service, cassette=tape).say("And in Lyon?", tools=[look])
    replayed = Session(
        "gpt-audio-1.5", cassette=Cassette(tmp_path / "lesson", timing="instant"), journal=False
    )
    turn = replayed.say("And in Lyon?", tools=[look])
    assert turn.text == "Sun." and ran == ["Lyon", "Lyon"] and float(turn.cost) == 0
    replayed.close()
