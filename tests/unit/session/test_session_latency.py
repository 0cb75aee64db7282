"""When what came of a turn came, and the spread of it over a session."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.protocol import AudioChunk, Heartbeat, TranscriptChunk
from cellvoice.session import Latency, Timing
from cellvoice.session._timing import AUDIBLE_DBFS, Stopwatch, is_audible

from .conftest import MakeSession
from .rig import Reply, Service, event, events_of, recorded

SILENCE = bytes(4800)
LOUD = np.full(2400, 3000, "<i2").tobytes()


class HandClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_silent_beginning_is_no_sound_that_was_heard() -> None:
    clock = HandClock()
    watch = Stopwatch(clock)
    watch.start()
    steps = [
        (0.1, watch.uploaded),
        (0.2, watch.answered),
        (0.3, lambda: watch.took(Heartbeat())),
        (0.4, lambda: watch.took(TranscriptChunk("Hel"))),
        (0.5, lambda: watch.took(AudioChunk(SILENCE, 24_000))),
        (0.6, lambda: watch.took(AudioChunk(LOUD, 24_000))),
        (0.7, lambda: watch.took(AudioChunk(LOUD, 24_000))),
        (0.8, watch.ended),
    ]
    for at_s, step in steps:
        clock.now_s = 100 + at_s
        step()
    assert watch.timing == Timing(
        upload_s=pytest.approx(0.1),
        first_byte_s=pytest.approx(0.2),
        first_event_s=pytest.approx(0.3),
        first_words_s=pytest.approx(0.4),
        first_sound_s=pytest.approx(0.6),
        total_s=pytest.approx(0.8),
    )


def test_a_request_that_is_sent_once_more_is_timed_anew() -> None:
    clock = HandClock()
    watch = Stopwatch(clock)
    watch.start()
    clock.now_s += 5
    watch.answered()
    watch.start()
    clock.now_s += 1
    watch.answered()
    assert watch.timing == Timing(first_byte_s=pytest.approx(1))


def test_a_turn_that_was_never_sent_has_no_times() -> None:
    watch = Stopwatch(HandClock())
    watch.ended()
    assert watch.timing == Timing()


def test_audible_is_a_peak_above_the_threshold() -> None:
    at = int(32_768 * 10 ** (AUDIBLE_DBFS / 20))
    assert not is_audible(np.array([at, -at], "<i2").tobytes())
    assert is_audible(np.array([0, at + 1], "<i2").tobytes())
    assert is_audible(np.array([0, -32_768], "<i2").tobytes())
    assert not is_audible(b"") and not is_audible(b"\xff")


def test_a_recorded_turn_tells_each_time_in_its_order(make_session: MakeSession) -> None:
    timing = make_session(Service(recorded())).say("Say hello.").timing
    assert timing.upload_s is None  # a request this short goes at once
    times = [timing.first_byte_s, timing.first_event_s, timing.first_words_s]
    times += [timing.first_sound_s, timing.total_s]
    known = [one for one in times if one is not None]
    assert len(known) == 5 and known == sorted(known) and known[0] > 0


def test_a_reply_that_is_silent_throughout_was_never_heard(make_session: MakeSession) -> None:
    data = base64.b64encode(SILENCE).decode()
    delta = {"audio": {"id": "audio_1", "data": data}}
    silent = event({"choices": [{"index": 0, "delta": delta}]})
    turn = make_session(Service(Reply([silent, b"data: [DONE]\n\n"]))).say("Say hello.")
    assert turn.timing.first_event_s is not None and turn.timing.first_sound_s is None


def test_a_long_upload_is_timed(make_session: MakeSession) -> None:
    clip = Clip.from_pcm16(bytes(2 * 24_000 * 3))
    timing = make_session(Service(recorded())).say(clip).timing
    assert timing.upload_s is not None and timing.first_byte_s is not None
    assert 0 < timing.upload_s <= timing.first_byte_s


def test_the_spread_over_a_session_is_the_median_and_the_95th_percentile() -> None:
    timings = [Timing(first_event_s=i / 10, total_s=float(i)) for i in range(1, 22)]
    latency = Latency.of([*timings, Timing()])
    assert latency.total_s.count == 21
    assert latency.total_s.p50_s == pytest.approx(11)
    assert latency.total_s.p95_s == pytest.approx(20)
    assert latency.first_event_s.p50_s == pytest.approx(1.1)
    assert (latency.upload_s.count, latency.upload_s.p50_s) == (0, None)
    pair = Latency.of([Timing(total_s=1), Timing(total_s=3)]).total_s
    assert (pair.p50_s, pair.p95_s) == (2, pytest.approx(2.9))


def test_a_session_tells_its_latency(make_session: MakeSession) -> None:
    session = make_session(Service(Reply(events_of())))
    assert "no turn has ended yet" in repr(session.latency())
    for _ in range(3):
        session.say("Say hello.")
    latency = session.latency()
    assert latency.first_sound_s.count == 3
    assert "first sound heard" in repr(latency) and "request sent" not in repr(latency)
    page = latency._repr_html_()
    assert "first sound heard" in page and "<script" not in page
    frame = latency.to_dataframe()
    assert frame.index[0] == "upload_s" and frame.loc["total_s", "turns"] == 3
