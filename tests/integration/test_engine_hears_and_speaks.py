"""The real ear and the real voices."""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.local import LocalTransport
from cellvoice.local.ears import speech_seconds
from cellvoice.local.ears.sphinx import SphinxEar
from cellvoice.local.engine import Engine
from cellvoice.local.sound import ear_samples
from cellvoice.local.voices import VOICE_NAMES, Voice, choose_voice

QUESTIONS = {
    "capital_of_france.wav": "what is the capital of france",
    "why_is_the_sky_blue.wav": "why is the sky blue",
    "sampling_rate_long.wav": "hello i would like to know one thing what is a sampling rate "
    "and why does it matter for the sound of a voice",
}


@pytest.fixture(scope="module")
def ear() -> Iterator[SphinxEar]:
    pytest.importorskip("pocketsphinx")
    ear = SphinxEar()
    ear.warm_up()
    yield ear
    ear.close()


@pytest.fixture(scope="module")
def espeak() -> Voice:
    pytest.importorskip("espeakng_loader")
    return choose_voice("espeak")


NEWS = "The sky is blue, because air scatters."


@pytest.fixture(scope="module", autouse=True)
def said_early(espeak: Voice) -> dict[str, bytes]:
    """Before all other tests of this file, which take some seconds."""
    return {name: espeak.speak(NEWS, name).tobytes() for name in ("coral", "marin")}


def spoken(voice: Voice, name: str, text: str) -> Clip:
    return Clip.from_array(voice.speak(text, name), 24_000)


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_shipped_question_is_heard_word_for_word(
    ear: SphinxEar, speech: Path, name: str
) -> None:
    assert ear.hear(ear_samples(Clip.read(speech / name))).text == QUESTIONS[name]


def test_the_question_of_the_notebook_is_heard(ear: SphinxEar) -> None:
    path = Path(__file__).resolve().parents[2] / "notebooks" / "question.wav"
    clip = Clip.read(path)
    assert (clip.sample_rate_hz, clip.samples.ndim) == (24_000, 1)
    assert ear.hear(ear_samples(clip)).text == "what is the capital of france"


@pytest.mark.parametrize("name", ["alloy", "coral", "onyx", "cedar"])
def test_a_question_is_heard_from_several_voices(ear: SphinxEar, espeak: Voice, name: str) -> None:
    for text in ("what is the standard deviation", "are you gpt audio"):
        assert ear.hear(ear_samples(spoken(espeak, name, text))).text == text


def test_the_same_recording_gives_the_same_words_after_other_recordings(
    ear: SphinxEar, espeak: Voice, speech: Path
) -> None:
    odd = ear_samples(spoken(espeak, "onyx", "recommend a book"))
    before = ear.hear(odd)
    ear.hear(ear_samples(Clip.read(speech / "why_is_the_sky_blue.wav")))
    assert ear.hear(odd) == before


def test_words_from_outside_the_corpus_are_heard_by_the_wide_model(
    ear: SphinxEar, espeak: Voice
) -> None:
    heard = ear.hear(ear_samples(spoken(espeak, "alloy", "what is the capital of mongolia")))
    assert heard.text == "what is the capital of mongolia"


def test_a_quiet_room_is_no_speech(ear: SphinxEar) -> None:
    hum = np.random.default_rng(1).normal(0, 0.001, 32_000).astype(np.float32)
    for samples in (hum, np.zeros(16_000, np.float32), np.zeros(0, np.float32)):
        assert ear.hear(samples).text == ""
        assert speech_seconds(samples) == 0


def test_an_ear_whose_process_was_killed_hears_again(speech: Path) -> None:
    pytest.importorskip("pocketsphinx")
    ear = SphinxEar()
    samples = ear_samples(Clip.read(speech / "capital_of_france.wav"))
    try:
        assert ear.hear(samples).text == QUESTIONS["capital_of_france.wav"]
        assert ear.pid is not None
        os.kill(ear.pid, signal.SIGKILL)
        assert ear.hear(samples).text == QUESTIONS["capital_of_france.wav"]
    finally:
        ear.close()
    assert ear.pid is None


