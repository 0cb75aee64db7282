"""One file holds the whole conversation, and a file that is none does no harm."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.session import Session, sessions

from .conftest import MakeSession
from .rig import SHORTEST_EXPIRES_AT, Hold, Reply, Service, events_of, recorded

QUESTION = Clip.from_pcm16(b"\x00\x10\x01\x20" * 1200)
Load = Callable[..., Session]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Load a file into a journal of its own; closed at the end."""
    made: list[Session] = []

    def loaded(path: Path, **settings: Any) -> Session:
        settings = {
            "journal": tmp_path / "elsewhere",
            "transport": Service(recorded()),
            "clock": lambda: SHORTEST_EXPIRES_AT - 1800.0,
            **settings,
        }
        session = Session.load(path, **settings)
        made.append(session)
        return session

    yield loaded
    for session in made:
        session.close()


def talk(make_session: MakeSession, **settings: Any) -> Session:
    session = make_session(Service(recorded()), voice="marin", name="talk", **settings)
    session.say([QUESTION, "What is this?"])
    session.say("And that?", temperature=0.3)
    return session


def same(one: Session, two: Session) -> bool:
    return [(t.id, t.text, t.clip, t.input, t.finish, t.usage) for t in one.turns] == [
        (t.id, t.text, t.clip, t.input, t.finish, t.usage) for t in two.turns
    ]


@pytest.mark.parametrize("journal", [True, False])
def test_a_saved_conversation_is_loaded_as_it_was(
    make_session: MakeSession, load: Load, tmp_path: Path, journal: bool
) -> None:
    session = talk(make_session, journal=tmp_path / "first" if journal else False)
    path = session.save(tmp_path / "talk.zip")
    again = load(path)
    assert same(session, again)
    assert (again.name, again.voice) == ("talk", "marin")
    assert again.journal_folder == tmp_path / "elsewhere" / session.id
    assert again.say("And then?").id == f"{session.id}-3"
    assert (tmp_path / "elsewhere" / ".gitignore").exists()
    again.close()
    assert [one.turns for one in sessions(tmp_path / "elsewhere")] == [3]


def test_a_second_loading_gets_a_folder_of_its_own(
    make_session: MakeSession, load: Load, tmp_path: Path
) -> None:
    session = talk(make_session)
    path = session.save(tmp_path / "talk.zip")
    one, two = load(path), load(path)
    one.say("In the first.")
    assert one.journal_folder != two.journal_folder
    assert same(session, two) and len(one.turns) == 3


def test_without_a_journal_nothing_is_left(
    make_session: MakeSession, load: Load, tmp_path: Path
) -> None:
    session = talk(make_session)
    path = session.save(tmp_path / "talk.zip")
    session.close()
    before = sorted(tmp_path.rglob("*"))
    again = load(path, journal=False)
    assert same(session, again) and again.journal_folder is None
    again.say("And then?")
    again.save(path)
    assert sorted(tmp_path.rglob("*")) == before
    assert len(load(path, journal=False).turns) == 3


