"""What happened in a turn and when, and the silence that a listener feels."""

from __future__ import annotations

import pytest

from cellvoice.protocol import AudioChunk, Heartbeat, Reply, TranscriptChunk, Usage
from cellvoice.session.tools import ToolCall, Trace
from cellvoice.session.tools.trace import Span, Tracer

from .conftest import MakeSession
from .rig import Service
from .tool_rig import calls, spoken, spoken_call

LOUD = b"\x00\x20" * 24_000  # 1 s
QUIET = bytes(48_000)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracer(clock: Clock) -> Tracer:
    return Tracer(clock)


def spans(tracer: Tracer, kind: str) -> list[tuple[float, float | None]]:
    return [(span.start_s, span.end_s) for span in Trace(tracer.spans) if span.kind == kind]


def test_a_request_is_divided_into_what_it_waits_for(clock: Clock, tracer: Tracer) -> None:
    tracer.sent("gpt-audio", 1)
    clock.now_s += 1
    tracer.uploaded()
    clock.now_s += 2
    tracer.took(Heartbeat())
    clock.now_s += 3
    tracer.took(TranscriptChunk("Hello"))
    clock.now_s += 4
    tracer.replied(Reply(usage=Usage(total_tokens=7)))
    assert spans(tracer, "upload") == [(0, 1)]
    assert spans(tracer, "waiting") == [(1, 3)]
    assert spans(tracer, "thinking") == [(3, 6)]
    assert spans(tracer, "request") == [(0, 10)]
    assert Trace(tracer.spans).of_kind("request")[0].tokens == 7


def test_speech_lasts_as_long_as_it_plays_though_it_comes_faster(
    clock: Clock, tracer: Tracer
) -> None:
    tracer.sent("gpt-audio", 1)
    clock.now_s += 1
    tracer.took(AudioChunk(QUIET, 24_000))
    tracer.took(AudioChunk(LOUD, 24_000))
    tracer.took(AudioChunk(LOUD, 24_000))
    assert spans(tracer, "speech") == [(1, 3)]
    clock.now_s += 5  # a gap in the stream: the player waits as well
    tracer.took(AudioChunk(LOUD, 24_000))
    assert spans(tracer, "speech") == [(1, 7)]


def test_the_silence_between_two_speeches_is_what_a_listener_feels(
    clock: Clock, tracer: Tracer
) -> None:
    call = ToolCall("call_1", "weather", "{}", in_round=1, asked_s=0)
    tracer.sent("gpt-audio", 1)
    clock.now_s += 0.5
    tracer.took(AudioChunk(LOUD, 24_000))
    tracer.replied(Reply())
    tool = tracer.begin("tool", "weather", call)
    clock.now_s += 4
    tracer.end(tool)
    tracer.sent("gpt-audio", 2)
    clock.now_s += 1
    tracer.took(AudioChunk(LOUD, 24_000))
    tracer.replied(Reply())
    found = Trace(tracer.spans)
    assert found.silences_s == [(0, 0.5), (1.5, 5.5)]
    assert [span.round for span in found.of_kind("speech")] == [1, 2]


def test_a_second_reply_that_comes_while_the_first_still_plays_makes_no_silence(
    clock: Clock, tracer: Tracer
) -> None:
    for number in (1, 2):
        tracer.sent("gpt-audio", number)
        clock.now_s += 0.25
        tracer.took(AudioChunk(LOUD, 24_000))
        tracer.replied(Reply())
    assert spans(tracer, "speech") == [(0.25, 1.25), (1.25, 2.25)]
    assert Trace(tracer.spans).silences_s == [(0, 0.25)]


def test_what_goes_on_at_the_end_of_a_turn_ends_with_it(clock: Clock, tracer: Tracer) -> None:
    tracer.sent("gpt-audio", 1)
    clock.now_s += 2
    tracer.close("stopped")
    assert [(span.end_s, span.error) for span in tracer.spans] == [(2, "stopped")] * 2


def test_a_turn_has_the_spans_of_all_its_requests_and_calls(make_session: MakeSession) -> None:
    def weather(city: str) -> str:
        """Weather."""
        return city

    def book(city: str) -> str:
        """Book."""
        raise ValueError("full")

    service = Service(
        spoken_call("Let me look.", "weather", '{"city": "Lyon"}'),
        calls(("book", '{"city": "Lyon"}'), tokens=(10, 2)),
        spoken("It is full."),
    )
    session = make_session(service, tools=[weather])
    session.tool(approve="ask")(book)
    turn = session.say("Book it.")
    session.pending[0].approve()
    session.wait(turn)
    kinds = [span.kind for span in turn.trace]
    assert kinds.count("request") == 3 and kinds.count("tool") == 2
    assert kinds.count("approval") == 1 and kinds.count("speech") == 2
    assert all(span.end_s is not None and span.end_s >= span.start_s for span in turn.trace)
    weather_span, book_span = turn.trace.of_kind("tool")
    assert weather_span.call is turn.tool_calls[0] and weather_span.error is None
    assert book_span.error == "ValueError: full" and book_span.call_id == turn.tool_calls[1].id
    assert turn.trace.silences_s[0][0] == 0
    assert turn.timing.total_s is not None
    frame = turn.trace.to_dataframe()
    assert list(frame[frame.kind == "tool"].arguments) == [{"city": "Lyon"}] * 2
    assert list(frame[frame.kind == "tool"].result) == ["Lyon", "error: ValueError: full"]
    assert "approval  book" in repr(turn.trace)


def test_times_of_a_turn_are_those_of_its_first_request_and_its_end(
    make_session: MakeSession,
) -> None:
    def weather(city: str) -> str:
        """Weather."""
        return city

    service = Service(spoken_call("Well.", "weather", '{"city": "a"}'), spoken("Warm."))
    turn = make_session(service).say("And?", tools=[weather])
    timing, first = turn.timing, turn.trace.of_kind("speech")[0]
    assert timing.first_sound_s == pytest.approx(first.start_s, abs=0.05)
    assert timing.total_s is not None and timing.total_s >= turn.trace.of_kind("request")[1].start_s


def test_tools_that_run_at_the_same_time_are_counted_once() -> None:
    ran = [Span("tool", "a", 1, 3), Span("tool", "b", 2, 2.5), Span("tool", "c", 5, 6)]
    assert Trace([*ran, Span("approval", "d", 0, 9), Span("tool", "e", 8)]).tools_s == 3
    assert Trace([Span("request", "gpt-audio", 0, 1)]).tools_s is None


def test_the_time_of_tools_is_among_a_turns_times(make_session: MakeSession) -> None:
    service = Service(calls(("clock_tool", "{}")), spoken("It is noon."), spoken("Bye."))
    session = make_session(service, tools=[clock_tool])
    with_tool, without = session.say("What time is it?"), session.say("Thank you.")
    assert with_tool.timing.tools_s == with_tool.trace.tools_s is not None
    assert without.timing.tools_s is None
    assert session.latency().tools_s.count == 1


def clock_tool() -> str:
    """Tell the time."""
    return "noon"
