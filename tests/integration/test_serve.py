"""`cellvoice serve`: what it prints, who may come in, how it goes wrong on purpose, how it ends."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest

from cellvoice.errors import UsageError
from cellvoice.local.ears import NoEar
from cellvoice.local.engine import Engine
from cellvoice.local.server import LocalServer, is_loopback
from cellvoice.local.voices import choose_voice

SERVE = [sys.executable, "-m", "cellvoice._cli", "serve"]
CHAT: dict[str, Any] = {
    "model": "gpt-audio",
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "pcm16"},
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
}


class Served:
    """A running `cellvoice serve`, with the lines that it has printed."""

    def __init__(self, *options: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*SERVE, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().rstrip("\n") for _ in range(4)]
        self.base_url = self.lines[0]
        self.key = self.lines[1].removeprefix("api_key=")

    def client(self, **options: Any) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.base_url, api_key=self.key, **options)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        rest, errors = self.process.communicate(timeout=20)
        return self.process.returncode, rest, errors


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[Served]:
    served = Served(*options, **environment)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_address_and_key_come_first_and_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with serving("--port", "0") as served:
        port = int(served.base_url.removeprefix("http://127.0.0.1:").removesuffix("/v1"))
        assert served.lines[0] == f"http://127.0.0.1:{port}/v1"
        assert served.lines[1].startswith("api_key=")
        headers = {"authorization": f"Bearer {served.key}"}
        assert httpx.get(f"{served.base_url}/models", headers=headers).status_code == 200
        assert served.end(number) == (0, "", "")


def test_the_lines_to_paste_work_as_they_are() -> None:
    with serving() as served:
        python, shell = served.lines[2:]
        pasted = subprocess.run(
            [sys.executable, "-c", python], capture_output=True, text=True, check=True, timeout=60
        )
        assert "Paris" in pasted.stdout or "France" in pasted.stdout
        command = shlex.split(shell)
        assert command[:3] == ["curl", "-s", f"{served.base_url}/chat/completions"]
        headers = dict(h.split(": ", 1) for h in (command[4], command[6]))
        told = httpx.post(command[2], headers=headers, content=command[8].encode())
        assert told.json()["choices"][0]["message"]["audio"]["data"]


def test_a_reply_that_is_being_sent_at_the_end_is_sent_to_its_end() -> None:
    with serving("--fault", "slow@200000") as served:
        headers = {"authorization": f"Bearer {served.key}"}
        url = f"{served.base_url}/chat/completions"
        asked = {**CHAT, "stream": True, "max_completion_tokens": 40}
        with httpx.stream("POST", url, json=asked, headers=headers, timeout=30) as response:
            lines = response.iter_lines()
            next(lines)
            served.process.send_signal(signal.SIGTERM)
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert served.process.wait(10) == 0


def test_a_taken_port_is_one_sentence_that_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*SERVE, "--port", port], capture_output=True, text=True, timeout=30, check=False
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"the embedded engine could not start: port {port} of 127.0.0.1 is taken by another "
        "program; choose another with --port, or --port 0 for a free one\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "70000"], "there is no port 70000"),
        (["--host", "203.0.113.7"], "203.0.113.7 is no address of this machine"),
        (["--fault", "melt"], "there is no fault 'melt'"),
        (["--strict-like", "gpt-5"], "it is not known what 'gpt-5' refuses"),
        (["--corpus", "/nowhere.txt"], "the corpus /nowhere.txt cannot be read"),
    ],
)
def test_what_can_not_be_served_is_one_sentence(options: list[str], sentence: str) -> None:
    done = subprocess.run(
        [*SERVE, *options], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"the embedded engine could not start: {sentence}")
    assert len(done.stderr.splitlines()) == 1


def quiet_engine() -> Engine:
    return Engine(voice=choose_voice("formant"), ear=NoEar())


def test_a_weak_key_is_refused_where_others_can_come_in() -> None:
    engine = quiet_engine()
    with pytest.raises(UsageError, match="the key has 4 characters"):
        LocalServer(host="0.0.0.0", api_key="1234", engine=engine)
    server = LocalServer(host="0.0.0.0", engine=engine)
    assert server.base_url.startswith("http://127.0.0.1:")
    assert len(server.api_key) >= 24
    server.close()


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("a", False)],
)
def test_loopback_is_known(host: str, alone: bool) -> None:
    assert is_loopback(host) == alone


def test_a_key_of_ones_own_stays_the_same_and_is_wanted() -> None:
    key = "a-key-for-this-afternoon"
    with serving(CELLVOICE_ENGINE_KEY=key) as served:
        assert served.key == key
        assert httpx.get(f"{served.base_url}/models").status_code == 401


def test_the_official_client_gets_over_a_rate_limit_by_itself() -> None:
    with serving("--fault", "rate-limit:1") as served, served.client() as client:
        reply = client.chat.completions.create(**CHAT)
        assert reply.choices[0].message.audio is not None
        raw = client.chat.completions.with_raw_response.create(**CHAT)
        assert int(raw.headers["x-ratelimit-remaining-requests"]) < 10_000


def test_a_connection_that_is_cut_is_no_noise_on_the_server() -> None:
    with serving("--fault", "cut@2") as served:
        headers = {"authorization": f"Bearer {served.key}"}
        url = f"{served.base_url}/chat/completions"
        lines: list[str] = []
        asked = {**CHAT, "stream": True}
        with (
            httpx.stream("POST", url, json=asked, headers=headers) as response,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            lines.extend(response.iter_lines())
        assert sum('"data":"' in line for line in lines) == 2
        assert served.end() == (0, "", "")


def test_an_error_in_the_stream_is_raised_by_the_official_client() -> None:
    with serving("--fault", "error") as served, served.client(max_retries=0) as client:
        chunks = client.chat.completions.create(**CHAT, stream=True)
        with pytest.raises(openai.APIError, match="The server had an error"):
            list(chunks)


def test_strictness_is_that_of_the_model() -> None:
    written = {"model": "gpt-audio", "messages": CHAT["messages"]}
    with serving("--strict-like", "gpt-audio") as served, served.client() as client:
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(**written)
        assert (caught.value.code, caught.value.param) == ("invalid_value", "model")
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(**CHAT, logprobs=True)
        assert caught.value.param == "logprobs"


def test_the_description_is_served_without_a_key() -> None:
    with serving() as served:
        told = httpx.get(served.base_url.removesuffix("/v1") + "/openapi.json")
        assert json.loads(told.content)["openapi"] == "3.1.0"
