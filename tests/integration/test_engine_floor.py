"""The engine with neither extra: its own voice, and questions that it knows by their sound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellvoice.audio import Clip
from cellvoice.local import EngineProcess
from cellvoice.local.voices import choose_voice

FLOOR = Path(__file__).resolve().parents[1] / "floor"


@pytest.fixture(scope="module")
def process() -> Iterator[EngineProcess]:
    with pytest.MonkeyPatch.context() as patch:
        before = [path for path in [os.environ.get("PYTHONPATH")] if path]
        patch.setenv("PYTHONPATH", os.pathsep.join([str(FLOOR), *before]))
        process = EngineProcess().start()
    yield process
    process.close()


def asked(process: EngineProcess, text: str) -> dict[str, Any]:
    """The reply to a question that the formant voice asks."""
    clip = Clip.from_array(choose_voice("formant").speak(text, "verse"), 24_000)
    sound = {"type": "input_audio", "input_audio": {"data": clip.to_base64(), "format": "wav"}}
    request = {
        "model": "gpt-audio",
        "modalities": ["text", "audio"],
        "audio": {"voice": "nova", "format": "wav"},
        "messages": [{"role": "user", "content": [sound]}],
        "temperature": 0,
    }
    reply = httpx.post(
        f"{process.base_url}/chat/completions",
        json=request,
        headers={"authorization": f"Bearer {process.api_key}"},
        timeout=30,
    )
    answer: dict[str, Any] = reply.raise_for_status().json()
    return answer


def test_a_spoken_question_is_heard_and_answered_aloud(process: EngineProcess) -> None:
    reply = asked(process, "what is the capital of france")
    audio = reply["choices"][0]["message"]["audio"]
    assert reply["x_engine"]["ear"] == "phrase matcher"
    assert reply["x_engine"]["heard"] == "what is the capital of france"
    assert "Paris" in audio["transcript"]
    assert Clip.from_base64(audio["data"]).duration_s > 2
    # A machine may have the espeak-ng program although it lacks the extra.
    assert reply["system_fingerprint"] in (
        "fp_cellvoice_formant_phrases",
        "fp_cellvoice_espeak_phrases",
    )


def test_what_it_does_not_know_it_does_not_guess(process: EngineProcess) -> None:
    reply = asked(process, "she sold her car last winter")
    assert reply["x_engine"]["heard"] is None
    words = reply["choices"][0]["message"]["audio"]["transcript"]
    assert "s of speech, not transcribed" in words
    assert "cellvoice[engine]" in words
