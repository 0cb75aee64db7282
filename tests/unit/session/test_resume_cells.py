"""A session that is resumed in the notebook where it was held: its turns are still their cells'."""

from __future__ import annotations

from pathlib import Path

from cellvoice.audio import Clip
from cellvoice.session import Session

from .cells import Cells, asked, cells
from .conftest import MakeSession, Resume
from .rig import Service, recorded

__all__ = ["cells"]  # a fixture

QUESTION = Clip.from_pcm16(b"\x00\x10" * 2400)


def lesson(session: Session, cells: Cells) -> None:
    with cells.run("a"):
        session.say("one")
    with cells.run("b"):
        session.say("two")
        session.say("three")


def test_running_all_cells_after_a_restart_leaves_the_conversation_of_once(
    make_session: MakeSession, resume: Resume, cells: Cells
) -> None:
    session = make_session(Service(recorded()))
    lesson(session, cells)
    again = resume(session)
    lesson(again, cells)
    assert asked(again) == ["one", "two", "three"]
    assert [len(turn.versions) for turn in again] == [1, 1, 1]
    # And once more, of a journal that two processes have written.
    last = resume(again)
    lesson(last, cells)
    assert asked(last) == ["one", "two", "three"]
    assert [turn.version for turn in last] == [(3, 3)] * 3


def test_a_cell_that_asks_more_or_less_after_a_restart(
    make_session: MakeSession, resume: Resume, cells: Cells
) -> None:
    session = make_session(Service(recorded()))
    lesson(session, cells)
    again = resume(session)
    with cells.run("a"):
        again.say("one")
        again.say("one and a half")
    assert asked(again) == ["one", "one and a half", "two", "three"]
    with cells.run("b"):
        again.say("two")
    assert asked(again) == ["one", "one and a half", "two"]
    cells.delete("a")
    assert asked(again) == ["two"]


def test_turns_of_a_pad_are_not_those_of_its_cell_after_a_restart(
    make_session: MakeSession, resume: Resume, cells: Cells
) -> None:
    session = make_session(Service(recorded()))
    with cells.run("pad"):
        cell = cells.cell()
    session.start_turn("typed", cell=cell).wait(10)
    again = resume(session)
    with cells.run("pad"):
        again.say("asked by the cell's code")
    assert asked(again) == ["typed", "asked by the cell's code"]


def test_listen_asks_with_the_recording_of_before_the_restart(
    make_session: MakeSession, resume: Resume, cells: Cells, tmp_path: Path
) -> None:
    session = make_session(Service(recorded()))
    with cells.run("a"):
        waiting = session.listen()
    session.start_turn(QUESTION, turn=waiting).wait(10)
    service = Service(recorded())
    again = resume(session, service)
    with cells.run("a"):
        turn = again.listen()
    assert turn.finish == "complete" and turn.input == (QUESTION,)
    assert len(again.turns) == len(service.asked) == 1
