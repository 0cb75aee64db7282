"""A resumed conversation has the shape that it had: versions, stale turns, dropped ones."""

from __future__ import annotations

from typing import Any

from cellvoice.session import Session

from .conftest import MakeSession, Resume
from .rig import Hold, Reply, Service, events_of, recorded


def shape(session: Session) -> list[tuple[Any, ...]]:
    return [
        (turn.id, turn.number, turn.stale, [old.id for old in turn.versions])
        for turn in session.turns
    ]


def test_versions_stale_and_dropped_turns_are_as_they_were(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(recorded()))
    for text in ("one", "two", "three", "four"):
        session.say(text)
    session.regenerate(1)
    session.undo(1)
    before = shape(session)
    assert [stale for _, _, stale, _ in before] == [False, False, True]
    assert [len(versions) for *_, versions in before] == [0, 1, 0]
    again = resume(session)
    assert shape(again) == before
    assert float(again.cost) == float(session.cost)
    new = again.say("five")
    assert new.number == 4 and new.id == f"{session.id}-6"
    assert shape(resume(again))[:3] == before


def test_a_refreshed_conversation_is_stale_no_more_after_the_next_resume(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(recorded()))
    for text in ("one", "two"):
        session.say(text)
    session.regenerate(0)
    again = resume(session)
    assert [turn.stale for turn in again.turns] == [False, True]
    again.refresh()
    assert [turn.stale for turn in again.turns] == [False, False]
    third = resume(again)
    assert shape(third) == shape(again)


def test_an_attempt_that_a_kill_cut_leaves_the_turn_that_stood_there(
    make_session: MakeSession, resume: Resume
) -> None:
    hold = Hold()
    session = make_session(Service(recorded(), recorded(), Reply([*events_of()[:9], hold])))
    one, two = session.say("one"), session.say("two")
    surface, attempt = session._made_again(one, None, {})
    session._asking.schedule(attempt, None, "")
    hold.wait_until_reached()
    assert session._journal is not None
    session._journal.flush()
    # As after a kill: the folder as it is now, under the eyes of another session.
    again = resume(session.journal_folder)
    assert surface is None
    assert [turn.id for turn in again.turns] == [one.id, two.id]
    (cut,) = again.turns[0].versions
    assert (cut.id, cut.finish) == (attempt.id, "cut")
    hold.release()


def test_a_resumed_branch_does_not_count_twice_what_it_shares(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(recorded()))
    session.say("one")
    branch = session.fork()
    branch.say("two")
    cost = float(branch.cost)
    again = resume(branch)
    assert [turn.text for turn in again.turns] == ["Hello", "Hello"]
    assert float(again.cost) == cost < float(session.cost) + cost
