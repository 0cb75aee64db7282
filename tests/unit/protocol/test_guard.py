"""The guard against endless noise."""

from __future__ import annotations

import pytest

from cellvoice.errors import UsageError
from cellvoice.protocol import NoiseGuard, Reply


def reply(words: str = "", beats: int = 0, sound_s: float = 0.0) -> Reply:
    return Reply(transcript=words, heartbeats=beats, pcm=bytearray(int(sound_s * 48_000)))


def test_sound_without_words_trips_after_its_time() -> None:
    guard = NoiseGuard(wordless_s=30.0)
    assert not guard.trips(reply(beats=601), "gpt-audio")
    assert guard.trips(reply(beats=602), "gpt-audio")
    assert guard.trips(reply(sound_s=30.1), "gpt-audio")


def test_each_letter_gives_it_more_time() -> None:
    # 600 letters are 40 s of ordinary speech, and up to 210 s of very slow speech.
    words = "a" * 600
    assert not NoiseGuard().trips(reply(words, beats=200 * 20), "gpt-audio")
    assert NoiseGuard().trips(reply(words, beats=250 * 20), "gpt-audio")


def test_a_chinese_sign_is_a_syllable() -> None:
    assert not NoiseGuard().trips(reply("天" * 100, beats=100 * 20), "gpt-audio")
    assert NoiseGuard().trips(reply("a" * 100, beats=100 * 20), "gpt-audio")


def test_a_server_that_may_send_no_transcript_is_left_alone() -> None:
    endless = reply(beats=100_000)
    assert not NoiseGuard().trips(endless, "qwen3-omni")
    assert not NoiseGuard().trips(endless, "cellvoice-engine-1")
    endless.model = "gpt-audio-2025-08-28"
    assert NoiseGuard().trips(endless, "my-deployment")


def test_it_says_what_it_saved() -> None:
    # 16,384 tokens are 819 s of speech; gpt-audio takes $0.00128 for a second.
    said = NoiseGuard().sentence(reply(beats=621), "gpt-audio", None)
    assert "after 31 s" in said and "up to 788 s more, $1.01," in said and "guard=False" in said
    assert "up to 9 s more" in NoiseGuard().sentence(reply(beats=621), "gpt-audio", 800)
    assert "more" not in NoiseGuard().sentence(reply(beats=621), "unknown", None)


@pytest.mark.parametrize("given", [0, -1, float("nan"), True, "30"])
def test_a_time_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match="guard="):
        NoiseGuard(given)  # type: ignore[arg-type]


def test_the_guard_is_chosen_by_a_word_or_a_time() -> None:
    assert NoiseGuard.of(True) == NoiseGuard.of(None) == NoiseGuard()
    assert NoiseGuard.of(5) == NoiseGuard.of(NoiseGuard(5)) == NoiseGuard(wordless_s=5)
    assert NoiseGuard.of(False) is None
