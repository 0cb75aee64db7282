"""Whatever ends a process or fills a disk: what was complete is there, what was half is marked."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cellvoice.audio import Clip
from cellvoice.session.journal import read_story, sessions
from cellvoice.session.journal._home import Home

from .child import QUESTION
from .conftest import MakeSession, Resume
from .rig import Hold, Reply, Service, events_of, recorded, sound_in

CHILD = Path(__file__).with_name("child.py")


@contextmanager
def child(folder: Path, what: str, argument: object) -> Iterator[subprocess.Popen[str]]:
    """Another process, as `child.py` tells; killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), what, str(argument)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_from(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(10)


@pytest.mark.parametrize("pieces", [0, 1, 3, 6, 9, 12])
def test_a_process_killed_in_a_reply_leaves_all_that_had_come(
    resume: Resume, tmp_path: Path, pieces: int
) -> None:
    with child(tmp_path, "held", pieces) as process:
        name = line_from(process)
        kill(process)
    came = b"".join(events_of()[:pieces])
    session = resume(name, journal=tmp_path)
    whole, half = session.turns
    assert (whole.finish, whole.text, whole.input) == ("complete", "Hello", ("First.",))
    assert half.input == (QUESTION, "Second.") and half.number == 2
    assert bytes(half.reply.pcm) == sound_in(came)
    assert half.finish == ("cut" if half.reply.pcm or half.text else "failed")
    assert any("ended" in notice and "ask again" in notice for notice in half.notices)
    assert half.request is not None and half.request.model == "gpt-audio-1.5"


def test_the_half_turn_is_written_to_its_end_when_it_is_found(
    resume: Resume, tmp_path: Path
) -> None:
    with child(tmp_path, "held", 9) as process:
        name = line_from(process)
        kill(process)
    with resume(name, journal=tmp_path) as session:
        half = session.turns[1]
        sound, text = half.clip, half.text
        session.say("And then?")
    assert list((tmp_path / name / "running").iterdir()) == []
    again = resume(name, journal=tmp_path).turns
    assert [turn.finish for turn in again] == ["complete", "cut", "complete"]
    assert (again[1].clip, again[1].text) == (sound, text)


def test_a_reply_that_was_whole_is_complete_although_its_end_was_not_written(
    resume: Resume,
    tmp_path: Path,
) -> None:
    with child(tmp_path, "held", len(events_of())) as process:
        name = line_from(process)
        kill(process)
    turn = resume(name, journal=tmp_path).turns[1]
    assert (turn.finish, turn.text) == ("complete", "Hello")
    assert turn.usage is not None and bytes(turn.reply.pcm) == sound_in(b"".join(events_of()))


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_every_turn_that_had_ended_survives_a_kill_at_any_moment(
    resume: Resume, tmp_path: Path, after: int
) -> None:
    with child(tmp_path, "turns", 50) as process:
        name = line_from(process)
        done = [line_from(process) for _ in range(after)]
        kill(process)
        assert process.stdout is not None
        done += process.stdout.read().split()
    if not (tmp_path / name).exists():
        assert done == []
        return
    found = {turn.id: turn for turn in resume(name, journal=tmp_path).turns}
    for number, turn_id in enumerate(done):
        turn = found[turn_id]
        assert (turn.finish, turn.text) == ("complete", "Hello")
        assert turn.input == ((QUESTION,) if number % 2 else (f"Question {number}",))
        assert turn.clip is not None and turn.clip.to_pcm16() == sound_in(b"".join(events_of()))


def test_a_second_process_gets_a_copy_and_a_sentence(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say(QUESTION)
    folder = session.journal_folder
    assert folder is not None
    with child(folder.parent, "resume", session.id) as process:
        theirs = Path(line_from(process))
        sentence = line_from(process)
        assert theirs != folder and theirs.parent == folder.parent
        assert f"process {os.getpid()} writes in {folder}, so this is a copy" in sentence
        session.say("Ours.")
        used = {one.id: one.used_by for one in sessions(folder.parent)}
        assert str(used[theirs.name]) == f"process {process.pid}"
        out, _ = process.communicate("go on", timeout=20)
    assert out.strip() == f"{theirs.name}-2"
    assert [turn.input for turn in resume(theirs).turns] == [(QUESTION,), ("And then?",)]
    session.close()
    assert [turn.input for turn in resume(folder).turns] == [(QUESTION,), ("Ours.",)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_writes_in_a_folder_of_its_own(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say("Before.")
    folder = session.journal_folder
    assert folder is not None
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            session.say("In the child.")
            session.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    session.say("In the parent.")
    session.close()
    theirs = next(path for path in folder.parent.iterdir() if f"-{pid}" in path.name)
    assert [turn.input for turn in resume(theirs).turns] == [
        ("Before.",),
        ("In the child.",),
    ]
    assert [turn.input for turn in resume(folder).turns] == [
        ("Before.",),
        ("In the parent.",),
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for very little."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.call(mount, stderr=subprocess.DEVNULL):
        pytest.skip("a disk of its own can't be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_costs_a_notice_and_later_room_brings_everything(
    small_disk: Path, resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()), journal=small_disk)
    first = session.say("First.")
    ballast = small_disk / "ballast"
    _fill(ballast)
    lost = [session.say("Second."), session.say(QUESTION)]
    for turn in lost:
        assert (turn.finish, turn.text, turn.written) == ("complete", "Hello", False)
        assert any("No space left on device" in notice for notice in turn.notices)
    assert session.journal_folder is not None
    kept = read_story(session.journal_folder)
    assert kept.turns[first.id].ended and kept.problems == []
    ballast.unlink()
    last = session.say("Last.")
    assert last.written and all(turn.written for turn in lost)
    session.close()
    again = resume(session.journal_folder).turns
    assert [turn.input for turn in again] == [("First.",), ("Second.",), (QUESTION,), ("Last.",)]
    assert all(turn.clip == first.clip for turn in again)


def test_a_disk_that_fills_up_in_a_reply_keeps_the_turn_in_memory(
    small_disk: Path, make_session: MakeSession
) -> None:
    hold, events = Hold(), events_of()
    session = make_session(Service(Reply([*events[:10], hold, *events[10:]])), journal=small_disk)
    turn = session.start_turn("Hello.")
    hold.wait_until_reached()
    _fill(small_disk / "ballast")
    hold.release()
    assert turn.wait(10)
    assert (turn.finish, turn.text, turn.written) == ("complete", "Hello", False)
    assert bytes(turn.reply.pcm) == sound_in(b"".join(events))


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            with pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(b"\0" * size)


def test_a_file_that_may_not_grow_gets_no_half_line(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()))
    session.say("First.")
    assert session.journal_folder is not None and session._journal is not None
    session._journal.flush()
    lines = (session.journal_folder / "turns.jsonl").read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # In the middle of the next line: the write takes a part, and then refuses.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(lines) + 100, before[1]))
    try:
        turn = session.say("Second.")
        session._journal.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not turn.written and any("File too large" in notice for notice in turn.notices)
    assert (session.journal_folder / "turns.jsonl").read_bytes() == lines
    session.close()
    assert [turn.input for turn in resume(session.journal_folder).turns] == [("First.",)]


def test_a_recording_of_a_killed_process_is_found_and_can_be_sent(
    resume: Resume,
    make_session: MakeSession,
) -> None:
    session = make_session(Service(recorded()))
    session.say(QUESTION)
    takes = session.takes_folder
    for name, clip in (("sent", QUESTION), ("half", Clip.from_pcm16(b"\1\2\3\4\5"))):
        (takes / f"{name}.pcm16").write_bytes(clip.to_pcm16())
        (takes / f"{name}.json").write_text('{"sample_rate_hz": 24000, "device": ""}')
    (takes / "odd.pcm16").write_bytes(b"\1\2\3")
    (takes / "odd.json").write_text('{"sample_r')
    session.close()
    assert session.journal_folder is not None
    again = resume(session.journal_folder)
    assert {take.name for take in again.unsent_takes} == {"half", "odd"}
    by_name = {take.name: take for take in again.unsent_takes}
    assert by_name["odd"].clip.to_pcm16() == b"\1\2" and by_name["odd"].sample_rate_hz == 24_000
    again.say(by_name["half"].clip)
    by_name["odd"].discard()
    assert again.unsent_takes == ()


def test_a_recording_is_found_although_no_turn_was_ever_asked(
    resume: Resume, make_session: MakeSession
) -> None:
    session = make_session(Service(recorded()), name="first words", voice="marin")
    (session.takes_folder / "first.pcm16").write_bytes(QUESTION.to_pcm16())
    session.close()
    (listed,) = sessions(session.takes_folder.parents[1])
    assert (listed.name, listed.turns) == ("first words", 0)
    again = resume(listed)
    (take,) = again.unsent_takes
    assert (take.clip, again.voice, again.turns) == (QUESTION, "marin", ())


def test_the_loop_never_waits_for_the_disk(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(Service(recorded()))
    on_loop: list[str] = []
    from cellvoice.session import is_background_thread

    real = os.fsync

    def watched(handle: int) -> None:
        if is_background_thread():
            on_loop.append("fsync")
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)

    def opened(path: Path, *args: object, **options: object) -> object:
        if is_background_thread() and session.journal_folder in path.parents:
            on_loop.append(path.name)
        return open_file(path, *args, **options)  # type: ignore[arg-type]

    open_file = Path.open
    monkeypatch.setattr(Path, "open", opened)
    session.say(QUESTION)
    assert on_loop == []


def test_a_journal_that_fails_in_a_reply_does_not_touch_it(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(home: Home) -> Path:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Home, "enter", broken)
    turn = make_session(Service(recorded())).say("Hello.")
    assert (turn.finish, turn.text, turn.written) == ("complete", "Hello", False)
    assert any("Input/output error" in notice for notice in turn.notices)
