"""When words are said, and how thirteen voices of our own differ."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from cellvoice.local.voices import VOICE_NAMES, Spoken, Voice, WordTime, choose_voice, word_places
from cellvoice.local.voices.pronounce import said_words
from cellvoice.local.voices.times import word_times

TEXT = "The sky is blue, because air scatters 5.20 of it; don't you think?"


@pytest.fixture(scope="module", params=["formant", "espeak"])
def voice(request: pytest.FixtureRequest) -> Voice:
    if request.param == "espeak":
        pytest.importorskip("espeakng_loader")
    return choose_voice(request.param)


def test_every_word_has_its_time_in_order(voice: Voice) -> None:
    spoken = voice.timed(TEXT, "alloy")
    assert [(begin, end) for begin, end, _, _ in spoken.words] == word_places(TEXT)
    edges = [second for _, _, start_s, end_s in spoken.words for second in (start_s, end_s)]
    assert edges == sorted(edges)
    assert edges[-1] <= spoken.samples.shape[0] / 24_000


def test_a_word_sounds_where_it_is_said_to_sound(voice: Voice) -> None:
    """The hiss of "scatters" is in the word's own time, and its vowel is louder than the pause."""
    text = "blue blue, scatters."
    spoken = voice.timed(text, "alloy")
    loud = [level(spoken, word) for word in spoken.words]
    assert min(loud) > 0.2 * max(loud)
    hisses = [hiss(spoken, word) for word in spoken.words]
    assert hisses[2] > 3 * max(hisses[:2])


def cut_out(spoken: Spoken, word: WordTime) -> NDArray[np.float64]:
    start, end = (round(second * 24_000) for second in word[2:])
    return spoken.samples[start:end].astype(np.float64)


def level(spoken: Spoken, word: WordTime) -> float:
    return float(np.sqrt(np.mean(cut_out(spoken, word) ** 2)))


def hiss(spoken: Spoken, word: WordTime) -> float:
    """Energy above 4 kHz."""
    spectrum = np.abs(np.fft.rfft(cut_out(spoken, word))) ** 2
    return float(spectrum[spectrum.shape[0] // 3 :].sum())


def test_the_time_does_not_change_the_sound(voice: Voice) -> None:
    assert np.array_equal(voice.timed(TEXT, "nova").samples, voice.speak(TEXT, "nova"))


def test_a_small_word_without_a_mark_shares_the_time_of_its_neighbour() -> None:
    times = word_times("I am here", [(0, 1.0), (5, 1.6)], 2.0)
    assert times == (
        (0, 1, 1.0, pytest.approx(1.2)),
        (2, 4, pytest.approx(1.2), 1.6),
        (5, 9, 1.6, 2),
    )


def test_a_number_takes_the_time_of_all_its_marks() -> None:
    assert word_times("is 5.20 now", [(0, 0.0), (3, 0.5), (4, 0.7), (5, 0.9), (8, 2.0)], 2.5) == (
        (0, 2, 0.0, 0.5),
        (3, 7, 0.5, 2.0),
        (8, 11, 2.0, 2.5),
    )


@pytest.mark.parametrize("starts", [[], [(99, 0.5)]])
def test_without_a_mark_in_a_word_no_times_are_made_up(starts: list[tuple[int, float]]) -> None:
    assert word_times("hello there", starts, 1.0) == ()


def test_digits_are_said_one_by_one_in_one_place() -> None:
    said = list(said_words("at 1.6,"))
    assert [(each.start_char, each.end_char) for each in said] == [(0, 2), *[(3, 6)] * 3, (6, 7)]
    assert said[-1].sounds == ()


def test_thirteen_voices_of_our_own_can_be_told_apart() -> None:
    """By pitch, by pace or by colour; a pair that is closer in all three would sound alike."""
    voice = choose_voice("formant")
    measured = {
        name: features(voice.speak("The sky is blue because.", name)) for name in VOICE_NAMES
    }
    for one, other in combinations(VOICE_NAMES, 2):
        ratios = np.exp(np.abs(np.log(measured[one] / measured[other])))
        assert (ratios >= (1.06, 1.06, 1.12)).any(), (one, other, ratios)


def features(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Pitch in Hz, length, and the middle of the spectrum in Hz."""
    sound = samples.astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(sound.shape[0], 1 / 24_000)
    pitches = [
        pitch_hz(sound[at : at + 1_920]) for at in range(2_400, sound.shape[0] - 1_920, 1_920)
    ]
    voiced = [pitch for pitch in pitches if pitch]
    return np.array([np.median(voiced), sound.shape[0], (spectrum * hz).sum() / spectrum.sum()])


def pitch_hz(frame: NDArray[np.float64]) -> float:
    """By autocorrelation in 60 to 300 Hz; 0 for a frame without a voice."""
    frame = frame - frame.mean()
    matches = np.correlate(frame, frame, "full")[frame.shape[0] - 1 :]
    if matches[0] <= 0:
        return 0.0
    best = 80 + int(np.argmax(matches[80:400]))
    return 24_000 / best if matches[best] > 0.5 * matches[0] else 0.0