def test_recordings_that_were_not_sent_stay_at_home(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = talk(make_session)
    (session.takes_folder / "mine.pcm16").write_bytes(b"\1\2" * 100)
    with zipfile.ZipFile(session.save(tmp_path / "talk.zip")) as whole:
        assert not [name for name in whole.namelist() if "mine" in name or "lock" in name]


def test_a_reply_that_is_coming_is_saved_as_far_as_it_has_come(
    make_session: MakeSession, load: Load, tmp_path: Path
) -> None:
    hold = Hold()
    session = make_session(Service(recorded(), Reply([*events_of()[:9], hold])))
    session.say("First.")
    running = session.start_turn("Second.")
    hold.wait_until_reached()
    half = load(session.save(tmp_path / "talk.zip")).turns[1]
    assert (half.finish, half.reply.pcm) == ("cut", running.reply.pcm)
    hold.release()


def test_an_empty_conversation_can_not_be_saved(make_session: MakeSession, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no turns yet"):
        make_session(Service(recorded())).save(tmp_path / "talk.zip")
    assert list(tmp_path.iterdir()) == []


def rewritten(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The same file with other members."""
    with zipfile.ZipFile(path) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as whole:
        for name, content in members.items():
            whole.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name",
    ["../outside.txt", "sound/../../outside.txt", "/outside.txt", "\\outside.txt", "a\\..\\b"],
)
def test_a_file_that_leads_out_of_its_folder_is_refused(
    make_session: MakeSession, load: Load, tmp_path: Path, name: str
) -> None:
    path = rewritten(
        talk(make_session).save(tmp_path / "talk.zip"), lambda all_: all_.update({name: b"x"})
    )
    with pytest.raises(UsageError, match="leads out of its folder"):
        load(path)
    assert not list(tmp_path.rglob("outside.txt"))
    assert [entry.name for entry in (tmp_path / "elsewhere").iterdir()] == [".gitignore"]


def test_what_is_no_part_of_a_conversation_is_not_unpacked(
    make_session: MakeSession, load: Load, tmp_path: Path
) -> None:
    extra = {"run_me.py": b"x", "sound/song.flac": b"x", "running/x.sh": b"x", "lock": b"{}"}
    path = rewritten(
        talk(make_session).save(tmp_path / "talk.zip"), lambda all_: all_.update(extra)
    )
    folder = load(path).journal_folder
    assert folder is not None
    names = {entry.name for entry in folder.rglob("*")}
    assert not names & {"run_me.py", "song.flac", "x.sh"}


def test_a_folder_name_in_the_lines_is_not_believed(
    make_session: MakeSession, load: Load, tmp_path: Path
) -> None:
    session = talk(make_session)

    def change(members: dict[str, bytes]) -> None:
        lines = members["turns.jsonl"].replace(
            f'"id":"{session.id}","name"'.encode(), b'"id":"../../outside","name"'
        )
        assert lines != members["turns.jsonl"]
        members["turns.jsonl"] = lines.replace(b'"file":"sound/', b'"file":"sound/../')

    again = load(rewritten(session.save(tmp_path / "talk.zip"), change))
    assert again.journal_folder is not None
    assert again.journal_folder.parent == tmp_path / "elsewhere"
    assert not (tmp_path / "outside").exists()
    assert [turn.clip for turn in again.turns] == [None, None]


def test_the_address_in_a_file_is_not_asked_by_itself(
    make_session: MakeSession, load: Load, tmp_path: Path
) -> None:
    session = talk(make_session, base_url="http://127.0.0.1:9/v1", api_key="sk-local-key")
    again = load(session.save(tmp_path / "talk.zip"))
    assert "http://127.0.0.1:9/v1" not in repr(again._asking.wire)
    assert "pass base_url= to go on there" in again.notice


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no zip at all", "can't be read"),
        (None, "there is no file"),
        ({"notes.txt": b"hello"}, "has no turns.jsonl"),
        ({"turns.jsonl": b'{"kind":"session","version":9}\n'}, "a newer cellvoice wrote it"),
    ],
)
def test_what_is_no_saved_conversation_is_refused_in_a_sentence(
    load: Load, tmp_path: Path, content: bytes | dict[str, bytes] | None, sentence: str
) -> None:
    path = tmp_path / "talk.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(path, "w") as whole:
            for name, body in content.items():
                whole.writestr(name, body)
    with pytest.raises(UsageError, match=sentence):
        load(path)
    left = [entry.name for entry in (tmp_path / "elsewhere").iterdir()]
    assert left == [".gitignore"]


def test_a_file_that_was_cut_is_refused_at_every_length(
    make_session: MakeSession, load: Load, tmp_path: Path
) -> None:
    content = talk(make_session).save(tmp_path / "talk.zip").read_bytes()
    path = tmp_path / "cut.zip"
    for size in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:size])
        with pytest.raises(UsageError):
            load(path)


def test_lines_that_would_fill_a_disk_are_refused(
    make_session: MakeSession, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cellvoice.session import _saving

    path = talk(make_session).save(tmp_path / "talk.zip")
    monkeypatch.setattr(_saving, "_LARGEST_LINES_BYTES", 1_000)
    with pytest.raises(UsageError, match="a conversation is not so large"):
        load(path)


def test_messages_hold_the_conversation_in_the_services_json(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = talk(make_session, system="Be brief.")
    messages = session.to_messages()
    assert json.loads(json.dumps(messages)) == messages
    assert [message["role"] for message in messages] == [
        "system",
        *["user", "assistant"] * 2,
    ]
    assert messages[2] == {"role": "assistant", "content": "Hello"}
    assert session.to_messages(audio_ids=True)[2]["audio"]
    service = Service(recorded())
    again = Session.from_messages(
        messages,
        transport=service,
        journal=tmp_path / "again",
        clock=lambda: SHORTEST_EXPIRES_AT - 1800.0,
    )
    assert again.system == "Be brief."
    assert [turn.input for turn in again.turns] == [(QUESTION, "What is this?"), ("And that?",)]
    assert [turn.text for turn in again.turns] == ["Hello", "Hello"]
    assert float(again.cost) == 0.0
    again.say("And then?")
    assert service.asked[0].body["messages"][:5] == messages
    again.close()
    resumed = Session.resume(again.id, journal=tmp_path / "again", transport=service)
    assert [turn.text for turn in resumed.turns] == ["Hello"] * 3
    resumed.close()


def test_the_services_own_answer_is_read_with_its_sound_and_id() -> None:
    answer = {
        "role": "assistant",
        "content": None,
        "audio": {
            "id": "audio_1",
            "data": QUESTION.to_base64("wav"),
            "expires_at": 2_000_000_000,
            "transcript": "Hello",
        },
    }
    service = Service(recorded())
    session = Session.from_messages(
        [{"role": "user", "content": "Hi"}, answer],
        transport=service,
        journal=False,
        clock=lambda: 1_999_990_000.0,
    )
    (turn,) = session.turns
    assert (turn.text, turn.clip, turn.finish) == ("Hello", QUESTION, "complete")
    session.say("And?")
    assert service.asked[0].body["messages"][1] == {"role": "assistant", "audio": {"id": "audio_1"}}
    session.close()


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ("hello", "expected a list of messages"),
        ([{"role": "assistant", "content": "Hi"}], r"messages\[0\] has role 'assistant'"),
        ([{"role": "user", "content": "Hi"}], "the last message has no answer"),
        (
            [{"role": "user", "content": "Hi"}, {"role": "assistant", "audio": {"id": "a"}}],
            "an answer's id holds for an hour",
        ),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "type 'image_url'"),
        ([{"role": "user", "content": ""}, {"role": "assistant", "content": "x"}], "is empty"),
        ([7], "has role None"),
    ],
)
def test_messages_that_are_no_conversation_are_refused(messages: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Session.from_messages(messages, transport=Service(recorded()), journal=False)
