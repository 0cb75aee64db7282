"""The engine as a process: started, used by other programs, ended with its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import EngineError
from cellvoice.local import EngineProcess
from cellvoice.local.engine import Engine
from cellvoice.local.server import LocalServer
from cellvoice.local.voices import choose_voice

CHAT: dict[str, Any] = {
    "model": "gpt-audio",
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "pcm16"},
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
}


@pytest.fixture(scope="module")
def process() -> Iterator[EngineProcess]:
    process = EngineProcess().start()
    yield process
    process.close()


@pytest.fixture(scope="module")
def client(process: EngineProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=process.base_url, api_key=process.api_key, max_retries=0) as client:
        yield client


def test_the_official_client_streams_it(client: openai.OpenAI) -> None:
    words, sounds, expiry = "", 0, None
    for chunk in client.chat.completions.create(**CHAT, stream=True, temperature=0):
        for choice in chunk.choices or []:
            audio: Any = getattr(choice.delta, "audio", None)
            if audio is not None:
                words += audio.transcript or ""
                sounds += audio.data is not None
                expiry = audio.expires_at or expiry
    assert words == "The capital of France is Paris. It lies on the river Seine."
    assert sounds > 4
    assert expiry is not None


def test_the_official_client_hears_a_whole_reply(client: openai.OpenAI, speech: Path) -> None:
    data = Clip.read(speech / "capital_of_france.wav").to_base64("mp3")
    sound = {"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}}
    request = {**CHAT, "messages": [{"role": "user", "content": [sound]}]}
    request["audio"] = {"voice": "cedar", "format": "wav"}
    reply = client.chat.completions.create(**request, temperature=0)
    audio = reply.choices[0].message.audio
    assert audio is not None
    assert "Paris" in audio.transcript
    assert 3 < Clip.from_base64(audio.data).duration_s < 9


def test_the_official_client_knows_its_errors(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.chat.completions.create(**{**CHAT, "model": "gpt-0"})
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**CHAT, reasoning_effort="low")
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "reasoning_effort")
    assert caught.value.request_id is not None
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
        client.with_options(api_key="wrong").models.list()


def test_it_listens_on_this_machine_only_and_answers_small_requests_at_once(
    process: EngineProcess,
) -> None:
    assert process.base_url.startswith("http://127.0.0.1:")
    headers = {"authorization": f"Bearer {process.api_key}"}
    with httpx.Client(base_url=process.base_url, headers=headers) as client:
        spent = [client.get("/models").elapsed.total_seconds() for _ in range(12)]
    # Nagle's delay would make the best of them 40 ms.
    assert min(spent) < 0.03


def test_the_key_is_not_shown(process: EngineProcess) -> None:
    assert process.api_key not in repr(process)
    assert len(process.api_key) >= 24


def test_a_crashed_engine_is_started_again() -> None:
    process = EngineProcess().start()
    try:
        first, pid = process.base_url, process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert process.pid is None
        assert process.base_url != first
        assert httpx.get(f"{process.base_url}/models").status_code == 401
    finally:
        process.close()
    assert process.pid is None


def test_an_engine_that_can_not_start_says_why_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho 'No module named cellvoice' >&2\nexit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(EngineError, match=r"ended at once \(No module named cellvoice\)"):
        EngineProcess().start()


def test_an_engine_that_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexec sleep 30\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(EngineError, match=r"gave no address within 0\.2 s"):
        EngineProcess(timeout_s=0.2).start()


SHARED = """
from cellvoice.local import shared_engine
assert shared_engine() is shared_engine()
print(shared_engine().pid)  # nothing starts before it is used
"""


def test_one_engine_is_shared_by_a_process() -> None:
    # In a process of its own: other tests use this one's engine.
    command = [sys.executable, "-c", SHARED]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    assert told.stdout == "None\n", told.stderr


PARENT = """
import sys, time
from cellvoice.local import EngineProcess
process = EngineProcess().start()
print(process.pid, flush=True)
time.sleep(60)
"""


def test_the_engine_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    watched = os.pidfd_open(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert ends_within(watched, 10)


def ends_within(pidfd: int, seconds: float) -> bool:
    """A process descriptor becomes readable when the process ends."""
    import select

    try:
        return bool(select.select([pidfd], [], [], seconds)[0])
    finally:
        os.close(pidfd)


class WatchedEngine(Engine):
    """Knows when a reply's generator was closed before its end."""

    def __init__(self) -> None:
        super().__init__(voice=choose_voice("formant"))
        self.stopped = threading.Event()

    def reply(self, ask: Any) -> Any:
        try:
            yield from super().reply(ask)
        except GeneratorExit:
            self.stopped.set()
            raise


def test_a_client_that_leaves_stops_the_engine() -> None:
    engine = WatchedEngine()
    server = LocalServer(pace="realtime", engine=engine)
    ready = threading.Event()
    thread = threading.Thread(target=server.serve, args=(ready.set,))
    thread.start()
    assert ready.wait(10)
    headers = {"authorization": f"Bearer {server.api_key}"}
    try:
        with httpx.stream(
            "POST",
            f"{server.base_url}/chat/completions",
            json={**CHAT, "stream": True},
            headers=headers,
        ) as response:
            lines = response.iter_lines()
            first = json.loads(next(lines).removeprefix("data: "))
            assert first["choices"][0]["delta"]["role"] == "assistant"
            next(line for line in lines if '"data":"' in line)
        assert engine.stopped.wait(10)
    finally:
        server.stop()
        thread.join(10)
    assert not thread.is_alive()
