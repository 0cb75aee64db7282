"""A journal whose files end anywhere: what is whole is read, what is half is marked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellvoice.audio import Clip
from cellvoice.protocol import Reply as ProtocolReply
from cellvoice.protocol import StreamParser, fold
from cellvoice.session import Session
from cellvoice.session.journal import prune, read_story
from cellvoice.session.journal._lines import LineFile, lines_in
from cellvoice.session.journal._spool import Spool, read_spool

from .rig import Hold, Reply, Service, events_of, recorded

QUESTION = Clip.from_pcm16(b"\x00\x10" * 1200)
ANYWHERE = st.floats(0, 1)
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Talk:
    """A conversation of two whole turns and one that was being received, as it lay on disk."""

    folder: Path
    texts: tuple[str, ...]
    ids: tuple[str, ...]
    sounds: tuple[Clip, ...]
    half_pcm: bytes


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    folder = tmp_path_factory.mktemp("talk")
    hold = Hold()
    service = Service(recorded(), recorded(), Reply([*events_of()[:9], hold]))
    with Session("gpt-audio-1.5", journal=folder, transport=service) as session:
        session.say("First.")
        session.say([QUESTION, "Second."])
        half = session.start_turn("Third.")
        hold.wait_until_reached()
        assert session._journal is not None and session.journal_folder is not None
        session._journal.flush()
        shutil.copytree(session.journal_folder, folder / "kept")
        sounds = tuple(turn.clip for turn in session.turns[:2] if turn.clip is not None)
        ids = tuple(turn.id for turn in session.turns)
        yield Talk(
            folder / "kept", ("First.", "Second.", "Third."), ids, sounds, bytes(half.reply.pcm)
        )
        hold.release()


def cut(path: Path, part: float) -> int:
    """Cut a file to a part of its length; how long it is then."""
    content = path.read_bytes()
    left = round(len(content) * part)
    path.write_bytes(content[:left])
    return left


def whole_ends(lines: bytes) -> set[str]:
    """The turns whose last line is there, whole but perhaps for its line end."""
    found = set()
    for raw in lines.split(b"\n"):
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if line["kind"] == "ended":
            found.add(line["id"])
    return found


@MANY
@given(lines=ANYWHERE, words=ANYWHERE, sound=ANYWHERE)
def test_cut_anywhere_every_whole_turn_is_there_and_the_half_one_marked(
    talk: Talk, tmp_path_factory: pytest.TempPathFactory, lines: float, words: float, sound: float
) -> None:
    folder = tmp_path_factory.mktemp("cut") / "talk"
    shutil.copytree(talk.folder, folder)
    cut(folder / "turns.jsonl", lines)
    for path in (folder / "running").iterdir():
        cut(path, sound if path.suffix == ".pcm16" else words)
    kept = (folder / "turns.jsonl").read_bytes()
    ends, asked = whole_ends(kept), {turn for turn in talk.ids if f'"id":"{turn}"'.encode() in kept}
    with Session.resume(folder, transport=Service(recorded())) as session:
        found = {turn.id: turn for turn in session.turns}
        assert ends <= found.keys() <= asked
        for at, turn_id in enumerate(talk.ids[:2]):
            if turn_id in ends:
                assert found[turn_id].finish == "complete" and found[turn_id].text == "Hello"
                assert found[turn_id].clip == talk.sounds[at]
                assert found[turn_id].input[-1] == talk.texts[at]
        for turn_id, turn in found.items():
            if turn_id not in ends:
                assert turn.finish in ("cut", "failed") and turn.notices
                assert talk.half_pcm.startswith(bytes(turn.reply.pcm))
        assert [turn.number for turn in session.turns] == list(range(1, len(found) + 1))
        session.say("And then?")
    _no_sound_without_an_owner(folder)
    with Session.resume(folder, transport=Service(recorded())) as again:
        assert [turn.id for turn in again.turns][:-1] == list(found)
        assert again.turns[-1].text == "Hello" and "damaged" not in again.notice


def _no_sound_without_an_owner(folder: Path) -> None:
    prune(journal=folder.parent)
    story = read_story(folder)
    named = {
        sound["file"]
        for turn in story.turns.values()
        for sound in (*turn.record.get("input", ()), turn.record.get("reply", {}).get("sound"))
        if sound and "file" in sound
    }
    there = {f"sound/{path.name}" for path in (folder / "sound").iterdir()}
    assert there == named


def test_a_last_line_cut_at_any_byte_is_taken_back_before_the_next(tmp_path: Path) -> None:
    last = '{"kind":"ended","text":"täglich"}'.encode()
    for size in range(len(last) + 1):
        path = tmp_path / f"{size}.jsonl"
        path.write_bytes(b'{"n":1}\n' + last[:size])
        whole = size == len(last)
        assert [line for _, line in lines_in(path)] == [{"n": 1}, *([json.loads(last)] * whole)]
        LineFile(path).append(b'{"n":3}')
        assert [line for _, line in lines_in(path)][-1] == {"n": 3}
        assert len(path.read_bytes().splitlines()) == 2 + whole


@pytest.mark.parametrize(
    "name",
    [
        "gpt-audio-1.5.basic.shortest.sse",
        "text.logprobs.sse",
        "text.two-parallel-tool-calls.sse",
        "text.finish-length.sse",
        "gpt-4o.refusal.sse",
    ],
)
def test_a_reply_put_together_from_disk_is_the_reply_that_came(
    tmp_path: Path, recorded: Path, name: str
) -> None:
    expected, parser, spool = ProtocolReply(), StreamParser(), Spool(tmp_path, "talk-1")
    stream = (recorded / name).read_bytes()
    for start in range(0, len(stream), 700):
        events = parser.feed(stream[start : start + 700])
        spool.append(events)
        for event in events:
            fold(expected, event)
        found = read_spool(tmp_path, "talk-1")
        assert found is None or found.reply == expected


def test_other_choices_are_put_together_from_disk(tmp_path: Path) -> None:
    choices: list[dict[str, Any]] = [
        {
            "index": n,
            "delta": {"audio": {"id": f"audio_{n}", "data": "AQACAA==", "transcript": "x"}},
        }
        for n in (0, 1, 2, 1)
    ]
    body = b"".join(
        b"data: " + json.dumps({"choices": [one]}).encode() + b"\n\n" for one in choices
    )
    expected = ProtocolReply()
    events = StreamParser().feed(body)
    for event in events:
        fold(expected, event)
    Spool(tmp_path, "talk-1").append(events)
    found = read_spool(tmp_path, "talk-1")
    assert found is not None and found.reply == expected
    assert [len(choice.pcm) for choice in found.reply.choices] == [4, 8, 4]


@MANY
@given(words=st.integers(0, 4000), sound=st.integers(0, 60_000))
def test_a_reply_on_disk_cut_at_any_byte_is_the_beginning_of_it(
    tmp_path_factory: pytest.TempPathFactory, words: int, sound: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    parser, whole = StreamParser(), ProtocolReply()
    spool = Spool(folder, "talk-1")
    for raw in events_of():
        events = parser.feed(raw)
        spool.append(events)
        for event in events:
            fold(whole, event)
    for ending, size in (("jsonl", words), ("pcm16", sound)):
        path = folder / "running" / f"talk-1.{ending}"
        path.write_bytes(path.read_bytes()[:size])
    found = read_spool(folder, "talk-1")
    assert found is not None
    assert whole.transcript.startswith(found.reply.transcript)
    # All samples that are on disk, whether a line speaks of them or not, but for half a sample.
    assert bytes(found.reply.pcm) == bytes(whole.pcm[: sound - sound % 2])


def test_a_turn_id_that_leads_elsewhere_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("{}\n")
    (tmp_path / "running").mkdir()
    assert read_spool(tmp_path, "../secret") is None
