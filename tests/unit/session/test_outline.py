"""The shape of a conversation is written at every change, and the last one counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellvoice.session import Session
from cellvoice.session._outline import Outline
from cellvoice.session.journal import Story, read_story, sessions
from cellvoice.session.journal._home import Home

from .conftest import MakeSession
from .rig import Service, recorded


def story_of(session: Session) -> Story:
    session.close()
    assert session.journal_folder is not None
    return read_story(session.journal_folder)


def talk(make_session: MakeSession, count: int) -> tuple[Session, list[str]]:
    session = make_session(Service(recorded()))
    for number in range(count):
        session.say(f"Question {number}")
    return session, [turn.id for turn in session.turns]


def write(session: Session, outline: Outline) -> None:
    assert session._journal is not None
    session._journal.write_outline(outline)


def test_the_last_outline_says_which_turns_stand_where(make_session: MakeSession) -> None:
    session, (one, two, three, four) = talk(make_session, 4)
    write(session, Outline(order=(one, two)))
    last = Outline(
        order=(three, one), stale=frozenset({one}), versions={three: (two,)}, dropped=(four,)
    )
    write(session, last)
    story = story_of(session)
    assert story.outline == last
    assert story.order == [three, one]
    assert set(story.turns) == {one, two, three, four}


def test_turns_that_came_after_the_last_outline_stand_at_the_end(
    make_session: MakeSession,
) -> None:
    session, (one, two) = talk(make_session, 2)
    write(session, Outline(order=(two,), versions={two: (one,)}))
    third = session.say("Third.").id
    assert story_of(session).order == [two, third]


def test_an_outline_of_turns_that_were_lost_counts_for_the_others(
    make_session: MakeSession,
) -> None:
    session, (one,) = talk(make_session, 1)
    write(session, Outline(order=("lost-7", one), versions={"lost-7": ("lost-6",)}))
    assert story_of(session).order == [one]


def test_the_index_tells_the_current_turns_only(make_session: MakeSession) -> None:
    session, (one, two, three) = talk(make_session, 3)
    write(session, Outline(order=(three, one), dropped=(two,)))
    assert session._journal is not None and session.journal_folder is not None
    session._journal.flush()
    assert sessions(session.journal_folder.parent)[0].turns == 2
    page = (session.journal_folder / "index.md").read_text(encoding="utf-8")
    assert page.index("Question 2") < page.index("Question 0") and "Question 1" not in page


def test_turns_that_are_only_appended_need_no_outline(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    for number in range(3):
        session.say(f"Question {number}")
        write(session, Outline(order=tuple(turn.id for turn in session.turns)))
    assert story_of(session).outline is None
    assert b"outline" not in lines_of(session)


def test_an_outline_that_a_full_disk_refused_is_written_with_the_next_turn(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, (one, two) = talk(make_session, 2)
    assert session._journal is not None

    def full(home: Home) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Home, "enter", full)
        write(session, Outline(order=(two, one)))
        session._journal.flush()
    session.say("Third.")
    assert story_of(session).order[:2] == [two, one]


def lines_of(session: Session) -> bytes:
    assert session.journal_folder is not None
    return (session.journal_folder / "turns.jsonl").read_bytes()
