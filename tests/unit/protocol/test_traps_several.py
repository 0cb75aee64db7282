"""Several replies at once, tokens with their probabilities, sound that has a header."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cellvoice.protocol import (
    OtherChoice,
    Reply,
    StreamParser,
    ToolCallChunk,
)

from .wire import (
    b64,
    body_of,
    choice,
    chunk,
    is_complete,
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
WAVE = "👋"


# Several replies


def test_several_replies_interleave_in_every_field() -> None:
    def row(token: str) -> dict[str, object]:
        rows = [{"token": token, "logprob": -0.5, "bytes": list(token.encode())}]
        return {"content": rows, "refusal": None}

    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    usage = {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}
    body = sse(
        chunk(choice({"role": "assistant", "content": ""}, index=0)),
        chunk(choice({"role": "assistant", "content": ""}, index=1)),
        chunk(choice({"content": "Yes"}, 0, logprobs=row("Yes"))),
        chunk(choice({"content": "No"}, 1, logprobs=row("No")), choice({"refusal": "I"}, index=2)),
        chunk(choice({"content": "!"}, 0, logprobs=row("!"))),
        chunk(choice({"refusal": " can't"}, index=2), choice({"tool_calls": [call]}, index=3)),
        chunk(choice({}, 0, finish_reason="stop")),
        chunk(choice({}, 1, finish_reason="length")),
        chunk(choice({}, 3, finish_reason="tool_calls")),
        chunk(choice({}, 2, finish_reason="stop")),
        chunk(usage=usage),
    )
    reply = read_every_way(body)
    assert reply is reply.choices[0]
    assert [one.text for one in reply.choices] == ["Yes!", "No", "", ""]
    assert [one.refusal for one in reply.choices] == ["", "", "I can't", ""]
    assert [one.finish_reason for one in reply.choices] == ["stop", "length", "stop", "tool_calls"]
    assert [one.logprobs and one.logprobs.text for one in reply.choices] == [
        "Yes!",
        "No",
        None,
        None,
    ]
    (asked,) = reply.choices[3].tool_calls
    assert (asked.call_id, asked.name, asked.arguments) == ("c", "f", "{}")
    # What all of them used together is told once, for all.
    assert reply.usage is not None and reply.usage.completion_tokens == 9
    assert all(one.done for one in reply.choices)


def test_without_done_the_last_of_several_replies_is_waited_for() -> None:
    events = [
        chunk(choice({"content": "Yes"}, index=0), choice({"content": "No"}, index=1)),
        chunk(choice({}, 0, finish_reason="stop")),
    ]
    assert not is_complete(sse(*events, done=False))
    assert is_complete(sse(*events, chunk(choice({}, 1, finish_reason="stop")), done=False))


def test_an_event_of_another_reply_is_wrapped_with_its_index() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}
    events = stream_events(sse(chunk(choice({"tool_calls": [call]}, index=1)), done=False))
    assert OtherChoice(1, ToolCallChunk(0, "c", "f", "")) in events


def test_several_spoken_replies_that_are_not_streamed_are_kept_apart() -> None:
    other = pcm(40, seed=2)
    body = body_of(
        {"audio": {"id": "a0", "data": b64(wav(SOUND)), "transcript": "Yes"}},
        {"audio": {"id": "a1", "data": b64(wav(other)), "transcript": "No"}},
    )

    def read(*pieces: bytes) -> Reply:
        return read_body(*pieces, choices=2)

    first, second = read_every_way(body, read=read).choices
    assert (first.text, bytes(first.pcm)) == ("Yes", SOUND)
    assert (second.text, bytes(second.pcm)) == ("No", other)


# Probabilities


def rows(parts: list[bytes]) -> list[dict[str, Any]]:
    """Tokens as the service writes them: a part of a letter has an escape for its text."""
    return [
        {
            "token": "".join(f"\\x{byte:02x}" for byte in part),
            "logprob": -0.1,
            "bytes": list(part),
            "top_logprobs": [{"token": "x", "logprob": -9999.0, "bytes": None}],
        }
        for part in parts
    ]


@pytest.mark.parametrize("field", ["content", "refusal"])
def test_a_letter_over_three_tokens_is_joined_by_its_bytes(field: str) -> None:
    letter = WAVE.encode()
    parts = [letter[:1], letter[1:3], letter[3:]]
    empty = {"content": None, "refusal": None}
    events = [
        chunk(choice({field: text}, logprobs={**empty, field: [row]}))
        for text, row in zip(["", "", WAVE], rows(parts), strict=True)
    ]
    reply = read_every_way(sse(*events))
    assert reply.logprobs is not None
    found = getattr(reply.logprobs, field)
    assert [row["bytes"] for row in found] == [list(part) for part in parts]
    assert getattr(reply, field) == WAVE
    if field == "content":
        assert reply.logprobs.text == WAVE
    else:
        assert reply.logprobs.content == [] and reply.logprobs.text == ""


def test_probabilities_that_are_not_streamed_are_the_same() -> None:
    letter = WAVE.encode()
    found = {"content": rows([letter[:2], letter[2:]]), "refusal": None}
    choices = [{"index": 0, "message": {"content": WAVE}, "logprobs": found}]
    reply = read_every_way(json.dumps({"choices": choices}).encode(), read=read_body)
    assert reply.logprobs is not None
    assert reply.logprobs.content == found["content"]
    assert reply.logprobs.text == WAVE


@pytest.mark.parametrize("found", [None, {}, {"content": None, "refusal": None}, {"content": []}])
def test_a_reply_without_probabilities_has_none(found: object) -> None:
    body = sse(chunk(choice({"content": "a"}, logprobs=found)), chunk(choice({}), logprobs=None))
    assert read_stream(body).logprobs is None


# Sound in files


@pytest.mark.parametrize("cut", [1, 3, 4, 20, 43, 44, 45, 47])
def test_a_header_may_be_cut_between_two_pieces(cut: int) -> None:
    file = wav(SOUND, 44_100)
    reply = read_stream(sse(spoken(data=b64(file[:cut])), spoken(data=b64(file[cut:]))))
    assert (bytes(reply.pcm), reply.sample_rate_hz) == (SOUND, 44_100)


def test_what_stands_between_the_header_and_the_sound_is_skipped() -> None:
    """The muxer behind many servers writes its own name there."""
    file = wav(SOUND)
    name = b"LIST" + (26).to_bytes(4, "little") + b"INFOISFT\x0e\x00\x00\x00Lavf60.16.100\x00"
    reply = read_every_way(sse(spoken(data=b64(file[:36] + name + file[36:]))))
    assert bytes(reply.pcm) == SOUND


def test_a_parser_that_has_ended_gives_nothing_more() -> None:
    parser = StreamParser()
    parser.feed(sse(spoken(data=b64(SOUND))))
    parser.finish()
    assert parser.finish() == [] and parser.feed(sse(spoken(data=b64(SOUND)))) == []
