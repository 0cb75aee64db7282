"""One rule for each field of a stream: what repeats, refusals, tool calls."""

from __future__ import annotations

import pytest

from cellvoice.protocol import (
    AudioExpiry,
    AudioStarted,
    Reply,
    UsageReceived,
)

from .wire import (
    b64,
    body_of,
    choice,
    chunk,
    pcm,
    read_body,
    read_every_way,
    read_stream,
    spoken,
    sse,
    stream_events,
    wav,
)

SOUND = pcm(96)


# What repeats


def test_ids_and_expiries_are_told_when_they_change() -> None:
    again = spoken(id="audio_1", expires_at=5, data=b64(SOUND[:8]))
    events = stream_events(sse(again, again, spoken(id="audio_2", expires_at=6)))
    told = [event for event in events if isinstance(event, (AudioStarted, AudioExpiry))]
    assert told == [
        AudioStarted("audio_1"),
        AudioExpiry(5),
        AudioStarted("audio_2"),
        AudioExpiry(6),
    ]


def test_an_expiry_may_be_written_as_a_number_with_a_point() -> None:
    assert read_stream(sse(spoken(id="a", expires_at=1_780_003_600.0))).expires_at == 1_780_003_600


@pytest.mark.parametrize("place", ["first", "with every event", "beside a choice", "last"])
def test_usage_may_stand_anywhere(place: str) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    events = [chunk(choice({"content": word})) for word in ("a", "b", "c")]
    if place == "first":
        events.insert(0, chunk(usage=usage))
    elif place == "with every event":
        counts = enumerate(events, 2)
        events = [{**event, "usage": {**usage, "completion_tokens": n}} for n, event in counts]
    elif place == "beside a choice":
        events.append(chunk(choice({}, finish_reason="stop"), usage=usage))
    else:
        events.append({"usage": usage})
    reply = read_every_way(sse(*events))
    assert reply.content == "abc"
    assert reply.usage is not None and reply.usage.completion_tokens == 4


@pytest.mark.parametrize("choices", [{}, {"choices": None}, {"choices": []}], ids=str)
def test_choices_may_be_absent_null_or_empty_beside_the_usage(choices: dict[str, object]) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    events = stream_events(sse({"id": "c1", **choices, "usage": usage}))
    assert [type(event) for event in events][1:-1] == [UsageReceived]


# Refusals


def test_a_refusal_comes_in_its_own_field_and_an_evasion_in_the_content() -> None:
    own = [chunk(choice({"refusal": word})) for word in ("I'm ", "sorry.")]
    assert read_every_way(sse(*own)).refusal == "I'm sorry."
    evasion = [chunk(choice({"content": word, "refusal": None})) for word in ("I'm ", "sorry.")]
    reply = read_every_way(sse(*evasion))
    assert (reply.content, reply.refusal) == ("I'm sorry.", "")


def test_a_refusal_that_is_not_streamed_is_one_too() -> None:
    reply = read_every_way(body_of({"refusal": "I'm sorry."}), read=read_body)
    assert (reply.refusal, reply.text, reply.done) == ("I'm sorry.", "", True)


# Tool calls


def calls_of(reply: Reply) -> list[tuple[str, str, str, bool]]:
    return [(call.call_id, call.name, call.arguments, call.custom) for call in reply.tool_calls]


def calling(*calls: dict[str, object]) -> dict[str, object]:
    return chunk(choice({"tool_calls": list(calls)}))


def test_parallel_calls_may_interleave_and_come_out_of_order() -> None:
    def call(index: int, arguments: str, **first: object) -> dict[str, object]:
        return {"index": index, "function": {"arguments": arguments}, **first}

    reply = read_every_way(
        sse(
            calling(call(1, "", id="call_b"), call(0, "", id="call_a")),
            calling({"index": 1, "function": {"name": "late"}}),
            calling(call(0, "{"), call(1, "[")),
            calling(call(1, "]"), call(0, "}")),
        )
    )
    assert sorted(calls_of(reply)) == [("call_a", "", "{}", False), ("call_b", "late", "[]", False)]


def test_a_custom_tool_has_any_text_for_its_input() -> None:
    reply = read_every_way(
        sse(
            calling(
                {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": "SEL"}}
            ),
            calling({"index": 0, "custom": {"input": "ECT 1"}}),
        )
    )
    assert calls_of(reply) == [("c", "sql", "SELECT 1", True)]


def test_a_call_may_lack_its_id() -> None:
    reply = read_stream(sse(calling({"index": 0, "function": {"name": "f", "arguments": "{}"}})))
    assert calls_of(reply) == [("", "f", "{}", False)]


def test_calls_without_index_in_one_event_are_told_apart_by_their_place() -> None:
    calls = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    reply = read_every_way(sse(calling(*calls)))
    assert calls_of(reply) == [("a", "a", "{}", False), ("b", "b", "{}", False)]


def test_calls_that_are_not_streamed_keep_their_order_and_kind() -> None:
    reply = read_every_way(
        body_of(
            {
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "b", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}},
                ]
            }
        ),
        read=read_body,
    )
    assert calls_of(reply) == [("a", "f", "{}", False), ("b", "sql", "SELECT 1", True)]


def test_a_call_may_come_beside_speech() -> None:
    audio = {"id": "audio_1", "data": b64(wav(SOUND)), "expires_at": 9, "transcript": "One moment."}
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    reply = read_every_way(body_of({"audio": audio, "tool_calls": [call]}), read=read_body)
    assert (reply.text, bytes(reply.pcm)) == ("One moment.", SOUND)
    assert calls_of(reply) == [("a", "f", "{}", False)]
