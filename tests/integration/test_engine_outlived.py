"""Processes that end before their time: nothing is left over, nothing that was said is lost."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cellvoice import _compose
from cellvoice.local import EngineProcess
from cellvoice.session import Endpoint, Session

QUESTION = Path(__file__).parents[1] / "fixtures" / "speech" / "capital_of_france.wav"
# A kernel that has asked something aloud, so that the ear's own process runs as well.
KERNEL = f"""
import httpx, time
from cellvoice.audio import Clip
from cellvoice.local import EngineProcess
engine = EngineProcess().start()
sound = {{"data": Clip.read({str(QUESTION)!r}).to_base64("wav"), "format": "wav"}}
message = {{"role": "user", "content": [{{"type": "input_audio", "input_audio": sound}}]}}
httpx.post(
    engine.base_url + "/chat/completions",
    json={{"model": "gpt-audio", "messages": [message]}},
    headers={{"authorization": "Bearer " + engine.api_key}},
    timeout=30,
).raise_for_status()
print(engine.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def kernel() -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """The kernel's process and its engine's."""
    started = subprocess.Popen([sys.executable, "-c", KERNEL], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    line = started.stdout.readline()
    yield started, psutil.Process(int(line))
    started.kill()
    started.communicate()


def test_no_process_outlives_a_killed_kernel(
    kernel: tuple[subprocess.Popen[str], psutil.Process],
) -> None:
    process, engine = kernel
    left = [engine, *engine.children(recursive=True)]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert psutil.wait_procs(left, timeout=10)[1] == []


def test_the_ear_does_not_outlive_a_killed_engine(
    kernel: tuple[subprocess.Popen[str], psutil.Process],
) -> None:
    _, engine = kernel
    ears = engine.children(recursive=True)
    engine.kill()
    assert psutil.wait_procs(ears, timeout=10)[1] == []


def test_a_conversation_outlives_its_engine(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = EngineProcess()
    monkeypatch.setattr(_compose, "engine", lambda: Endpoint(engine.base_url, engine.api_key))
    with Session(journal=False) as session, caplog.at_level(logging.WARNING, "cellvoice.engine"):
        first = session.say("What is the capital of France?", temperature=0)
        assert engine.pid is not None
        kill_and_wait(engine.pid)
        assert engine.pid is None
        again = session.say("Please repeat that.", temperature=0)
        assert again.text == first.text
        assert any("the transcript was sent instead" in notice for notice in again.notices)
        assert len(session.turns) == 2
        assert session.turns[0].clip == first.clip
    assert engine.restarts == 1
    (record,) = caplog.records
    assert record.getMessage().startswith("the embedded engine had ended by itself (SIGKILL)")
    engine.close()
    assert engine.start().restarts == 1  # one that was closed had not ended by itself
    engine.close()


def kill_and_wait(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
