"""Which voice and which ear are taken, by what is installed; and the small parts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.local.budget import Budget
from cellvoice.local.ears import NoEar, choose_ear, speech_seconds
from cellvoice.local.ears.phrases import PhraseEar
from cellvoice.local.memory import Memory
from cellvoice.local.sound import ear_samples
from cellvoice.local.voices import choose_voice

NEWS = "Nobody knows who painted this wall."


def test_without_any_espeak_it_speaks_with_its_own_voice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_voice().part == "formant"


def test_a_library_that_does_not_load_is_no_reason_to_be_silent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loader = pytest.importorskip("espeakng_loader")
    monkeypatch.setattr(loader, "get_library_path", lambda: tmp_path / "missing.so")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_voice().part == "formant"


def test_without_a_recogniser_it_finds_known_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert isinstance(choose_ear(), PhraseEar)
    assert isinstance(choose_ear("none"), NoEar)


def test_without_any_ear_it_measures_speech() -> None:
    speech = ear_samples(Clip.from_array(choose_voice("formant").speak(NEWS, "alloy"), 24_000))
    quiet = np.random.default_rng(2).normal(0, 0.0008, 16_000).astype(np.float32)
    heard = NoEar().hear(np.concatenate([quiet, speech, quiet]))
    assert heard.text is None
    assert heard.speech_s == pytest.approx(speech.shape[0] / 16_000, abs=0.8)  # stops are silent
    assert NoEar().hear(quiet).text == ""


def test_a_click_is_no_speech() -> None:
    samples = np.zeros(16_000, np.float32)
    samples[8_000:8_040] = 0.9
    assert speech_seconds(samples) == 0


def test_a_budget_without_a_limit_cuts_nothing() -> None:
    budget = Budget(None)
    assert budget.fit(100, 1_000) == (100, 1_000)
    assert not budget.reached


def test_a_budget_that_is_just_met_cuts_nothing() -> None:
    budget = Budget(30)
    assert budget.fit(10, 20) == (10, 20)
    assert not budget.reached
    assert budget.fit(1, 0) == (0, 0)
    assert budget.reached


def test_a_budget_cuts_words_and_sound_by_the_same_share() -> None:
    budget = Budget(30)
    assert budget.fit(20, 40) == (10, 20)
    assert (budget.text, budget.audio, budget.reached) == (10, 20, True)


def test_memory_forgets_in_the_order_of_expiry(clock: Any) -> None:
    memory = Memory(clock)
    first, second = memory.new_id(), memory.new_id()
    expires_at = memory.keep(first, "one", 10)
    clock.now += 1_800
    memory.keep(second, "two", 20)
    clock.now = expires_at
    assert memory.get(first) is None
    kept = memory.get(second)
    assert kept is not None
    assert (kept.transcript, kept.audio_tokens) == ("two", 20)
