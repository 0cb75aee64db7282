"""A lesson recorded from the embedded engine, and replayed where there is none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cellvoice import _compose
from cellvoice.audio import Clip
from cellvoice.client import Cassette
from cellvoice.local import LocalTransport
from cellvoice.session import Session, Turn

ROOT = Path(__file__).parents[2]
QUESTION = Clip.read(ROOT / "notebooks" / "question.wav")
SAID = (QUESTION, "And of Italy?", QUESTION)
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def never() -> None:
    raise AssertionError("the embedded engine was started")


def told(turn: Turn) -> tuple[object, ...]:
    return turn.finish, turn.text, turn.clip, turn.usage, turn.heard, turn.reply.audio_id


@pytest.mark.parametrize("timing", ["real", "instant"])
def test_a_spoken_conversation_replays_without_the_engine(
    timing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = tmp_path / "lesson"
    with Session(cassette=Cassette(lesson, "record"), journal=False) as session:
        spoken = [told(session.say(part)) for part in SAID]
        assert session.badge == "embedded engine, not gpt-audio"
    monkeypatch.setattr(_compose, "engine", never)
    played = Cassette(lesson, timing=timing)  # type: ignore[arg-type]
    with Session(cassette=played, journal=False) as session:
        assert [told(session.say(part)) for part in SAID] == spoken
        assert session.badge.endswith("with embedded engine, not gpt-audio")
    assert len(list((lesson / "sound").iterdir())) <= 4


async def test_a_spoken_stream_is_kept_in_less_than_six_tenths_of_its_bytes(
    tmp_path: Path,
) -> None:
    cassette = Cassette(tmp_path / "lesson", "record", transport=LocalTransport())
    body = {
        "model": "gpt-audio",
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "pcm16"},
        "stream": True,
        "messages": [{"role": "user", "content": "Tell me about Paris, Rome and Madrid."}],
    }
    wire = 0
    async with httpx.AsyncClient(transport=cassette) as client:
        for number in range(3):
            body["seed"] = number
            reply = await client.post("http://engine/v1/chat/completions", json=body)
            wire += len(reply.content)
    kept = sum(path.stat().st_size for path in (tmp_path / "lesson").rglob("*") if path.is_file())
    index = json.loads((tmp_path / "lesson" / "index.json").read_bytes())
    assert sum(one["speech_s"] for one in index["exchanges"]) > 5
    assert kept < 0.6 * wire, f"{kept:,} of {wire:,} bytes"


def test_the_example_of_the_documentation_runs(tmp_path: Path) -> None:
    blocks = FENCE.findall((ROOT / "docs" / "cassettes.md").read_text(encoding="utf-8"))
    teacher, pupil = blocks[:2]
    for program in (teacher, pupil):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert ran.returncode == 0, ran.stderr
    assert "replayed from lesson" in ran.stdout