@pytest.mark.parametrize("name", VOICE_NAMES)
def test_espeak_says_the_same_samples_twice(espeak: Voice, name: str) -> None:
    first = espeak.speak("The sky is blue.", name)
    assert 0.7 < first.shape[0] / 24_000 < 3
    assert np.array_equal(espeak.speak("The sky is blue.", name), first)


def test_a_breathy_voice_says_the_same_a_second_later(
    espeak: Voice, said_early: dict[str, bytes]
) -> None:
    """By now the clock, from which its noise would start, shows another second."""
    assert {name: espeak.speak(NEWS, name).tobytes() for name in said_early} == said_early


def test_several_voices_may_speak_at_the_same_time(espeak: Voice) -> None:
    alone = {name: espeak.speak(NEWS, name).tobytes() for name in VOICE_NAMES}
    voices = [choose_voice("espeak") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        said = pool.map(
            lambda at: voices[at % 3].speak(NEWS, VOICE_NAMES[at % 13]).tobytes(), range(26)
        )
        assert [alone[VOICE_NAMES[at % 13]] for at in range(26)] == list(said)


def test_all_voices_differ(espeak: Voice) -> None:
    for voice in (espeak, choose_voice("formant")):
        said = {voice.speak("The sky is blue.", name).tobytes() for name in VOICE_NAMES}
        assert len(said) == len(VOICE_NAMES)


@pytest.mark.parametrize("name", ["alloy", "fable"])
def test_the_own_voice_is_understood(ear: SphinxEar, name: str) -> None:
    voice = choose_voice("formant")
    asked = ["what is the capital of france", "what is the median", "what is a rainbow"]
    heard = [ear.hear(ear_samples(spoken(voice, name, text))).text or "" for text in asked]
    right = sum(
        word in said.split()
        for text, said in zip(asked, heard, strict=True)
        for word in text.split()
    )
    assert right >= 12  # of 14 words


def test_the_own_voice_reads_what_no_dictionary_has() -> None:
    voice = choose_voice("formant")
    short, long = voice.speak("zorbly", "alloy"), voice.speak("I heard 1.6 zorbly grumps", "alloy")
    assert long.shape[0] > 2 * short.shape[0] > 0
    assert np.array_equal(voice.speak("zorbly", "alloy"), short)


@pytest.fixture
async def client(ear: SphinxEar, espeak: Voice) -> Any:
    transport = LocalTransport(Engine(voice=espeak, ear=ear))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine/v1") as client:
        yield client


async def test_what_it_says_is_what_it_can_hear(client: httpx.AsyncClient) -> None:
    """The sound of a reply, sent back as a question, is the transcript of the reply."""
    told = [{"role": "user", "content": "Say exactly: why is the sky blue"}]
    words, sound = await answered(client, told)
    assert words == "why is the sky blue"
    data = Clip.from_pcm16(sound).to_base64("wav")
    part = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    words, sound = await answered(client, [{"role": "user", "content": [part]}])
    assert words.startswith("The sky is blue because air scatters")
    assert 3 < Clip.from_pcm16(sound).duration_s < 8


async def answered(client: httpx.AsyncClient, messages: list[Any]) -> tuple[str, bytes]:
    request = {
        "model": "gpt-audio",
        "modalities": ["text", "audio"],
        "audio": {"voice": "marin", "format": "pcm16"},
        "stream": True,
        "messages": messages,
        "temperature": 0,
    }
    pcm, words = bytearray(), ""
    async with client.stream("POST", "/chat/completions", json=request) as response:
        assert response.status_code == 200
        async for line in response.aiter_lines():
            if not line or line == "data: [DONE]":
                continue
            for choice in json.loads(line.removeprefix("data: ")).get("choices", []):
                audio = choice["delta"].get("audio", {})
                words += audio.get("transcript", "")
                pcm += base64.b64decode(audio.get("data", ""))
    return words, bytes(pcm)
