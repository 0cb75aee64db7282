"""When words are spoken: the engine's own times, and estimates where nobody tells them."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.protocol import (
    AudioChunk,
    EngineNamed,
    Event,
    Heartbeat,
    LiveWords,
    Reply,
    TextChunk,
    TranscriptChunk,
    fold,
    word_times,
)

RATE_HZ = 24_000


def sound(*stretches_s: float) -> bytes:
    """Stretches of tone and of silence in turn, beginning with silence."""
    parts = [
        (0.4 if loud else 0.0) * np.sin(np.arange(round(length_s * RATE_HZ)) * 0.06)
        for length_s, loud in zip(stretches_s, itertools.cycle((False, True)), strict=False)
    ]
    return Clip.from_array(np.concatenate(parts).astype(np.float32), RATE_HZ).to_pcm16()


def reply_of(*events: Event) -> Reply:
    reply = Reply()
    for event in events:
        fold(reply, event)
    return reply


def spoken(text: str, *stretches_s: float) -> Reply:
    """A reply of one piece of words, and then its sound."""
    return reply_of(TranscriptChunk(text), AudioChunk(sound(*stretches_s), RATE_HZ))


def words_of(reply: Reply) -> list[str]:
    return [reply.text[first:end] for first, end, _, _ in word_times(reply)[0]]


def test_every_word_has_its_place_in_the_text_and_in_the_sound() -> None:
    reply = spoken("The capital, of course, is Paris.", 0.2, 1.6, 0.2)
    times, estimated = word_times(reply)
    assert estimated
    assert words_of(reply) == ["The", "capital,", "of", "course,", "is", "Paris."]
    starts_s, ends_s = [start for _, _, start, _ in times], [end for *_, end in times]
    assert starts_s == sorted(starts_s)
    assert starts_s[0] == pytest.approx(0.2, abs=0.03)
    assert ends_s[-1] == pytest.approx(1.8, abs=0.03)
    assert ends_s[:-1] == pytest.approx(starts_s[1:], abs=0.02)


def test_longer_words_take_longer() -> None:
    times, _ = word_times(spoken("a international", 0.0, 1.0))
    (_, _, start_a, end_a), (_, _, start_b, end_b) = times
    assert end_b - start_b > 4 * (end_a - start_a)


def test_no_word_is_spoken_in_a_pause() -> None:
    (_, _, one_s, one_end_s), (_, _, two_s, two_end_s) = word_times(
        spoken("one two", 0.0, 0.5, 1.0, 0.5)
    )[0]
    assert one_s < 0.1 and one_end_s == pytest.approx(0.5, abs=0.05)
    assert two_s == pytest.approx(1.5, abs=0.05) and two_end_s == pytest.approx(2.0, abs=0.03)


def test_a_sentence_begins_after_the_pause_that_its_mark_makes() -> None:
    times, _ = word_times(spoken("Yes. Three hundred and twelve", 0.0, 0.7, 0.5, 1.0))
    assert times[0][3] == pytest.approx(0.7, abs=0.05)
    assert times[1][2] == pytest.approx(1.2, abs=0.05)


def test_a_mark_without_a_pause_and_a_pause_without_a_mark_change_nothing() -> None:
    without, _ = word_times(spoken("One, two three", 0.0, 1.5))
    plain, _ = word_times(spoken("One two three", 0.0, 1.5))
    assert [start for *_, start, _ in without] == pytest.approx(
        [start for *_, start, _ in plain], abs=0.1
    )
    far, _ = word_times(spoken("One, " + "two " * 30, 0.0, 8.0, 0.5, 0.5))
    assert far[1][2] < 1.0


def test_a_word_is_not_spoken_before_the_sound_that_was_made_when_it_came() -> None:
    beats = [Heartbeat()] * 21  # 1 s of speech
    reply = reply_of(
        TranscriptChunk("One"),
        *beats,
        TranscriptChunk(" two"),
        *beats,
        AudioChunk(sound(0.0, 2.0), RATE_HZ),
    )
    (_, _, first_start_s, _), (_, _, second_start_s, _) = word_times(reply)[0]
    assert first_start_s < 0.1
    assert second_start_s >= 1.0
    without, _ = word_times(spoken("One two", 0.0, 2.0))
    assert without[1][2] == pytest.approx(1.0, abs=0.05)


def test_words_that_came_after_their_sound_are_spread_over_all_of_it() -> None:
    pcm = sound(0.0, 2.0)
    late = reply_of(AudioChunk(pcm, RATE_HZ), TranscriptChunk("One"), TranscriptChunk(" two"))
    assert word_times(late)[0] == word_times(spoken("One two", 0.0, 2.0))[0]


def test_the_engine_tells_its_times_itself() -> None:
    told = [[0, 3, 0.1, 0.4], [4, 7, 0.4, 0.9]]
    reply = reply_of(
        EngineNamed({"badge": "engine", "voice": "espeak-ng"}),
        TranscriptChunk("One two"),
        EngineNamed({"words": told[:1]}),
        AudioChunk(sound(0.1, 0.8), RATE_HZ),
        EngineNamed({"words": told[1:]}),
    )
    assert word_times(reply) == ([(0, 3, 0.1, 0.4), (4, 7, 0.4, 0.9)], False)
    assert reply.engine is not None and reply.engine["badge"] == "engine"


@pytest.mark.parametrize(
    "word",
    [
        None,
        7,
        [],
        [0, 3, 0.1],
        ["a", "b", "c", "d"],
        [0, 300, 0.1, 0.2],
        [3, 0, 0.1, 0.2],
        [-1, 3, 0.1, 0.2],
        [0, 3, -1.0, 0.2],
        [0, 3, 0.2, 0.1],
        [0, 3, float("nan"), 0.2],
        [0, float("inf"), 0.1, 0.2],
    ],
)
def test_times_that_can_not_be_are_estimated(word: Any) -> None:
    reply = spoken("One two", 0.0, 1.0)
    reply.engine = {"words": [word]}
    times, estimated = word_times(reply)
    assert estimated
    assert len(times) == 2


def test_without_sound_or_words_there_are_no_times() -> None:
    assert word_times(Reply(content="written")) == ([], False)
    assert word_times(reply_of(TranscriptChunk("One"))) == ([], False)
    assert word_times(reply_of(AudioChunk(sound(0.0, 0.1), RATE_HZ))) == ([], False)
    assert word_times(spoken(" … ", 0.0, 0.1))[1]


def test_silence_has_times_too() -> None:
    times, _ = word_times(spoken("One two", 1.0))
    assert times[0][2] == 0.0 and times[-1][3] == pytest.approx(1.0)


def test_where_nobody_writes_spaces_every_character_is_a_word() -> None:
    assert words_of(spoken("今日は晴れ。OK です", 0.0, 1.0)) == [
        "今",
        "日",
        "は",
        "晴",
        "れ。",
        "OK",
        "で",
        "す",
    ]


def test_words_are_timed_as_they_come_each_once_and_in_order() -> None:
    reply, live = Reply(), LiveWords()
    told: list[tuple[int, int, float, float]] = []
    beats = [Heartbeat()] * 21  # 1 s of speech
    pieces = (" The", " capi", "tal is", *beats, " Paris", ", they", " say.")
    for piece in pieces:
        fold(reply, piece if isinstance(piece, Heartbeat) else TranscriptChunk(piece))
        times, estimated = live.more(reply)
        assert estimated
        told += times
    # The last one may still grow, and the whole reply's times have it.
    assert [reply.text[first:end] for first, end, *_ in told] == [
        "The",
        "capital",
        "is",
        "Paris,",
        "they",
    ]
    starts_s = [start_s for _, _, start_s, _ in told]
    assert starts_s == sorted(starts_s)
    assert starts_s[0] == 0.0 and starts_s[2] < 1.0 <= starts_s[3]


def test_the_engine_tells_times_while_it_speaks() -> None:
    told = [[0, 3, 0.1, 0.4], [4, 7, 0.4, 0.9]]
    reply, live = Reply(), LiveWords()
    for event in (EngineNamed({"badge": "engine"}), TranscriptChunk("One two and")):
        fold(reply, event)
        assert live.more(reply) == ([], False)
    for number, word in enumerate(told):
        fold(reply, EngineNamed({"words": [word]}))
        assert live.more(reply) == ([tuple(told[number])], False)
    fold(reply, EngineNamed({"words": [[0, 3, 0.1, 0.4]]}))
    assert live.more(reply) == ([], False), "none goes back"


def test_written_words_are_not_spoken() -> None:
    reply = reply_of(TextChunk("One two three"))
    assert LiveWords().more(reply)[0] == []


def test_a_minute_of_speech_takes_little_time() -> None:
    reply = spoken("some words of it " * 40, *[0.1, 0.4] * 120)
    start_s = time.process_time()
    word_times(reply)
    assert time.process_time() - start_s < 0.25  # 10 ms when nothing else runs
