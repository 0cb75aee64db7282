"""A lesson: recorded by one, replayed by many, without a key, also a year later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cellvoice import _compose
from cellvoice.client.cassette import Cassette, Clocks
from cellvoice.errors import CassetteMiss, UsageError
from cellvoice.session import Session

from .rig import Hold, Service, events_of, recorded, speech

ASKED_AT = 1_795_600_000.0
YEAR_S = 365 * 86_400.0


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def started() -> None:
        raise AssertionError("the embedded engine was started")

    monkeypatch.setattr(_compose, "engine", started)


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    return tmp_path / "lesson"


def recording(lesson: Path, service: Service, mode: str = "record") -> Session:
    clocks = Clocks(now=lambda: ASKED_AT)
    cassette = Cassette(lesson, mode, clocks=clocks)  # type: ignore[arg-type]
    return Session(transport=service, journal=False, cassette=cassette)


def a_year_later(lesson: Path) -> Cassette:
    return Cassette(lesson, timing="instant", clocks=Clocks(now=lambda: ASKED_AT + YEAR_S))


def three_turns(lesson: Path) -> list[str]:
    replies = [speech(f"audio_{n}", f"Answer {n}.", int(ASKED_AT) + 3_600 + n) for n in (1, 2, 3)]
    with recording(lesson, Service(*replies)) as session:
        return [session.say(f"Question {n}?").text for n in (1, 2, 3)]


def test_a_conversation_replays_a_year_later_with_the_ids_of_its_hour(lesson: Path) -> None:
    said = three_turns(lesson)
    with Session(cassette=a_year_later(lesson), journal=False) as session:
        assert [session.say(f"Question {n}?").text for n in (1, 2, 3)] == said
        messages = session.turns[2].request.messages if session.turns[2].request else ()
    assert [one["audio"] for one in messages if "audio" in one] == [
        {"id": "audio_1"},
        {"id": "audio_2"},
    ]


def test_it_replays_also_by_a_clock_by_which_the_ids_are_long_gone(lesson: Path) -> None:
    said = three_turns(lesson)
    cassette = a_year_later(lesson)
    with Session(cassette=cassette, journal=False, clock=lambda: ASKED_AT + YEAR_S) as session:
        assert [session.say(f"Question {n}?").text for n in (1, 2, 3)] == said


def test_a_replayed_turn_costs_nothing_and_says_what_it_is(lesson: Path) -> None:
    with recording(lesson, Service(recorded())) as session:
        paid = session.say("Hello.")
    assert float(paid.cost) > 0
    with Session(cassette=a_year_later(lesson), journal=False) as session:
        badge = "replayed from lesson, recorded 2026-11-25 with gpt-audio-1.5"
        assert session.badge == badge
        assert session.notice == f"{badge}: nothing is sent and nothing is paid"
        turn = session.say("Hello.")
        assert (turn.badge, float(turn.cost), turn.usage) == (badge, 0.0, paid.usage)
        assert turn.clip == paid.clip
        assert session.notice in turn.notices
        assert session.replays


def test_a_path_is_recorded_first_and_replayed_from_then_on(
    lesson: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(speech())
    with Session(cassette=lesson, transport=service, journal=False) as session:
        assert "is recorded in lesson" in session.notice
        assert not session.replays
        session.say("Hello.")
    assert len(service.asked) == 1
    with Session(cassette=str(lesson), journal=False) as session:
        assert session.say("Hello.").text == "Hello"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-that-is-not-used")
    with Session(cassette=lesson, journal=False) as session:
        assert session.replays


def test_a_lesson_that_is_not_there_is_not_made_unasked(lesson: Path) -> None:
    with pytest.raises(UsageError, match="no recording at .*mode='record'"):
        Session(cassette=lesson, journal=False)
    with pytest.raises(UsageError, match="no recording at"):
        Session(cassette=Cassette(lesson), journal=False)
    with pytest.raises(UsageError, match="expected a path"):
        Session(cassette=3, journal=False)  # type: ignore[arg-type]
    assert not lesson.exists()


def test_an_unknown_question_is_told_and_the_lesson_goes_on(lesson: Path) -> None:
    three_turns(lesson)
    with Session(cassette=a_year_later(lesson), journal=False) as session:
        session.say("Question 1?")
        with pytest.raises(CassetteMiss, match="“Question 2\\?”") as caught:
            session.say("Question 2, please?")
        assert caught.value.turn is session.turns[1]
        assert session.say("Question 2?").text == "Answer 2."


def test_auto_asks_only_what_is_new(lesson: Path) -> None:
    three_turns(lesson)
    service = Service(speech("audio_4", "Answer 4."))
    with recording(lesson, service, "auto") as session:
        assert [session.say(f"Question {n}?").text for n in (1, 2)] == ["Answer 1.", "Answer 2."]
        assert "replayed from lesson" in session.turns[1].badge
        assert service.asked == []
        assert session.say("Question 4?").text == "Answer 4."
        assert session.turns[2].badge == ""
    assert len(service.asked) == 1


def test_a_turn_that_was_stopped_replays_as_a_stopped_turn(lesson: Path) -> None:
    hold = Hold()
    events = events_of()
    spoken = type(recorded())([*events[:12], hold, *events[12:]])
    with recording(lesson, Service(spoken, speech("audio_2", "Second."))) as session:
        turn = session.start_turn("Hello.")
        hold.wait_until_reached()
        turn.stop()
        assert turn.wait(10)
        session.say("And then?")
    with Session(cassette=a_year_later(lesson), journal=False) as session:
        again = session.say("Hello.")
        assert (again.finish, again.text) == ("stopped", turn.text)
        assert any("stopped here when it was recorded" in notice for notice in again.notices)
        assert session.say("And then?").text == "Second."


def test_a_stop_while_a_reply_is_replayed_ends_it_at_once(lesson: Path) -> None:
    three_turns(lesson)
    waiting = asyncio.Event()

    async def forever(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    cassette = Cassette(lesson, clocks=Clocks(now=lambda: ASKED_AT, sleep=forever))
    with Session(cassette=cassette, journal=False) as session:
        turn = session.start_turn("Question 1?")
        turn.stop()
        assert turn.wait(10)
        assert turn.finish == "stopped"


def test_the_key_is_in_no_file_of_the_recording(lesson: Path) -> None:
    key = "sk-proj-0123456789abcdefghijKLMNOP"
    with Session(
        cassette=lesson, transport=Service(recorded()), api_key=key, journal=False
    ) as session:
        session.say("Hello.")
    files = [path for path in lesson.rglob("*") if path.is_file()]
    assert len(files) == 3
    for path in files:
        for part in (key[:12], key[-6:], "Bearer"):
            assert part.encode() not in path.read_bytes()
