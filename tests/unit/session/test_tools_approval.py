"""Calls that wait for a person: decided once, for what was shown, and the turn goes on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellvoice.errors import UsageError
from cellvoice.protocol import Event
from cellvoice.session import Session, Turn
from cellvoice.session.tools import PendingCall
from cellvoice.session.tools.declare import tools_from

from .conftest import MakeSession
from .rig import Service
from .tool_rig import calls, spoken, told

LYON = ("book", '{"city": "Lyon"}')


def book(city: str, nights: int = 1) -> str:
    """Book a room."""
    return f"{nights} in {city}"


def asking(make_session: MakeSession, *replies: Any, **options: Any) -> tuple[Session, Service]:
    service = Service(*(replies or (calls(LYON), spoken("Booked."))))
    session = make_session(service)
    session.tool(**{"approve": "ask", **options})(book)
    return session, service


def test_where_nobody_can_be_heard_the_call_returns_and_the_turn_stays_open(
    make_session: MakeSession,
) -> None:
    session, service = asking(make_session)
    turn = session.say("Book it.")
    assert not turn.done and turn.tool_calls[0].state == "waiting"
    assert "book(city='Lyon') waits for a decision" in turn.notices[0]
    (pending,) = session.pending
    assert (pending.name, pending.arguments, pending.turn) == ("book", {"city": "Lyon"}, turn)
    pending.approve()
    assert session.wait(turn) is turn and turn.text == "Booked."
    assert turn.tool_calls[0].result == "1 in Lyon" and session.pending == ()
    assert told(service.asked[1]) == ["1 in Lyon"]


def test_an_awaited_turn_returns_open_as_well(make_session: MakeSession) -> None:
    session, _ = asking(make_session)

    async def talk() -> tuple[Turn, bool]:
        turn = await session.asay("Book it.")
        was_open = not turn.done
        session.pending[0].approve()
        return await session.await_turn(turn), was_open

    turn, was_open = asyncio.run(talk())
    assert was_open and turn.text == "Booked."


def test_a_wait_goes_on_where_a_person_can_be_heard(make_session: MakeSession) -> None:
    session, _ = asking(make_session)
    view = Heard(lambda: session.pending[0].approve(nights=3))
    turn = session.start_turn("Book it.", view=view)
    turn = session.wait(turn)
    assert turn.done and turn.tool_calls[0].result == "3 in Lyon"
    assert turn.notices == ()


class Heard:
    """A page that is heard while the cell runs, and decides when it is asked."""

    def __init__(self, decide: Callable[[], object]) -> None:
        self._decide = decide

    def started(self, turn: Turn) -> None: ...

    def event(self, turn: Turn, event: Event) -> None: ...

    async def ended(self, turn: Turn) -> None: ...

    async def hears(self, waiting: str) -> bool:
        asyncio.get_running_loop().call_soon(self._decide)
        return waiting == "blocking"


def test_changed_arguments_are_checked_shown_and_told(make_session: MakeSession) -> None:
    session, service = asking(make_session)
    turn = session.say("Book it.")
    pending = session.pending[0]
    with pytest.raises(UsageError, match="it still waits"):
        pending.approve(nights="many")
    pending.approve(city="Nice", nights=2)
    session.wait(turn)
    (call,) = turn.tool_calls
    assert call.arguments == {"city": "Nice", "nights": 2} and call.result == "2 in Nice"
    assert call.arguments_text == '{"city": "Lyon"}' and call.was_changed
    assert call.hash != pending.hash
    assert told(service.asked[1])[0].startswith("(the user ran it with other arguments: ")


def test_a_rejected_call_does_not_run_and_the_model_is_told_why(make_session: MakeSession) -> None:
    session, service = asking(make_session, calls(LYON), spoken("As you like."))
    turn = session.say("Book it.")
    session.pending[0].reject("too dear")
    session.wait(turn)
    (call,) = turn.tool_calls
    assert (call.state, call.error, call.result) == ("rejected", "too dear", None)
    assert told(service.asked[1]) == ["the user did not allow this call: too dear"]
    assert call.started_s is None


def test_it_is_decided_once(make_session: MakeSession) -> None:
    session, _ = asking(make_session)
    turn = session.say("Book it.")
    pending = session.pending[0]
    pending.reject()
    for again in (pending.approve, pending.reject, pending.always):
        with pytest.raises(UsageError, match="it was decided"):
            again()
    session.wait(turn)
    assert turn.tool_calls[0].state == "rejected"


def test_always_holds_for_this_tool_in_this_session(make_session: MakeSession) -> None:
    session, _ = asking(make_session, calls(LYON), calls(LYON), spoken("Twice."))
    turn = session.say("Book it twice.")
    session.pending[0].always()
    session.wait(turn)
    assert [call.state for call in turn.tool_calls] == ["done", "done"]
    session.tool(approve="ask")(book)
    other, _ = asking(make_session)
    assert not other.say("Book it.").done


def test_arguments_changed_with_always_are_that_calls_alone(make_session: MakeSession) -> None:
    session, _ = asking(make_session, calls(LYON), calls(LYON), spoken("Twice."))
    turn = session.say("Book it twice.")
    with pytest.raises(UsageError, match="does not take these arguments"):
        decide(session, "always", arguments={"town": "Nice"})
    assert session.pending[0].call.state == "waiting"
    decide(session, "always", arguments={"city": "Nice"})
    session.wait(turn)
    assert [call.arguments["city"] for call in turn.tool_calls] == ["Nice", "Lyon"]
    assert [call.state for call in turn.tool_calls] == ["done", "done"]


def test_always_takes_changes_as_approve_does(make_session: MakeSession) -> None:
    session, _ = asking(make_session)
    turn = session.say("Book it.")
    session.pending[0].always(city="Nice")
    session.wait(turn)
    assert turn.tool_calls[0].arguments["city"] == "Nice"


def test_another_tool_of_the_name_is_asked_about_again(make_session: MakeSession) -> None:
    session, _ = asking(make_session, calls(LYON), spoken("One."), calls(LYON), spoken("Two."))
    turn = session.say("Book it.")
    session.pending[0].always()
    session.wait(turn)
    session.tool(approve="ask")(book)
    assert not session.say("Book it.").done


def test_always_is_said_of_a_function_and_not_of_a_name(make_session: MakeSession) -> None:
    def elsewhere(city: str) -> str:
        """Book a room."""
        return f"elsewhere in {city}"

    elsewhere.__name__ = "book"
    asked = [replace(tools_from([one])[0], approve="ask") for one in (book, book, elsewhere)]
    booked = (calls(LYON), spoken("Booked."))
    session = make_session(Service(*booked, *booked, *booked))
    turn = session.say("Book it.", tools=[asked[0]])
    session.pending[0].always()
    session.wait(turn)
    assert session.say("Book it.", tools=[asked[1]]).done
    assert not session.say("Book it.", tools=[asked[2]]).done


def test_tools_that_write_ask_by_themselves(make_session: MakeSession) -> None:
    session, _ = asking(make_session, approve=None, writes=True)
    assert session.say("Book it.").tool_calls[0].state == "waiting"
    session, _ = asking(make_session, approve="auto", writes=True)
    assert session.say("Book it.").done


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        (True, "done", None),
        ("auto", "done", None),
        (False, "rejected", "not allowed"),
        (None, "rejected", "not allowed"),
        ("not on a Sunday", "rejected", "not on a Sunday"),
        (ZeroDivisionError("oh"), "failed", "ZeroDivisionError: oh"),
    ],
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_function_may_decide(
    make_session: MakeSession, answer: object, state: str, error: str | None, kind: str
) -> None:
    def decide(call: Any) -> object:
        assert call.arguments == {"city": "Lyon"}
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def adecide(call: Any) -> object:
        return decide(call)

    session, _ = asking(make_session, approve=decide if kind == "sync" else adecide)
    (call,) = session.say("Book it.").tool_calls
    assert (call.state, call.error) == (state, error)


def test_a_function_may_ask_a_person(make_session: MakeSession) -> None:
    session, _ = asking(make_session, approve=lambda call: "ask")
    assert not session.say("Book it.").done and len(session.pending) == 1


def test_others_of_the_same_reply_run_meanwhile(make_session: MakeSession) -> None:
    ran = threading.Event()

    def look() -> str:
        """Look."""
        ran.set()
        return "seen"

    session, service = asking(make_session, calls(LYON, ("look", "{}")), spoken("Both."))
    session.tool(look)
    turn = session.say("Both.")
    assert ran.wait(10)
    session.pending[0].approve()
    session.wait(turn)
    assert told(service.asked[1]) == ["1 in Lyon", "seen"]


def test_nothing_new_is_asked_while_a_call_waits(make_session: MakeSession) -> None:
    session, service = asking(make_session)
    turn = session.say("Book it.")
    with pytest.raises(UsageError, match=r"turn 1 is open: book\(city='Lyon'\) waits"):
        session.say("And now?")
    assert len(service.asked) == 1
    turn.stop()
    assert turn.wait(10) and turn.finish == "stopped" and session.pending == ()
    assert turn.tool_calls[0].error == "stopped by the user before it ran"


def test_a_turn_that_was_stopped_can_t_be_decided_about(make_session: MakeSession) -> None:
    session, _ = asking(make_session)
    turn = session.say("Book it.")
    (pending,) = session.pending
    turn.stop()
    turn.wait()
    with pytest.raises(UsageError, match="ended"):
        pending.approve()


# As the page decides


def decide(session: Session, action: str, **given: Any) -> None:
    (pending,) = session.pending
    asked = {"turn": pending.turn, "call_id": pending.id, "call_hash": pending.hash, **given}
    session.decide(**asked, action=action)


def test_the_page_decides_about_the_call_that_it_showed(make_session: MakeSession) -> None:
    session, _ = asking(make_session)
    turn = session.say("Book it.")
    other = asking(make_session)[0].say("Book it.")
    for wrong in ({"call_hash": "another"}, {"call_id": "another"}, {"turn": other}):
        with pytest.raises(UsageError):
            decide(session, "approve", **wrong)
    with pytest.raises(UsageError, match="no decision"):
        decide(session, "perhaps")
    with pytest.raises(UsageError, match="does not take"):
        decide(session, "approve", arguments={"town": "Nice"})
    decide(session, "approve", arguments={"city": "Nice"})
    session.wait(turn)
    assert turn.tool_calls[0].result == "1 in Nice"


@pytest.mark.parametrize(("action", "state"), [("reject", "rejected"), ("always", "done")])
def test_the_page_may_reject_and_allow_for_good(
    make_session: MakeSession, action: str, state: str
) -> None:
    session, _ = asking(make_session)
    turn = session.say("Book it.")
    decide(session, action, reason="no")
    session.wait(turn)
    assert turn.tool_calls[0].state == state


def test_every_decision_and_every_run_is_a_line_of_the_journal(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session, _ = asking(make_session, calls(LYON, ("look", "{}")), spoken("Done."))

    def look() -> str:
        """Look."""
        return "seen"

    session.tool(look)
    turn = session.say("Both.")
    session.pending[0].approve(nights=2)
    session.wait(turn)
    folder = session.journal_folder
    assert folder is not None
    lines = [json.loads(line) for line in (folder / "turns.jsonl").read_text().splitlines()]
    audit = [line for line in lines if line["kind"] == "tool"]
    told_of = {(line["what"], line["name"]): line for line in audit}
    assert len(audit) == 4 and all(line["turn"] == turn.id and line["at"] for line in audit)
    decided = told_of["decided", "book"]
    assert (decided["decision"], decided["by"]) == ("run", "person")
    assert decided["changed_to"] == {"city": "Lyon", "nights": 2}
    assert told_of["decided", "look"]["by"] == "auto"
    assert told_of["ran", "book"]["result"].endswith("2 in Lyon")
    assert told_of["ran", "look"]["state"] == "done"


def test_a_pending_call_shows_itself(make_session: MakeSession) -> None:
    session, _ = asking(make_session)
    session.say("Book it.")
    (pending,) = session.pending
    assert isinstance(pending, PendingCall)
    assert repr(pending) == "<PendingCall book(city='Lyon') of turn 1>"
