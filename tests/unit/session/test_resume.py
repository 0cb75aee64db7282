"""A conversation that is resumed is the conversation that was held."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import ServiceError, UsageError
from cellvoice.session import Session, Turn
from cellvoice.session.journal import sessions
from cellvoice.session.journal._home import Home

from .conftest import MakeSession, Resume
from .rig import SHORTEST_EXPIRES_AT, Reply, Service, event, recorded, refusal, speech

QUESTION = Clip.from_pcm16(b"\x00\x10\x01\x20" * 1200)


def told(turn: Turn) -> dict[str, Any]:
    """All that a turn says of itself."""
    return {
        "id": turn.id,
        "number": turn.number,
        "asked_at": turn.asked_at.isoformat(timespec="milliseconds"),
        "input": turn.input,
        "model": turn.model,
        "voice": turn.voice,
        "badge": turn.badge,
        "text": turn.text,
        "clip": turn.clip,
        "finish": turn.finish,
        "usage": turn.usage,
        "cost": (turn.cost.usd, turn.cost.estimated, turn.cost.note),
        "timing": turn.timing,
        "notices": turn.notices,
        "request": turn.request.described() if turn.request else None,
        "request_id": turn.request_id,
        "expires_at": turn.expires_at,
        "audio_id": turn.reply.audio_id,
        "heartbeats": turn.reply.heartbeats,
        "logprobs": turn.reply.logprobs,
        "tool_calls": turn.reply.tool_calls,
        "error": repr(turn.error),
        "cell": turn.cell,
        "written": turn.written,
    }


def test_every_turn_says_the_same_of_itself(resume: Resume, make_session: MakeSession) -> None:
    service = Service(recorded(), speech("audio_2"), refusal(400, message="no", code="bad"))
    session = make_session(service, system="Be brief.", voice="marin", name="first talk")
    session.say(["Listen:", QUESTION], temperature=0.5)
    session.say("More.", voice=None)
    with pytest.raises(ServiceError):
        session.say("Too much.")
    before = [told(turn) for turn in session.turns]
    again = resume(session)
    assert [told(turn) for turn in again.turns] == before
    assert (again.id, again.name, again.system) == (session.id, "first talk", "Be brief.")
    assert (again.voice, again.model) == ("marin", "gpt-audio-1.5")
    assert float(again.cost) == float(session.cost) and again.usage == session.usage
    error = again.turns[2].error
    assert isinstance(error, ServiceError) and error.status == 400 and error.code == "bad"
    assert error.turn is again.turns[2]


def test_probabilities_tool_calls_and_other_choices_are_there(
    resume: Resume, make_session: MakeSession, recorded: Path
) -> None:
    for name in ("text.logprobs.sse", "text.two-parallel-tool-calls.sse"):
        session = make_session(Service(Reply([(recorded / name).read_bytes()])))
        turn = session.say("Hello.", voice=None, model="gpt-4o")
        again = resume(session).turns[0].reply
        assert again.logprobs == turn.reply.logprobs
        assert again.tool_calls == turn.reply.tool_calls
    two = [event({"choices": [{"index": n, "delta": {"content": f"answer {n}"}}]}) for n in (0, 1)]
    session = make_session(Service(Reply([*two, b"data: [DONE]\n\n"])))
    session.say("Hello.", voice=None, model="gpt-4o")
    again = resume(session).turns[0].reply
    assert [choice.text for choice in again.choices] == ["answer 0", "answer 1"]


def test_the_conversation_goes_on_by_audio_id_while_that_lives(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say(QUESTION)
    service = Service(recorded())
    again = resume(session, service)
    turn = again.say("And then?")
    messages = service.asked[0].body["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[0]["content"][0]["input_audio"]["data"] == QUESTION.to_base64("wav")
    assert messages[1] == {"role": "assistant", "audio": {"id": session.turns[0].reply.audio_id}}
    assert turn.id == f"{session.id}-2" and turn.number == 2
    assert [one.text for one in resume(again).turns] == ["Hello", "Hello"]


def test_after_the_hour_the_conversation_goes_on_by_its_words(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say("Hello.")
    session.close()
    assert session.journal_folder is not None
    late = resume(
        session.journal_folder,
        service := Service(recorded()),
        clock=lambda: SHORTEST_EXPIRES_AT + 1.0,
    )
    late.say("And then?")
    assert {"role": "assistant", "content": "Hello"} in service.asked[0].body["messages"]


def test_sound_is_read_only_when_somebody_wants_it(
    resume: Resume, make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(Service(recorded()))
    session.say(QUESTION)
    read: list[object] = []
    before = Clip.from_bytes

    def watched(data: bytes, format: str | None = None) -> Clip:  # noqa: A002
        read.append(data)
        return before(data, format)

    monkeypatch.setattr(Clip, "from_bytes", watched)
    (turn,) = resume(session).turns
    assert (turn.text, turn.finish, float(turn.cost) > 0, turn.reply.received_s > 0) == (
        "Hello",
        "complete",
        True,
        True,
    )
    assert read == []
    assert turn.clip == session.turns[0].clip and turn.input == (QUESTION,)
    assert len(read) == 2


def test_a_deleted_sound_costs_the_sound_and_is_told(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say(QUESTION)
    session.say("Second.")
    assert session.journal_folder is not None
    for path in (session.journal_folder / "sound").iterdir():
        path.unlink()
    service = Service(recorded())
    spoken, typed = (again := resume(session, service)).turns
    assert (spoken.text, spoken.clip, spoken.finish) == ("Hello", None, "complete")
    assert sum("sound of this turn is missing" in notice for notice in spoken.notices) == 2
    assert typed.input == ("Second.",)
    again.say("Third.")
    by_id = {"role": "assistant", "audio": {"id": typed.reply.audio_id}}
    # The first question is gone, and its answer alone would answer nothing. Of the second answer
    # the service still has the sound.
    assert service.asked[0].body["messages"][:2] == [{"role": "user", "content": "Second."}, by_id]


def test_a_sound_that_is_another_one_counts_as_missing(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say("Hello.")
    assert session.journal_folder is not None
    (path,) = (session.journal_folder / "sound").iterdir()
    path.write_bytes(QUESTION.to_bytes("flac"))
    (turn,) = resume(session).turns
    assert turn.clip is None and any("is missing" in notice for notice in turn.notices)


def test_settings_of_the_call_replace_those_that_were_kept(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()), voice="marin", temperature=0.4, name="talk")
    session.say("Hello.")
    session.voice = None
    session.say("In writing, please.")
    assert session.journal_folder is not None
    written = resume(session)
    assert written.voice is None and written.parameters == {"temperature": 0.4}
    spoken = resume(written, voice="cedar", temperature=1.0)
    assert spoken.voice == "cedar" and spoken.parameters == {"temperature": 1.0}


def test_a_turn_of_the_service_gets_no_badge_from_the_engine_that_is_asked_now(
    make_session: MakeSession,
) -> None:
    session = make_session(Service(recorded()))
    session.say("Hello.")
    session.close()
    assert session.journal_folder is not None
    with Session.resume(session.journal_folder) as again:
        assert again.badge and again.turns[0].badge == ""


def test_another_server_is_named_and_not_asked_by_itself(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(
        Service(recorded()), base_url="http://127.0.0.1:9/v1", api_key="sk-local-key"
    )
    session.say("Hello.")
    session.close()
    assert session.journal_folder is not None
    for path in session.journal_folder.rglob("*"):
        assert path.is_dir() or b"sk-local-key" not in path.read_bytes()
    again = resume(session.journal_folder)
    assert "http://127.0.0.1:9/v1; pass base_url=" in again.notice


def test_a_name_an_id_or_a_part_of_one_is_enough(
    resume: Resume, make_session: MakeSession, tmp_path: Path
) -> None:
    ids = []
    for at, name in ((1.7e9, "lesson one"), (1.71e9, "lesson two"), (1.72e9, None)):
        session = make_session(Service(recorded()), name=name, clock=lambda at=at: at)
        session.say("Hello.")
        session.close()
        ids.append(session.id)
    where = {"journal": tmp_path / "journal"}

    def found(name: Any) -> str:
        session = resume(name, **where)
        session.close()
        return session.id

    assert found("lesson one") == found("one") == found(ids[0]) == found(ids[0][:13]) == ids[0]
    assert found(sessions(where["journal"])[0]) == ids[2]
    with pytest.raises(UsageError, match="fits 2 conversations"):
        resume("lesson", **where)
    with pytest.raises(UsageError, match="there is no conversation 'four'"):
        resume("four", **where)
    with pytest.raises(UsageError, match="there is no conversation in"):
        resume(tmp_path, **where)
    with pytest.raises(UsageError, match="cannot resume 3"):
        resume(3, **where)


def test_of_two_with_one_name_the_newer_is_meant(
    resume: Resume, make_session: MakeSession, tmp_path: Path
) -> None:
    for at in (1_700_000_000.0, 1_710_000_000.0):
        session = make_session(Service(recorded()), name="talk", clock=lambda at=at: at)
        session.say("Hello.")
        session.close()
    again = resume("talk", journal=tmp_path / "journal")
    assert again.id == session.id


def test_a_session_that_is_resumed_in_its_own_process_goes_elsewhere(
    resume: Resume,
    make_session: MakeSession,
) -> None:
    session = make_session(Service(recorded()))
    session.say("Hello.")
    folder = session.journal_folder
    assert folder is not None
    again = resume(folder)
    again.say("In the new one.")
    turn = session.say("In the old one.")
    assert again.journal_folder == folder
    assert session.journal_folder not in (None, folder)
    assert any("goes on with this conversation" in notice for notice in turn.notices)
    assert [one.input for one in resume(again).turns] == [("Hello.",), ("In the new one.",)]
    assert [one.input for one in resume(session).turns] == [("Hello.",), ("In the old one.",)]


def test_a_forgotten_session_gives_its_folder_free(resume: Resume, tmp_path: Path) -> None:
    # Not by the fixture, which would hold it.
    session = Session(journal=tmp_path, transport=Service(recorded()))
    session.say("Hello.")
    assert session._journal is not None
    session._journal.flush()
    folder = session.journal_folder
    del session
    gc.collect()
    again = resume(folder)
    assert again.journal_folder == folder and "copy" not in again.notice


def test_a_journal_of_a_newer_format_is_refused(resume: Resume, make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    session.say("Hello.")
    session.close()
    assert session.journal_folder is not None
    path = session.journal_folder / "turns.jsonl"
    path.write_text(path.read_text().replace('"version":1', '"version":2'))
    with pytest.raises(UsageError, match="a newer cellvoice wrote it"):
        resume(session.journal_folder)
    assert [one.id for one in sessions(session.journal_folder.parent)] == [session.id]


def test_a_damaged_line_in_the_middle_costs_its_turn_and_is_told(
    resume: Resume,
    make_session: MakeSession,
) -> None:
    session = make_session(Service(recorded()))
    for text in ("one", "two", "three"):
        session.say(text)
    session.close()
    assert session.journal_folder is not None
    path = session.journal_folder / "turns.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    # The session's line, then each question and its end.
    assert [json.loads(line)["kind"] for line in lines] == ["session", *["asked", "ended"] * 3]
    path.write_text("".join([*lines[:3], "{nonsense\n", "[]\n", *lines[5:]]))
    again = resume(session)
    assert [turn.input for turn in again.turns] == [("one",), ("three",)]
    assert again.notice.count("is damaged and was left out") == 2


def test_turns_that_were_resumed_hold_no_file_open(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say(QUESTION)
    with resume(session) as again:
        assert again.turns[0].clip is not None
    assert again.journal_folder is not None
    with resume(again.journal_folder) as third:
        assert third.journal_folder == again.journal_folder


def questions(session: Session) -> list[object]:
    return [turn.input[0] for turn in session.turns]


@pytest.mark.parametrize("closed", [False, True])
def test_a_session_that_was_resumed_elsewhere_goes_on_beside_what_came_there(
    resume: Resume, make_session: MakeSession, closed: bool
) -> None:
    session = make_session(Service(recorded()))
    for text in ("one", "two"):
        session.say(text)
    assert session.journal_folder is not None
    folder = session.journal_folder
    if closed:
        session.close()
    elsewhere = resume(folder)
    elsewhere.say("three, there")
    elsewhere.say("four, there")
    if closed:
        elsewhere.close()
    # Its next turn would have the id of a turn that it does not know.
    turn = session.say("three, here")
    assert session.journal_folder not in (None, folder)
    assert any("what is said here is written in" in notice for notice in turn.notices)
    here = resume(session)
    assert questions(here) == ["one", "two", "three, here"]
    assert questions(resume(elsewhere)) == ["one", "two", "three, there", "four, there"]
    names = {path.name for path in (here.journal_folder or folder).glob("sound/*")}
    lines = (here.journal_folder or folder).joinpath("turns.jsonl").read_text()
    assert names and all(name in lines for name in names)


def test_the_shape_of_an_old_session_never_replaces_that_of_the_one_that_goes_on(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say("one")
    session.say("two")
    again = resume(session)
    again.say("three")
    again.close()
    session.undo()
    assert session._journal is not None
    session._journal.flush()
    assert questions(resume(again)) == ["one", "two", "three"]
    assert session.journal_folder == again.journal_folder, "a copy was made for nothing"


def test_what_another_process_writes_while_a_folder_is_opened_is_read(
    resume: Resume, make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(Service(recorded()))
    session.say("one")
    take_over = Home.take_over

    def late(home: Home) -> object:
        session.say("two")
        session.close()
        return take_over(home)

    monkeypatch.setattr(Home, "take_over", late)
    assert questions(resume(session.journal_folder)) == ["one", "two"]
