"""A turn's trace as OpenTelemetry spans, read from an exporter in memory."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as names
from opentelemetry.trace import SpanKind, StatusCode

from cellvoice.audio import Clip
from cellvoice.errors import ServiceError, UsageError
from cellvoice.protocol import (
    InputDetails,
    OutputDetails,
    Reply,
    ReplyToolCall,
    Usage,
    build_request,
    user_message,
)
from cellvoice.session.tools.otel import Traced, export

BEGAN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BEGAN_NS = int(BEGAN.timestamp()) * 10**9


@dataclass
class Call:
    id: str = "call_1"
    name: str = "weather"
    arguments: dict[str, object] = field(default_factory=lambda: {"city": "Lyon"})
    result_text: str | None = "21 degrees"


@dataclass
class Span:
    kind: str
    name: str
    start_s: float
    end_s: float | None
    round: int = 1
    call_id: str | None = None
    call: Call | None = None
    error: str | None = None


def usage(total: int, sound: int = 0) -> Usage:
    return Usage(
        prompt_tokens=total,
        completion_tokens=total // 2,
        prompt_tokens_details=InputDetails(audio_tokens=0, cached_tokens=0),
        completion_tokens_details=OutputDetails(audio_tokens=sound),
    )


def spoken_after_a_call(**changes: Any) -> Traced:
    """Two requests: the first calls a tool, which a person allows; the second is spoken."""
    sound = Clip.from_array(np.zeros(24_000, np.int16), 24_000)
    asked = build_request(
        model="gpt-audio",
        messages=[user_message(["What is the weather?", sound])],
        voice="alloy",
        params={
            "temperature": 0.5,
            "max_completion_tokens": 99,
            "stop": ["END"],
            "tools": [{"type": "function", "function": {"name": "weather"}}],
        },
    )
    first = Reply(
        reply_id="chatcmpl-1",
        model="gpt-audio-2025-08-28",
        finish_reason="tool_calls",
        usage=usage(100),
        tool_calls=[ReplyToolCall(0, "call_1", "weather", '{"city": "Lyon"}')],
    )
    second = Reply(
        reply_id="chatcmpl-2", model="gpt-audio-2025-08-28", transcript="It is warm.",
        usage=usage(200, sound=60),
    )  # fmt: skip
    call = Call()
    found: dict[str, Any] = {
        "session_id": "session-1",
        "turn_id": "session-1-1",
        "began_at": BEGAN,
        "provider": "openai",
        "model": "gpt-audio-2025-08-28",
        "finish": "complete",
        "error": None,
        "cost_usd": 0.01,
        "exchanges": [(asked, first), (asked, second)],
        "trace": [
            Span("request", "gpt-audio", 0.0, 1.0),
            Span("upload", "gpt-audio", 0.0, 0.25),
            Span("waiting", "gpt-audio", 0.25, 0.5),
            Span("approval", "weather", 1.0, 2.0, 1, "call_1", call),
            Span("tool", "weather", 2.0, 2.5, 1, "call_1", call),
            Span("request", "gpt-audio", 2.5, 3.5, 2),
            Span("waiting", "gpt-audio", 2.5, 3.0, 2),
            Span("speech", "gpt-audio", 3.0, 6.0, 2),
        ],
    }
    return Traced(**{**found, **changes})


def exported(of: Traced, *, content: bool = False) -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    export(of, provider, content=content)
    return sorted(memory.get_finished_spans(), key=lambda span: (span.start_time or 0, span.name))


def named(spans: list[ReadableSpan], name: str, at: int = 0) -> ReadableSpan:
    return [span for span in spans if span.name == name][at]


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_the_spans_have_the_names_and_places_of_the_conventions() -> None:
    spans = exported(spoken_after_a_call())
    by_id = {span.context.span_id: span.name for span in spans if span.context}
    tree = [(span.name, by_id[span.parent.span_id] if span.parent else None) for span in spans]
    turn, chat = "invoke_agent cellvoice", "chat gpt-audio"
    assert sorted(tree, key=str) == sorted(
        [
            (turn, None),
            (chat, turn),
            ("upload", chat),
            ("waiting", chat),
            ("approval weather", turn),
            ("execute_tool weather", turn),
            (chat, turn),
            ("waiting", chat),
            ("speech", turn),
        ],
        key=str,
    )
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert named(spans, chat).kind is SpanKind.CLIENT
    assert named(spans, turn).kind is SpanKind.INTERNAL


def test_the_spans_have_the_times_that_things_took() -> None:
    spans = exported(spoken_after_a_call())
    tool, turn = named(spans, "execute_tool weather"), named(spans, "invoke_agent cellvoice")
    assert (tool.start_time, tool.end_time) == (BEGAN_NS + 2 * 10**9, BEGAN_NS + 25 * 10**8)
    assert (turn.start_time, turn.end_time) == (BEGAN_NS, BEGAN_NS + 6 * 10**9)
    second = named(spans, "chat gpt-audio", 1)
    inside = [one for one in spans if one.parent and one.parent == second.context]
    assert [one.start_time for one in inside] == [BEGAN_NS + 25 * 10**8]


def test_a_request_has_what_was_asked_and_what_was_used() -> None:
    spans = exported(spoken_after_a_call())
    first = attributes(named(spans, "chat gpt-audio"))
    assert first == {
        names.GEN_AI_OPERATION_NAME: "chat",
        names.GEN_AI_PROVIDER_NAME: "openai",
        names.GEN_AI_CONVERSATION_ID: "session-1",
        names.GEN_AI_REQUEST_MODEL: "gpt-audio",
        names.GEN_AI_REQUEST_TEMPERATURE: 0.5,
        names.GEN_AI_REQUEST_MAX_TOKENS: 99,
        names.GEN_AI_REQUEST_STOP_SEQUENCES: ("END",),
        names.GEN_AI_REQUEST_STREAM: True,
        names.GEN_AI_OUTPUT_TYPE: "speech",
        names.GEN_AI_RESPONSE_ID: "chatcmpl-1",
        names.GEN_AI_RESPONSE_MODEL: "gpt-audio-2025-08-28",
        names.GEN_AI_RESPONSE_FINISH_REASONS: ("tool_calls",),
        names.GEN_AI_USAGE_INPUT_TOKENS: 100,
        names.GEN_AI_USAGE_OUTPUT_TOKENS: 50,
        names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: 0,
        "cellvoice.usage.input_audio_tokens": 0,
        "cellvoice.usage.output_audio_tokens": 0,
        "cellvoice.round": 1,
    }
    second = attributes(named(spans, "chat gpt-audio", 1))
    assert second["cellvoice.usage.output_audio_tokens"] == 60
    turn = attributes(named(spans, "invoke_agent cellvoice"))
    assert turn[names.GEN_AI_USAGE_INPUT_TOKENS] == 300
    assert turn["cellvoice.cost.usd"] == 0.01


def test_a_call_has_its_id_and_nothing_that_was_said() -> None:
    spans = exported(spoken_after_a_call())
    assert attributes(named(spans, "execute_tool weather")) == {
        names.GEN_AI_OPERATION_NAME: "execute_tool",
        names.GEN_AI_TOOL_NAME: "weather",
        names.GEN_AI_TOOL_TYPE: "function",
        names.GEN_AI_TOOL_CALL_ID: "call_1",
        "cellvoice.round": 1,
    }
    told = json.dumps([attributes(span) for span in spans])
    assert "Lyon" not in told and "weather?" not in told and "warm" not in told


def test_with_content_the_words_are_there_and_no_sound() -> None:
    spans = exported(spoken_after_a_call(), content=True)
    first = attributes(named(spans, "chat gpt-audio"))
    said = json.loads(first[names.GEN_AI_INPUT_MESSAGES])
    assert said == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "What is the weather?"},
                {"type": "input_audio", "content": "⟨wav 1.0 s⟩"},
            ],
        }
    ]
    (answered,) = json.loads(first[names.GEN_AI_OUTPUT_MESSAGES])
    assert answered["parts"] == [
        {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Lyon"}}
    ]
    assert answered["finish_reason"] == "tool_calls"
    assert json.loads(first[names.GEN_AI_TOOL_DEFINITIONS])[0]["function"]["name"] == "weather"
    tool = attributes(named(spans, "execute_tool weather"))
    assert json.loads(tool[names.GEN_AI_TOOL_CALL_ARGUMENTS]) == {"city": "Lyon"}
    assert tool[names.GEN_AI_TOOL_CALL_RESULT] == "21 degrees"


def test_what_is_said_again_in_a_later_request_keeps_its_form() -> None:
    told = build_request(
        model="gpt-audio",
        messages=[
            user_message(["Hi."]),
            {"role": "assistant", "audio": {"id": "audio_1"}},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{no"}}
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "seven"},
        ],
        voice="alloy",
    )
    of = spoken_after_a_call(exchanges=[(told, Reply(content="Bye."))])
    first = attributes(named(exported(of, content=True), "chat gpt-audio"))
    parts = [one["parts"] for one in json.loads(first[names.GEN_AI_INPUT_MESSAGES])][1:]
    assert parts == [
        [{"type": "audio", "id": "audio_1"}],
        [{"type": "tool_call", "id": "c", "name": "f", "arguments": "{no"}],
        [{"type": "tool_call_response", "id": "c", "response": "seven"}],
    ]


def test_a_failure_is_an_error_with_its_type() -> None:
    trace = [
        Span("request", "gpt-audio", 0.0, 1.0, error="ServiceError: it failed"),
        Span("tool", "weather", 0.5, None, 1, "call_1", None, "KeyError: no such city"),
    ]
    of = spoken_after_a_call(trace=trace, finish="failed", error=ServiceError("it failed"))
    spans = exported(of)
    for name, kind in [
        ("invoke_agent cellvoice", "ServiceError"),
        ("chat gpt-audio", "ServiceError"),
        ("execute_tool weather", "KeyError"),
    ]:
        span = named(spans, name)
        assert span.status.status_code is StatusCode.ERROR
        assert attributes(span)["error.type"] == kind
    # What was not seen to end has ended with the turn.
    assert named(spans, "execute_tool weather").end_time == BEGAN_NS + 10**9


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(UsageError, match=r"pip install 'cellvoice\[otel\]'"):
        export(spoken_after_a_call(), None, content=False)


@pytest.mark.parametrize("trace", [[], [Span("speech", "x", 0.0, 1.0, round=7)]])
def test_a_turn_without_requests_is_a_span_all_the_same(trace: list[Span]) -> None:
    spans = exported(spoken_after_a_call(trace=trace, exchanges=[]))
    assert named(spans, "invoke_agent cellvoice").parent is None
    assert len(spans) == 1 + len(trace)
