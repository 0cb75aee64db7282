"""Turns that belong to cells: run again, in loops, deleted, moved, copied, recorded."""

from __future__ import annotations

from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import CellvoiceError, UsageError
from cellvoice.session import Cell, Session

from .cells import Cells, asked, cells
from .conftest import MakeSession
from .rig import SHORTEST_EXPIRES_AT, Hold, Reply, Service, recorded, refusal

__all__ = ["cells"]  # a fixture

QUESTION = Clip.from_pcm16(b"\x00\x10" * 2400)
FAILED = refusal(500, message="The server had an error.", type="server_error")


def ordinals(session: Session) -> list[tuple[Any, int]]:
    return [(slot.lane[0], slot.ordinal) for slot in session._asking.places._now.slots]


def questions(service: Service, request: int) -> list[Any]:
    """What the user says in a request as it arrived, in order."""
    messages = service.asked[request].body["messages"]
    return [message["content"] for message in messages if message["role"] == "user"]


@pytest.fixture
def service() -> Service:
    return Service(recorded())


@pytest.fixture
def session(make_session: MakeSession, service: Service, cells: Cells) -> Session:
    return make_session(service, max_retries=0)


def run_all(cells: Cells, session: Session) -> None:
    with cells.run("a"):
        session.say("one")
    with cells.run("b"):
        for question in ("two", "three"):
            session.say(question)
    with cells.run("c"):
        session.say("four")


def test_running_all_cells_twice_leaves_the_same_conversation_as_once(
    cells: Cells, session: Session, service: Service
) -> None:
    run_all(cells, session)
    once = (asked(session), ordinals(session))
    run_all(cells, session)
    assert (asked(session), ordinals(session)) == once
    assert once[1] == [("a", 0), ("b", 0), ("b", 1), ("c", 0)]
    assert [turn.stale for turn in session.turns] == [False] * 4
    assert [questions(service, 4 + n) for n in range(4)] == [
        questions(service, n) for n in range(4)
    ]
    assert [len(turn.versions) for turn in session.turns] == [1] * 4
    assert [turn.number for turn in session.turns] == [1, 2, 3, 4]


def test_a_cell_that_runs_again_is_asked_with_what_stood_before_it(
    cells: Cells, session: Session, service: Service
) -> None:
    run_all(cells, session)
    old = session.turns[1]
    with cells.run("b"):
        new = session.say("two, better")
        session.say("three")
    assert questions(service, 4) == ["one", "two, better"]
    assert session.turns[1] is new and new.versions == (old,)
    assert asked(session) == ["one", "two, better", "three", "four"]
    assert [turn.stale for turn in session.turns] == [False, False, False, True]
    assert (old.stale, old.number, old.version, new.version) == (False, 2, (1, 2), (2, 2))


def test_turns_after_a_replaced_one_are_stale_until_they_are_refreshed(
    cells: Cells, session: Session, service: Service
) -> None:
    run_all(cells, session)
    with cells.run("a"):
        session.say("one, better")
    assert [turn.stale for turn in session.turns] == [False, True, True, True]
    assert len(service.asked) == 5, "nothing is asked again without being told to"
    with cells.run("d"):
        new = session.refresh()
    assert new == session.turns[1:] and not any(turn.stale for turn in session.turns)
    assert questions(service, 7) == ["one, better", "two", "three", "four"]
    assert [turn.cell for turn in new] == [Cell("b", 2), Cell("b", 2), Cell("c", 3)]
    assert session.refresh() == ()


def test_fewer_turns_than_last_time_drop_the_surplus_when_the_cell_ends(
    cells: Cells, session: Session
) -> None:
    run_all(cells, session)
    with cells.run("b"):
        session.say("two")
        assert len(session.turns) == 4
    assert asked(session) == ["one", "two", "four"]
    assert session.turns[2].stale
    with cells.run("b"):
        pass
    assert asked(session) == ["one", "four"]


