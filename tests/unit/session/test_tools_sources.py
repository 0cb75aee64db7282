"""Tools of MCP servers, traces for OpenTelemetry and confidence, in whole turns."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pydantic
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cellvoice.errors import ServiceError, UsageError
from cellvoice.session.tools.mcp_server import McpServer, mcp
from cellvoice.session.tools.otel import export_otel, watch_otel

from .conftest import MakeSession
from .rig import Hold, Reply, Service, refusal
from .tool_rig import calls, spoken, told

SERVER = Path(__file__).resolve().parents[2] / "fixtures" / "mcp" / "server.py"


@pytest.fixture(scope="module")
def server() -> Iterator[McpServer]:
    with mcp([sys.executable, str(SERVER)], only=["weather", "rooms.book", "fail"]) as opened:
        yield opened


def weather(city: str) -> str:
    """Current weather."""
    return f"21 degrees in {city}"


# MCP servers


def test_the_tools_of_a_server_run_in_a_turn_beside_functions(
    make_session: MakeSession, server: McpServer
) -> None:
    def here() -> str:
        """Where the user is."""
        return "Lyon"

    service = Service(
        calls(("here", "{}"), ("weather", '{"city": "Lyon", "unit": null}')), spoken("It is warm.")
    )
    turn = make_session(service, tools=[here, server]).say("How warm is it?")
    assert turn.text == "It is warm."
    names = [tool["function"]["name"] for tool in service.asked[0].body["tools"]]
    assert names == ["here", "weather", "rooms_book", "fail"]
    assert told(service.asked[1]) == ["Lyon", '{"city": "Lyon", "degrees": 21.5}']


def test_what_the_server_does_not_call_read_only_waits_for_a_person(
    make_session: MakeSession, server: McpServer
) -> None:
    service = Service(calls(("rooms_book", '{"room": 3}')), spoken("Done."))
    session = make_session(service, tools=[server])
    turn = session.say("Book room 3.")
    assert turn.finish is None
    session.pending[0].approve(room=4)
    session.wait(turn)
    assert turn.tool_calls[0].result == "room 4 is booked"


def test_a_server_s_failure_is_told_to_the_model(
    make_session: MakeSession, server: McpServer
) -> None:
    service = Service(calls(("fail", "{}")), spoken("No room is free."))
    session = make_session(service)
    turn = session.say("Book.", tools=[server])
    session.pending[0].approve()
    session.wait(turn)
    assert "no room is free" in told(service.asked[1])[0]
    assert turn.tool_calls[0].error is not None and turn.finish == "complete"


# OpenTelemetry


@pytest.fixture
def memory() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(memory: InMemorySpanExporter) -> TracerProvider:
    found = TracerProvider()
    found.add_span_processor(SimpleSpanProcessor(memory))
    return found


def test_every_turn_of_a_watched_session_becomes_spans(
    make_session: MakeSession, memory: InMemorySpanExporter, provider: TracerProvider
) -> None:
    service = Service(
        calls(("weather", '{"city": "Lyon"}'), tokens=(50, 5)), spoken("Warm.", tokens=(80, 9))
    )
    session = make_session(service, tools=[weather])
    stop = watch_otel(session, tracer_provider=provider, content=True)
    turn = session.say("And in Lyon?")
    spans = {span.name: span for span in memory.get_finished_spans()}
    assert {"invoke_agent cellvoice", "chat gpt-audio-1.5", "execute_tool weather"} <= set(spans)
    whole = spans["invoke_agent cellvoice"]
    assert whole.attributes is not None
    assert whole.attributes["gen_ai.usage.input_tokens"] == 130
    assert whole.attributes["gen_ai.conversation.id"] == session.id
    tool = spans["execute_tool weather"]
    assert tool.attributes is not None and tool.start_time and tool.end_time
    assert tool.attributes["gen_ai.tool.call.result"] == "21 degrees in Lyon"
    (ran,) = [span for span in turn.trace if span.kind == "tool"]
    assert (tool.end_time - tool.start_time) / 1e9 == pytest.approx(ran.seconds, abs=1e-6)
    chats = [span for span in memory.get_finished_spans() if span.name.startswith("chat")]
    used = [(span.attributes or {})["gen_ai.usage.output_tokens"] for span in chats]
    assert sorted(map(int, used)) == [5, 9]  # type: ignore[arg-type]
    memory.clear()
    stop()
    session.say("Thanks.")
    assert memory.get_finished_spans() == ()


def test_a_turn_that_failed_is_an_error_without_its_words(
    make_session: MakeSession, memory: InMemorySpanExporter, provider: TracerProvider
) -> None:
    session = make_session(Service(refusal(500, message="out of order")))
    with pytest.raises(ServiceError) as caught:
        session.say("A secret.")
    assert caught.value.turn is not None
    export_otel(caught.value.turn, tracer_provider=provider)
    spans = memory.get_finished_spans()
    whole = next(span for span in spans if span.name == "invoke_agent cellvoice")
    assert whole.status.description is not None and "out of order" in whole.status.description
    assert "secret" not in " ".join(span.to_json() for span in spans)


def test_a_turn_that_runs_cannot_be_exported_yet(
    make_session: MakeSession, provider: TracerProvider
) -> None:
    hold = Hold()
    session = make_session(Service(Reply([hold, *spoken("Hello.").pieces])))
    turn = session.start_turn("Hi.")
    hold.wait_until_reached()
    with pytest.raises(UsageError, match="still runs"):
        export_otel(turn, tracer_provider=provider)
    hold.release()
    turn.wait()
    export_otel(turn, tracer_provider=provider)


# Confidence


class Mood(pydantic.BaseModel):
    tone: Literal["calm", "cross"]


def mood(tone: str) -> Reply:
    return calls(("Mood", json.dumps({"tone": tone})), tokens=(100, 10))


def test_of_several_requests_the_one_that_gave_the_object_is_asked_again(
    make_session: MakeSession,
) -> None:
    service = Service(
        calls(("weather", '{"city": "Lyon"}'), tokens=(50, 5)),
        mood("angry"),
        mood("calm"),
        spoken("You sound calm.", tokens=(200, 50)),
        mood("calm"),
        mood("cross"),
    )
    session = make_session(service, tools=[weather])
    turn = session.say("How do I sound?", schema=Mood, speak=True)
    assert turn.parsed == Mood(tone="calm") and turn.text == "You sound calm."
    found = turn.confidence(samples=2)
    assert found["tone"].value == "calm" and found["tone"].p == 0.5
    asked: list[dict[str, Any]] = [one.body for one in service.asked]
    assert len(asked) == 6 and asked[4] == asked[5] == asked[2]
    assert "estimated" in str(turn.confidence_price(2))
