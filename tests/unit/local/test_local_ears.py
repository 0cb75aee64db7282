"""What kind of sound it is, and the ear that needs numpy only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cellvoice.audio import Clip
from cellvoice.local.ears import Ear, NoEar, choose_ear
from cellvoice.local.ears.kinds import kind_of
from cellvoice.local.ears.phrases import PhraseEar
from cellvoice.local.sound import ear_samples
from cellvoice.local.voices import VOICE_NAMES, Voice, choose_voice

Sound = NDArray[np.float32]
SECOND = np.arange(16_000) / 16_000
STRANGE = (
    "please book a table for four tomorrow",
    "the train leaves at half past nine",
    "nobody knows who painted this wall",
    "she sold her car last winter",
)
KNOWN = ("what is the capital of france", "why is the sky blue", "what is a spectrogram")


@pytest.fixture(scope="module")
def phrases() -> PhraseEar:
    return PhraseEar()


@pytest.fixture(scope="module")
def voice() -> Voice:
    return choose_voice("formant")


def said(voice: Voice, text: str, name: str, rate_hz: int = 24_000) -> Sound:
    clip = Clip.from_array(voice.speak(text, name), 24_000)
    return ear_samples(clip.resampled(rate_hz))


def note(hz: float, duration_s: float = 0.4) -> NDArray[np.float64]:
    time_s = np.arange(round(duration_s * 16_000)) / 16_000
    tone = sum(np.sin(2 * np.pi * hz * k * time_s) * 0.6**k for k in range(1, 7))
    return np.asarray(tone * np.exp(-3 * time_s) * 0.15)


def hiss(seconds: int = 2) -> NDArray[np.float64]:
    return np.random.default_rng(3).normal(0, 0.1, seconds * 16_000)


def hum() -> NDArray[np.float64]:
    tones = sum(np.sin(2 * np.pi * 50 * k * SECOND) / k for k in (1, 2, 3, 5, 7))
    return np.asarray(tones * 0.1) + hiss(1) / 30


def clicks() -> NDArray[np.float64]:
    sound = np.random.default_rng(4).normal(0, 0.0005, 48_000)
    for at in range(2_000, 46_000, 5_300):
        sound[at : at + 800] += hiss()[:800] * 3 * np.exp(-np.arange(800) / 100)
    return sound


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: np.zeros(16_000), "silence"),
        (lambda: np.zeros(0), "silence"),
        (lambda: hiss() / 300, "silence"),
        (hiss, "noise"),
        (lambda: np.convolve(hiss(), np.ones(20) / 20, "same"), "noise"),
        (lambda: hiss(1) * (1 + 0.5 * np.sin(2 * np.pi * 4 * SECOND)), "noise"),
        (clicks, "noise"),
        (lambda: np.sin(2 * np.pi * 440 * SECOND) * 0.3, "music"),
        (lambda: np.concatenate([note(hz) for hz in (262, 294, 330, 349, 392, 330)]), "music"),
        (lambda: np.concatenate([note(hz) + note(hz * 1.5) for hz in (262, 220, 175)]), "music"),
    ],
)
def test_what_is_no_speech_is_known_by_its_kind(
    make: Callable[[], NDArray[np.float64]], kind: str
) -> None:
    assert kind_of(make().astype(np.float32)) == kind


def test_mains_hum_is_no_speech() -> None:
    assert kind_of(hum().astype(np.float32)) in ("noise", "music")


@pytest.mark.parametrize("part", ["formant", "espeak"])
def test_every_voice_is_speech_in_a_quiet_and_in_a_loud_room(part: str) -> None:
    if part == "espeak":
        pytest.importorskip("espeakng_loader")
    voice = choose_voice(part)
    for name in VOICE_NAMES:
        for text in ("yes", "why is the sky blue", STRANGE[1]):
            samples = said(voice, text, name)
            room = hiss(3)[: samples.shape[0]].astype(np.float32) / 20
            assert kind_of(samples) == "speech", (name, text)
            assert kind_of(samples + room) == "speech", (name, text)


@pytest.mark.parametrize("ear", [PhraseEar(), NoEar()])
def test_no_ear_forces_noise_into_words(ear: Ear) -> None:
    heard = ear.hear(hiss().astype(np.float32))
    assert (heard.text, heard.speech_s, heard.kind) == ("", 0.0, "noise")


@pytest.mark.parametrize("name", VOICE_NAMES)
def test_the_matcher_knows_questions_from_every_voice_of_our_own(
    phrases: PhraseEar, voice: Voice, name: str
) -> None:
    assert [phrases.hear(said(voice, text, name)).text for text in KNOWN] == list(KNOWN)


@pytest.mark.parametrize("name", ["alloy", "shimmer", "onyx"])
def test_the_matcher_says_so_when_it_is_none_of_them(
    phrases: PhraseEar, voice: Voice, name: str
) -> None:
    heard = [phrases.hear(said(voice, text, name)) for text in STRANGE]
    assert [each.text for each in heard] == [None] * len(STRANGE)
    assert all(each.speech_s > 1 for each in heard)


def test_the_matcher_knows_most_questions_of_a_stranger(phrases: PhraseEar) -> None:
    pytest.importorskip("espeakng_loader")
    voice = choose_voice("espeak")
    right = sum(
        phrases.hear(said(voice, text, name)).text == text
        for text in KNOWN
        for name in ("alloy", "coral", "onyx", "nova")
    )
    wrong = sum(
        phrases.hear(said(voice, text, name)).text is not None
        for text in STRANGE
        for name in ("alloy", "coral", "onyx", "nova")
    )
    assert right >= 9  # of 12
    assert wrong <= 2  # of 16


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_the_rate_of_the_recording_does_not_matter(
    phrases: PhraseEar, voice: Voice, rate_hz: int
) -> None:
    assert phrases.hear(said(voice, KNOWN[0], "alloy", rate_hz)).text == KNOWN[0]


def test_a_corpus_of_ones_own_is_heard(tmp_path: Path, voice: Voice) -> None:
    corpus = tmp_path / "mine.txt"
    corpus.write_text("? where is the library\n= Upstairs.\n\n? when is lunch\n= At noon.\n")
    ear = choose_ear("phrases", corpus)
    assert ear.hear(said(voice, "when is lunch", "verse")).text == "when is lunch"


def test_a_very_short_and_a_very_long_sound_are_no_question(
    phrases: PhraseEar, voice: Voice
) -> None:
    short, long = said(voice, "a", "alloy"), np.tile(said(voice, STRANGE[0], "alloy"), 12)
    assert phrases.hear(short).text in (None, "")
    assert phrases.hear(long).text is None
