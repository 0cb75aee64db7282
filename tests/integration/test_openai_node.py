"""openai-node, as it is, against `cellvoice serve`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cellvoice.local import EngineProcess

HERE = Path(__file__).resolve().parent
QUESTION = HERE.parent / "fixtures" / "speech" / "capital_of_france.wav"
ANSWER = "The capital of France is Paris. It lies on the river Seine."


@pytest.fixture(scope="module")
def got() -> dict[str, Any]:
    node = shutil.which("node")
    if node is None or not (HERE.parents[1] / "node_modules" / "openai").is_dir():
        pytest.skip("node and its openai package come with scripts/setup")
    # The first request is answered with a 429, which the client has to get over by itself.
    process = EngineProcess(options=["--fault", "rate-limit:1"]).start()
    try:
        done = subprocess.run(
            [node, HERE / "openai_node.mjs", process.base_url, process.api_key, QUESTION],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        process.close()
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_spoken_question_is_answered_in_one_piece(got: dict[str, Any]) -> None:
    assert got["whole"]["transcript"] == ANSWER
    assert got["whole"]["bytes"] > 10_000


def test_a_stream_is_read_by_plain_iteration(got: dict[str, Any]) -> None:
    streamed = got["streamed"]
    spent = streamed["usage"]["completion_tokens_details"]
    assert streamed["transcript"] == ANSWER
    assert streamed["bytes"] == 2_400 * spent["audio_tokens"]
    assert streamed["beats"] == spent["audio_tokens"] + 1
    assert streamed["expires"] > 1_700_000_000


def test_a_stream_can_be_left_and_an_answer_replayed(got: dict[str, Any]) -> None:
    assert got["left"] is True
    assert got["replayed"] == ANSWER


def test_a_tool_is_called_and_its_result_is_said(got: dict[str, Any]) -> None:
    assert got["called"]["numbers"] == [17, 23]
    assert "391" in got["called"]["transcript"]


def test_errors_are_of_the_clients_own_classes(got: dict[str, Any]) -> None:
    told = {name: got[name] for name in ("badVoice", "badModel", "badKey", "badAudio")}
    assert [(e["name"], e["status"], e["code"], e["param"]) for e in told.values()] == [
        ("BadRequestError", 400, "invalid_value", "audio.voice"),
        ("NotFoundError", 404, "model_not_found", None),
        ("AuthenticationError", 401, "invalid_api_key", None),
        ("BadRequestError", 400, "audio_not_found", "content.messages[0].audio.id"),
    ]
    assert all(e["id"].startswith("req_") for e in told.values())


def test_models_are_listed(got: dict[str, Any]) -> None:
    assert "gpt-audio" in got["models"]