def test_a_cell_that_fails_half_way_keeps_what_it_did_not_reach(
    cells: Cells, session: Session
) -> None:
    run_all(cells, session)
    with cells.run("b", fails=True):
        session.say("two")
    assert asked(session) == ["one", "two", "three", "four"]


def test_more_turns_than_last_time_go_where_a_first_run_would_have_them(
    cells: Cells, session: Session
) -> None:
    run_all(cells, session)
    with cells.run("a"):
        session.say("one")
        session.say("one and a half")
    assert asked(session) == ["one", "one and a half", "two", "three", "four"]
    run_all_with_more = asked(session)
    with cells.run("a"):
        session.say("one")
        session.say("one and a half")
    assert asked(session) == run_all_with_more


@pytest.mark.parametrize("how", ["failed", "cut", "stopped"])
def test_a_run_that_brings_no_answer_keeps_the_old_turn_and_notes_the_attempt(
    make_session: MakeSession, cells: Cells, how: str
) -> None:
    hold = Hold()
    bad = {
        "failed": FAILED,
        "cut": Reply(list(recorded().pieces)[:6]),
        "stopped": Reply([*list(recorded().pieces)[:6], hold]),
    }[how]
    session = make_session(Service(recorded(), recorded(), bad, recorded()), max_retries=0)
    with cells.run("a"):
        old = session.say("one")
    with cells.run("b"):
        after = session.say("two")
    with cells.run("a"):
        if how == "stopped":
            turn = session.pending_turn()
            session.start_turn("one, better", turn=turn)
            hold.wait_until_reached()
            assert session.turns[0] is old, "the old one stands while the new one runs"
            turn.stop()
            turn.wait(10)
        else:
            with pytest.raises(CellvoiceError) as caught:
                session.say("one, better")
            turn = caught.value.turn
    assert turn is not None and turn.finish == how
    assert session.turns == (old, after) and not after.stale
    assert old.versions == (turn,)
    with cells.run("a"):
        new = session.say("one, best")
    assert new.versions == (old, turn) and after.stale


def test_where_there_was_no_answer_before_the_newer_attempt_stands(
    make_session: MakeSession, cells: Cells
) -> None:
    session = make_session(Service(FAILED, FAILED, recorded()), max_retries=0)
    tries = []
    for _ in range(2):
        with cells.run("a"), pytest.raises(CellvoiceError) as caught:
            session.say("one")
        tries.append(caught.value.turn)
        assert session.turns == (caught.value.turn,)
    with cells.run("a"):
        turn = session.say("one")
    assert session.turns == (turn,) and turn.versions == tuple(tries)


def test_deleted_cells_drop_their_turns_and_a_moved_one_finds_them_again(
    cells: Cells, session: Session
) -> None:
    run_all(cells, session)
    old = session.turns[1]
    cells.delete("b")
    assert asked(session) == ["one", "four"] and session.turns[1].stale
    with cells.run("b"):  # it was cut and pasted, which JupyterLab reports as deleted
        new = session.say("two")
        session.say("three")
    assert asked(session) == ["one", "two", "three", "four"]
    assert new.versions == (old,)


def test_a_copied_cell_has_a_new_id_and_appends(cells: Cells, session: Session) -> None:
    run_all(cells, session)
    with cells.run("copy of a"):
        session.say("one")
    assert asked(session) == ["one", "two", "three", "four", "one"]


def test_without_a_cell_id_every_turn_appends(session: Session) -> None:
    for _ in range(2):
        session.say("one")
    assert asked(session) == ["one", "one"]
    assert [turn.cell for turn in session.turns] == [None, None]


def test_two_sessions_in_one_cell_do_not_mix(
    make_session: MakeSession, cells: Cells, service: Service
) -> None:
    session, other = make_session(service), make_session(service)
    for _ in range(2):
        with cells.run("a"):
            session.say("mine")
            other.say("yours")
            session.say("mine again")
    assert (asked(session), asked(other)) == (["mine", "mine again"], ["yours"])


