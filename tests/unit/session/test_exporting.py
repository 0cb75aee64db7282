"""A conversation for people, and as a program that holds it again."""

from __future__ import annotations

import base64
import functools
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cellvoice
from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.session import Session

from .conftest import MakeSession, Resume
from .rig import Service, recorded

QUESTION = Clip.from_array(np.sin(np.arange(12_000) / 20).astype(np.float32) / 2, 24_000).as_int16()


def talk(make_session: MakeSession, **settings: Any) -> Session:
    session = make_session(Service(recorded()), name="a <talk>", **settings)
    session.say([QUESTION, "What is <this>?"])
    session.say("And that?", voice="cedar", temperature=0.3)
    return session


class Page(HTMLParser):
    """The elements of a page and the sounds in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.sounds: list[bytes] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            assert not name.startswith("on")
            if name in ("src", "href"):
                self.links.append(value or "")
                if tag == "audio":
                    self.sounds.append(base64.b64decode((value or "").partition(",")[2]))


def test_the_page_is_read_and_heard_without_script_and_network(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = talk(make_session)
    path = session.export(tmp_path / "talk.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.tags & {"script", "iframe", "object", "link"}
    assert all(link.startswith("data:") for link in page.links)
    assert "What is &lt;this&gt;?" in text and "<talk>" not in text and "<this>" not in text
    heard = [Clip.from_bytes(sound) for sound in page.sounds]
    replies = [turn.clip for turn in session.turns]
    expected = [QUESTION, replies[0], replies[1]]
    assert [clip.duration_s for clip in heard] == pytest.approx(
        [clip.duration_s for clip in expected if clip], abs=0.05
    )


def test_the_page_of_a_resumed_conversation_is_the_same(
    make_session: MakeSession, resume: Resume, tmp_path: Path
) -> None:
    session = talk(make_session)
    before = session.export(tmp_path / "before.html").read_text()
    after = resume(session).export(tmp_path / "after.html").read_text()
    assert after == before


def test_the_text_has_every_word_and_no_tag(make_session: MakeSession, tmp_path: Path) -> None:
    text = talk(make_session).export(tmp_path / "talk.md").read_text(encoding="utf-8")
    assert text.startswith("# a &lt;talk>")
    assert text.count("Hello") == 2 and "What is &lt;this>?" in text and "And that?" in text
    assert len(re.findall(r"(?m)^## ", text)) == 2


def test_what_cannot_be_exported_is_told(make_session: MakeSession, tmp_path: Path) -> None:
    session = make_session(Service(recorded()))
    with pytest.raises(UsageError, match="no turns yet"):
        session.export(tmp_path / "talk.html")
    with pytest.raises(UsageError, match="nothing was spoken by nobody"):
        session.export_audio(tmp_path / "talk.wav")
    with pytest.raises(UsageError, match="no turns yet"):
        session.to_script()
    session.say("Hello.")
    with pytest.raises(UsageError, match=r"ending in .html or .md"):
        session.export(tmp_path / "talk.pdf")
    with pytest.raises(UsageError, match="there is no folder"):
        session.export(tmp_path / "nowhere" / "talk.html")
    with pytest.raises(UsageError, match="nothing was spoken by you"):
        session.export_audio(tmp_path / "talk.wav", "user")
    with pytest.raises(UsageError, match="expected one of 'both'"):
        session.export_audio(tmp_path / "talk.wav", "mine")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="seconds of silence"):
        session.export_audio(tmp_path / "talk.wav", gap_s=-1)
    assert list(tmp_path.glob("talk*")) == []


@pytest.mark.parametrize("side", ["both", "user", "model"])
def test_the_sound_of_each_side_is_in_its_order_with_silence_between(
    make_session: MakeSession, tmp_path: Path, side: Any
) -> None:
    session = talk(make_session)
    said = [QUESTION] if side != "model" else []
    said += [turn.clip for turn in session.turns if turn.clip] if side != "user" else []
    whole = Clip.read(session.export_audio(tmp_path / "talk.flac", side, gap_s=0.25))
    gap = np.zeros(6_000, np.int16)
    expected = [piece for clip in said for piece in (gap, clip.samples)][1:]
    assert np.array_equal(whole.samples, np.concatenate(expected))


def test_the_sound_may_be_compressed_and_of_any_rate(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = make_session(Service(recorded()))
    session.say(QUESTION.resampled(44_100))
    clip = session.turns[0].clip
    assert clip is not None
    whole = Clip.read(session.export_audio(tmp_path / "talk.mp3"))
    assert whole.duration_s == pytest.approx(0.5 + 0.6 + clip.duration_s, abs=0.06)


@pytest.mark.parametrize("where", ["beside", "journal"])
def test_the_program_holds_the_conversation_again(
    make_session: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    session = talk(make_session, system="Be brief.", seed=7)
    session.say("In writing.", voice=None, seed=None)
    path = tmp_path / "talk.py"
    if where == "beside":
        program = session.to_script(path)
        assert program == path.read_text()
    else:
        path.write_text(session.to_script())
    service = Service(recorded())
    again = functools.partial(
        Session,
        transport=service,
        journal=False,
        clock=lambda: session.turns[0].asked_at.timestamp(),
    )
    monkeypatch.setattr(cellvoice, "Session", again)
    held = runpy.run_path(str(path))["session"]
    assert [turn.request.to_dict() for turn in held.turns] == [
        turn.request.to_dict() for turn in session.turns if turn.request
    ]
    assert (held.name, held.voice, held.model) == (session.name, session.voice, session.model)
    held.close()


def test_the_program_of_written_answers_asks_for_written_answers(
    make_session: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(Service(recorded()), model="gpt-4o")
    session.voice = None
    session.say("Hello.")
    monkeypatch.setattr(
        cellvoice,
        "Session",
        functools.partial(Session, transport=Service(recorded()), journal=False),
    )
    held = runpy.run_path(str(_written(tmp_path, session)))["session"]
    assert held.voice is None and "audio" not in held.turns[0].request.params
    held.close()


def _written(folder: Path, session: Session) -> Path:
    session.to_script(folder / "talk.py")
    return folder / "talk.py"


def test_a_program_without_a_place_for_its_sounds_is_refused(make_session: MakeSession) -> None:
    session = talk(make_session, journal=False)
    with pytest.raises(UsageError, match="pass a path"):
        session.to_script()
