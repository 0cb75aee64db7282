"""Room is made by what is old or belongs to nothing, and by nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.session import Session
from cellvoice.session.journal import prune, sessions

from .conftest import MakeSession, Resume
from .rig import Service, recorded

DAY_S = 86_400.0
QUESTION = Clip.from_pcm16(b"\x00\x10" * 2400)


def talks(make_session: MakeSession, *ages_days: float) -> list[Session]:
    """A closed conversation of each age, all in one journal."""
    made = []
    for age in ages_days:
        at = time.time() - age * DAY_S
        session = make_session(Service(recorded()), clock=lambda at=at: at, name=f"{age:g} days")
        session.say(QUESTION)
        session.close()
        made.append(session)
    return made


def left_in(folder: Path) -> list[str]:
    return [one.name for one in sessions(folder)]


def test_the_list_tells_what_there_is(make_session: MakeSession, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    assert repr(sessions(folder)) == f"no conversations in {folder}"
    old, new = talks(make_session, 3, 1)
    found = sessions(folder)
    assert [one.id for one in found] == [new.id, old.id]
    first = found[0]
    assert (first.name, first.turns, first.model) == ("1 days", 1, "gpt-audio-1.5")
    clip = new.turns[0].clip
    assert clip is not None
    assert first.seconds == pytest.approx(QUESTION.duration_s + clip.duration_s, abs=0.01)
    assert first.size_bytes == sum(p.stat().st_size for p in first.folder.rglob("*") if p.is_file())
    assert first.cost_usd == pytest.approx(float(new.cost))
    assert found["3 days"].id == old.id and found[:1][0].id == new.id
    shown = repr(found)
    assert "2 conversations" in shown and new.id in shown and "kB in" in shown
    assert "<td>3 days</td>" in found._repr_html_()


def test_the_list_is_right_although_the_index_is_old_or_gone(
    make_session: MakeSession, tmp_path: Path
) -> None:
    (session,) = talks(make_session, 1)
    assert session.journal_folder is not None
    before = sessions(tmp_path / "journal")[0]
    index = session.journal_folder / "session.json"
    index.write_text('{"format": 1, "covers_bytes": 3, "turns": []}')
    (stale,) = sessions(tmp_path / "journal")
    index.unlink()
    (gone,) = sessions(tmp_path / "journal")
    assert (stale.turns, stale.seconds, stale.name, stale.made_at) == (
        gone.turns,
        gone.seconds,
        gone.name,
        gone.made_at,
    )
    assert (gone.turns, gone.name, gone.made_at) == (1, before.name, before.made_at)
    assert gone.seconds == pytest.approx(before.seconds, abs=0.002)


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ({}, ["1 days", "5 days", "9 days"]),
        ({"keep": 1}, ["1 days"]),
        ({"keep": 0}, []),
        ({"older_than_days": 4}, ["1 days"]),
        ({"older_than_days": 4, "keep": 2}, ["1 days", "5 days"]),
        ({"older_than_days": 6, "keep": 1}, ["1 days", "5 days"]),
    ],
)
def test_what_no_rule_spares_goes(
    make_session: MakeSession, tmp_path: Path, rules: dict[str, int], left: list[str]
) -> None:
    folder = tmp_path / "journal"
    talks(make_session, 9, 5, 1)
    would = prune(**rules, dry_run=True, journal=folder)  # type: ignore[arg-type]
    assert len(left_in(folder)) == 3 and "would remove" in repr(would)
    did = prune(**rules, journal=folder)  # type: ignore[arg-type]
    assert left_in(folder) == left
    assert len(did.sessions) == 3 - len(left) == len(would.sessions)
    assert did.freed_bytes == would.freed_bytes
    assert did.kept == len(left)
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {
        one.id for one in sessions(folder)
    }


def test_sound_without_an_owner_goes_and_sound_with_one_stays(
    make_session: MakeSession, tmp_path: Path, resume: Resume
) -> None:
    (session,) = talks(make_session, 1)
    folder = session.journal_folder
    assert folder is not None
    (folder / "sound" / "0123456789abcdef.flac").write_bytes(b"no line names this")
    (folder / "sound" / ".half.part").write_bytes(b"a write that was cut")
    (folder / "running").mkdir(exist_ok=True)
    (folder / "running" / f"{session.turns[0].id}.pcm16").write_bytes(b"\0\0")
    (folder / "sound" / "notes.txt").write_text("somebody's own")
    did = prune(journal=tmp_path / "journal")
    assert sorted(path.name for path in did.orphans) == [
        ".half.part",
        "0123456789abcdef.flac",
        f"{session.turns[0].id}.pcm16",
    ]
    assert (folder / "sound" / "notes.txt").exists()
    (turn,) = resume(folder).turns
    assert turn.clip == session.turns[0].clip and turn.input == (QUESTION,)


def test_a_folder_with_damaged_lines_loses_no_sound(
    make_session: MakeSession, tmp_path: Path
) -> None:
    (session,) = talks(make_session, 1)
    assert session.journal_folder is not None
    lines = session.journal_folder / "turns.jsonl"
    lines.write_bytes(lines.read_bytes().replace(b'{"kind":"ended"', b'{"kind:"ended"'))
    before = sorted(session.journal_folder.rglob("*"))
    assert prune(journal=tmp_path / "journal").orphans == ()
    assert sorted(session.journal_folder.rglob("*")) == before


def test_what_is_in_use_and_what_is_not_ours_is_left_alone(
    make_session: MakeSession, tmp_path: Path
) -> None:
    old, older = talks(make_session, 5, 6)
    old.say("Still here.")
    assert older.journal_folder is not None
    (older.journal_folder / "notes.txt").write_text("somebody's own")
    (tmp_path / "journal" / "pictures").mkdir()
    did = prune(older_than_days=1, journal=tmp_path / "journal")
    assert [one.id for one in did.in_use] == [old.id] and "left alone" in repr(did)
    assert left_in(tmp_path / "journal") == ["5 days"]
    assert [path.name for path in older.journal_folder.iterdir()] == ["notes.txt"]
    assert (tmp_path / "journal" / "pictures").is_dir()
    assert old.say("And here.").written


def test_a_link_to_another_folder_is_not_followed(
    make_session: MakeSession, tmp_path: Path
) -> None:
    (session,) = talks(make_session, 9)
    assert session.journal_folder is not None
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "song.flac").write_bytes(b"mine")
    takes = session.journal_folder / "takes"
    takes.symlink_to(mine, target_is_directory=True)
    prune(keep=0, journal=tmp_path / "journal")
    assert (mine / "song.flac").read_bytes() == b"mine"
    assert left_in(tmp_path / "journal") == []


@pytest.mark.parametrize(
    "rules", [{"keep": -1}, {"keep": True}, {"keep": 1.5}, {"older_than_days": -1}]
)
def test_a_rule_that_cannot_be_is_refused(tmp_path: Path, rules: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="expected"):
        prune(**rules, journal=tmp_path)  # type: ignore[arg-type]