def test_a_cell_that_makes_a_new_session_at_every_run_leaves_the_old_one_alone(
    make_session: MakeSession, cells: Cells, service: Service
) -> None:
    made = []
    for _ in range(2):
        with cells.run("a"):
            made.append(make_session(service))
            made[-1].say("one")
    assert [asked(session) for session in made] == [["one"], ["one"]]


def test_turns_of_the_pad_stay_when_its_cell_runs_again(cells: Cells, session: Session) -> None:
    with cells.run("a"):
        session.say("one")
        pad = cells.cell()
    session.start_turn("typed", cell=pad).wait(10)
    with cells.run("a"):
        session.say("one")
        pad = cells.cell()
    session.start_turn("typed later", cell=pad).wait(10)
    assert asked(session) == ["one", "typed", "typed later"]
    assert [turn.cell.id for turn in session.turns if turn.cell] == ["a", "a", "a"]
    assert session.turns[1].stale
    cells.delete("a")
    assert asked(session) == []


def test_a_wrong_input_takes_no_place(cells: Cells, session: Session) -> None:
    for _ in range(2):
        with cells.run("a"):
            with pytest.raises(UsageError):
                session.say("")
            session.say("one")
    assert ordinals(session) == [("a", 0)]


def test_a_recorder_that_waits_keeps_its_place_when_the_cell_ends(
    cells: Cells, session: Session
) -> None:
    with cells.run("a"):
        session.say("one")
        late = session.listen()
    with cells.run("b"):
        session.say("two")
    session.start_turn(QUESTION, turn=late).wait(10)
    with cells.run("a"):
        session.say("one")
        session.listen(fresh=True)
    assert asked(session) == ["one", "two", QUESTION], "nothing was said into the new recorder"


def test_listening_again_asks_with_the_recording_that_is_there(
    cells: Cells, session: Session, service: Service
) -> None:
    with cells.run("a"):
        late = session.listen()
    session.start_turn(QUESTION, turn=late).wait(10)
    with cells.run("a"):
        again = session.listen(temperature=0.9)
    assert again.input == (QUESTION,) and again.versions == (late,)
    assert any("fresh=True" in notice for notice in again.notices)
    assert service.asked[1].body["temperature"] == 0.9
    with cells.run("a"):
        assert not session.listen(fresh=True).input


def test_a_recorder_given_up_leaves_no_hole(cells: Cells, session: Session) -> None:
    with cells.run("a"):
        session.listen().stop()
        session.say("one")
        session.say("two")
    assert ordinals(session) == [("a", 0), ("a", 1)]


def test_what_is_asked_after_a_sound_has_expired_is_not_stale(
    make_session: MakeSession, cells: Cells
) -> None:
    now = [SHORTEST_EXPIRES_AT - 1800.0]
    session = make_session(Service(recorded()), clock=lambda: now[0])
    run_all(cells, session)
    now[0] += 7200
    with cells.run("c"):
        session.say("four")
    assert [turn.stale for turn in session.turns] == [False] * 4
    assert set(session.turns[3].rungs.values()) == {"transcript"}


def test_a_turn_dropped_while_it_runs_is_stopped(make_session: MakeSession, cells: Cells) -> None:
    hold = Hold()
    session = make_session(Service(Reply([hold]), recorded()))
    with cells.run("a"):
        turn = session.start_turn("one", turn=session.pending_turn())
    hold.wait_until_reached()
    cells.delete("a")
    assert turn.wait(10) and turn.finish == "stopped" and session.turns == ()
    assert session.say("two").finish == "complete"


def test_the_cost_counts_every_version_and_what_was_taken_back(
    make_session: MakeSession, cells: Cells
) -> None:
    session = make_session(Service(recorded()))
    for _ in range(2):
        with cells.run("a"):
            one = session.say("one")
    assert float(session.cost) == pytest.approx(2 * float(one.cost))
    session.undo()
    assert session.turns == () and float(session.cost) == pytest.approx(2 * float(one.cost))
    assert session.usage.total_tokens > 0
