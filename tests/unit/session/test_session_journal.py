"""The folder where every turn is written as it ends."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import StreamBroken, UsageError
from cellvoice.protocol import Event
from cellvoice.session import Journal, Session, Turn

from .conftest import MakeSession
from .rig import Hold, Reply, Service, event, events_of, recorded

QUESTION = Clip.from_pcm16(b"\x00\x10" * 2400)


def lines_of(session: Session) -> list[dict[str, Any]]:
    assert session.journal_folder is not None
    text = (session.journal_folder / "turns.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if line["kind"] == "ended"]


def test_nothing_is_made_on_disk_before_the_first_turn(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = make_session(Service(recorded()))
    assert list(tmp_path.iterdir()) == []
    session.say("Hello.")
    assert session.journal_folder == tmp_path / "journal" / session.id
    assert (tmp_path / "journal" / ".gitignore").read_text() == "*\n"


def test_the_usual_folder_is_in_the_working_directory(
    make_session: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = make_session(Service(recorded()), journal=None)
    monkeypatch.chdir(tmp_path.parent)
    session.say("Hello.")
    assert session.journal_folder == tmp_path / "cellvoice_journal" / session.id
    assert lines_of(session)


def test_a_folder_that_was_there_gets_no_gitignore(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = make_session(Service(recorded()), journal=tmp_path)
    session.say("Hello.")
    assert not (tmp_path / ".gitignore").exists()
    assert (tmp_path / session.id / "turns.jsonl").exists()


def test_git_sees_a_new_folder_if_that_is_asked_for(
    make_session: MakeSession, tmp_path: Path
) -> None:
    make_session(Service(recorded()), gitignore=False).say("Hello.")
    assert not (tmp_path / "journal" / ".gitignore").exists()


def test_a_folder_of_its_own_is_ignored_although_only_a_recording_is_in_it(
    make_session: MakeSession, tmp_path: Path
) -> None:
    make_session(Service(recorded())).takes_folder.joinpath("one.pcm16").write_bytes(b"\1\2")
    assert (tmp_path / "journal" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("name", ["", "  ", 7, "x" * 101])
def test_a_name_that_can_not_be_is_refused(make_session: MakeSession, name: object) -> None:
    with pytest.raises(UsageError, match="expected a text"):
        make_session(Service(recorded()), name=name)


def test_a_person_can_read_what_was_said(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), name="first # lesson", system="Be brief.")
    session.say(["# not a heading <b>", QUESTION])
    session.close()
    assert session.journal_folder is not None
    page = (session.journal_folder / "index.md").read_text(encoding="utf-8")
    assert page.startswith("# first # lesson\n")
    assert "**You:** # not a heading &lt;b> [sound 0.1 s]" in page
    assert f"**{session.turns[0].model}:** Hello" in page
    index = json.loads((session.journal_folder / "session.json").read_bytes())
    assert (index["format"], index["name"], index["system"]) == (1, "first # lesson", "Be brief.")
    (entry,) = index["turns"]
    assert (entry["number"], entry["answer"], entry["finish"]) == (1, "Hello", "complete")
    assert index["covers_bytes"] == (session.journal_folder / "turns.jsonl").stat().st_size


def test_an_answer_that_was_cut_in_a_letter_is_written(make_session: MakeSession) -> None:
    half = event({"choices": [{"index": 0, "delta": {"content": "half a letter: \ud83d"}}]})
    session = make_session(Service(Reply(pieces=[half, b"data: [DONE]\n\n"])))
    session.say(QUESTION, voice=None)
    (line,) = lines_of(session)
    assert line["reply"]["content"] == "half a letter: \ufffd"


def test_a_history_is_written_once_and_told_by_every_turn(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    for number in range(4):
        session.say(f"a long question {number} " * 20)
    lines = lines_of(session)
    assert [len(line["request"]["messages"]) for line in lines] == [1, 3, 5, 7]
    assert [len(line["request"]["new"]) for line in lines] == [1, 2, 1, 1]


def test_a_line_holds_the_turn_and_its_sounds_lie_beside_it(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    turn = session.say(["Listen:", QUESTION], temperature=0.7)
    (line,) = lines_of(session)
    assert (line["id"], line["number"], line["session"]) == (turn.id, 1, session.id)
    assert (line["finish"], line["reply"]["text"]) == ("complete", "Hello")
    assert line["input"][0] == {"kind": "text", "text": "Listen:"}
    assert line["request"]["temperature"] == line["settings"]["params"]["temperature"] == 0.7
    assert line["usage"]["completion_tokens"] == 16
    assert line["cost_usd"] == pytest.approx(float(turn.cost))
    assert session.journal_folder is not None and turn.clip is not None
    for described, clip in ((line["input"][1], QUESTION), (line["reply"]["sound"], turn.clip)):
        path = session.journal_folder / described["file"]
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == described["sha256"]
        assert path.stem == described["sha256"][:16]
        assert Clip.read(path).samples.tobytes() == clip.samples.tobytes()


def test_equal_sounds_are_kept_once(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    for _ in range(2):
        session.say(QUESTION)
    assert session.journal_folder is not None
    assert len(list((session.journal_folder / "sound").iterdir())) == 2


def test_cut_and_stopped_turns_are_written_as_well(make_session: MakeSession) -> None:
    hold = Hold()
    events = events_of()
    service = Service(Reply(events[:-3]), Reply([*events[:-3], hold]))
    session = make_session(service)
    with pytest.raises(StreamBroken):
        session.say("one")
    turn = session.start_turn("two")
    hold.wait_until_reached()
    turn.stop()
    turn.wait(10)
    cut, stopped = lines_of(session)
    assert (cut["finish"], cut["error"]["name"]) == ("cut", "StreamBroken")
    assert (stopped["finish"], stopped["error"]) == ("stopped", None)
    assert cut["reply"]["sound"]["duration_s"] == stopped["reply"]["sound"]["duration_s"] > 0


def test_no_journal_writes_nothing(
    make_session: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = make_session(Service(recorded()), journal=False)
    session.say(QUESTION)
    assert session.journal_folder is None
    assert list(tmp_path.rglob("*")) == []


def test_a_folder_that_cannot_be_made_costs_a_notice_and_not_the_turn(
    make_session: MakeSession, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    session = make_session(Service(recorded()), journal=tmp_path / "taken" / "journal")
    turn = session.say("Hello.")
    assert (turn.finish, turn.text) == ("complete", "Hello")
    (notice,) = turn.notices
    assert "journal could not be written" in notice and "memory only" in notice


def test_a_turn_that_a_full_disk_refused_is_written_with_the_next(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(Service(recorded()))
    session.say("one")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        turn = session.say("two")
    assert turn.finish == "complete"
    assert any("No space left on device" in notice for notice in turn.notices)
    assert not turn.written
    session.say("three")
    assert [line["number"] for line in lines_of(session)] == [1, 2, 3]
    assert turn.written


def test_a_fault_in_writing_still_ends_the_turn_and_its_views(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(journal: Journal, turn: Turn) -> object:
        raise AssertionError("a fault of ours")

    monkeypatch.setattr(Journal, "ended", broken)
    session = make_session(Service(recorded()))
    told: list[str | None] = []

    class View:
        def started(self, turn: Turn) -> None: ...

        def event(self, turn: Turn, event: Event) -> None: ...

        async def ended(self, turn: Turn) -> None:
            told.append(turn.finish)

    turn = session.start_turn("Hello.", view=View())
    assert turn.wait(10)
    assert told == ["complete"] and turn.text == "Hello"
    assert session.say("Hello again.").finish == "complete"


def test_takes_lie_in_the_journal_or_in_a_temporary_folder(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = make_session(Service(recorded()))
    assert session.takes_folder == tmp_path / "journal" / session.id / "takes"
    assert session.takes_folder.is_dir()
    elsewhere = make_session(Service(recorded()), journal=False).takes_folder
    assert elsewhere.is_dir() and tmp_path not in elsewhere.parents
