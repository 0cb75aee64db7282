"""The shape of a conversation is written when the lines do not tell it, and the last one counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cellvoice.session import Session, Turn
from cellvoice.session._outline import Outline
from cellvoice.session.journal import Journal, Story, read_story, sessions
from cellvoice.session.journal._home import Home

from .conftest import MakeSession
from .rig import Service, recorded


@dataclass
class Talk:
    """A journal that is told of turns by hand, and the session that asks them."""

    session: Session
    journal: Journal

    def say(self, text: str) -> Turn:
        turn = self.session.say(text)
        assert self.journal.write(turn).done
        return turn

    def several(self, count: int) -> list[str]:
        return [self.say(f"Question {number}").id for number in range(count)]

    def story(self) -> Story:
        self.journal.flush()
        return read_story(self.journal.folder)


@pytest.fixture
def talk(make_session: MakeSession, tmp_path: Path) -> Iterator[Talk]:
    session = make_session(Service(recorded()), journal=False)
    found = Talk(session, Journal(tmp_path / "talks", session.id))
    yield found
    found.journal.close()


def test_the_last_outline_says_which_turns_stand_where(talk: Talk) -> None:
    one, two, three, four = talk.several(4)
    talk.journal.write_outline(Outline(order=(one, two)))
    last = Outline(
        order=(three, one), stale=frozenset({one}), versions={three: (two,)}, dropped=(four,)
    )
    talk.journal.write_outline(last)
    story = talk.story()
    assert story.outline == last
    assert story.order == [three, one]
    assert set(story.turns) == {one, two, three, four}


def test_turns_that_came_after_the_last_outline_stand_at_the_end(talk: Talk) -> None:
    one, two = talk.several(2)
    talk.journal.write_outline(Outline(order=(two,), versions={two: (one,)}))
    third = talk.say("Third.").id
    assert talk.story().order == [two, third]


def test_an_outline_of_turns_that_were_lost_counts_for_the_others(talk: Talk) -> None:
    (one,) = talk.several(1)
    talk.journal.write_outline(Outline(order=("lost-7", one), versions={"lost-7": ("lost-6",)}))
    assert talk.story().order == [one]


def test_the_index_tells_the_current_turns_only(talk: Talk) -> None:
    one, two, three = talk.several(3)
    talk.journal.write_outline(Outline(order=(three, one), dropped=(two,)))
    talk.journal.flush()
    assert sessions(talk.journal.folder.parent)[0].turns == 2
    page = (talk.journal.folder / "index.md").read_text(encoding="utf-8")
    assert page.index("Question 2") < page.index("Question 0") and "Question 1" not in page


def test_turns_that_are_only_appended_need_no_outline(talk: Talk) -> None:
    order: tuple[str, ...] = ()
    for number in range(3):
        order = (*order, talk.say(f"Question {number}").id)
        talk.journal.write_outline(Outline(order=order))
    # As the conversation does it: the place is told before the question is on the disk.
    talk.journal.write_outline(Outline(order=(*order, "the-next-4")))
    assert talk.story().outline is None
    assert b"outline" not in (talk.journal.folder / "turns.jsonl").read_bytes()


def test_a_turn_that_is_asked_between_others_is_written_there(talk: Talk) -> None:
    one, two = talk.several(2)
    outline = Outline(order=(one, "the-new-3", two))
    talk.journal.write_outline(outline)
    assert talk.story().outline == outline


def test_an_outline_that_a_full_disk_refused_is_written_with_the_next_turn(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = talk.several(2)

    def full(home: Home) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Home, "enter", full)
        talk.journal.write_outline(Outline(order=(two, one)))
        talk.journal.flush()
    talk.say("Third.")
    talk.journal.close()
    assert talk.story().order[:2] == [two, one]
