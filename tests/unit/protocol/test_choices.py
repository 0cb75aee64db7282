"""Several replies to one request (n > 1), and probabilities that are decoded when asked for."""

from __future__ import annotations

import base64
import json
from typing import Any

from cellvoice.protocol import (
    AudioChunk,
    Event,
    Heartbeat,
    LogprobsChunk,
    OtherChoice,
    Reply,
    StreamDone,
    StreamParser,
    TextChunk,
    fold,
    joined_text,
)


def choice(index: int, delta: dict[str, object], **more: object) -> dict[str, object]:
    return {"index": index, "delta": delta, **more}


def stream_of(*chunks: list[dict[str, object]], done: bool = True) -> bytes:
    lines = [f"data: {json.dumps({'id': 'c1', 'choices': choices})}\n\n" for choices in chunks]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


def parsed(body: bytes) -> list[Event]:
    parser = StreamParser()
    return [*parser.feed(body), *parser.finish()]


def reply_of(body: bytes) -> Reply:
    reply = Reply()
    for event in parsed(body):
        fold(reply, event)
    return reply


def test_interleaved_replies_are_each_put_together() -> None:
    reply = reply_of(
        stream_of(
            [choice(0, {"content": "Pa"}), choice(1, {"content": "Ly"})],
            [choice(2, {"content": "Nice"})],
            [choice(1, {"content": "on"}), choice(0, {"content": "ris"})],
            [choice(2, {}, finish_reason="stop")],
            [choice(0, {}, finish_reason="length"), choice(1, {}, finish_reason="stop")],
        )
    )
    assert [one.content for one in reply.choices] == ["Paris", "Lyon", "Nice"]
    assert [one.finish_reason for one in reply.choices] == ["length", "stop", "stop"]
    assert all(one.done for one in reply.choices)


def test_the_events_of_other_replies_say_whose_they_are() -> None:
    events = parsed(stream_of([choice(1, {"content": "b"}), choice(0, {"content": "a"})]))
    assert events[1:] == [OtherChoice(1, TextChunk("b")), TextChunk("a"), StreamDone()]


def test_the_sound_of_each_reply_is_decoded_on_its_own() -> None:
    # Both are cut inside a group of four letters, where one decoder for both would mix them.
    texts = [base64.b64encode(bytes([number]) * 8).decode() for number in (1, 2)]
    chunks = [
        [choice(index, {"audio": {"id": f"a{index}", "data": texts[index][part]}})]
        for part in (slice(0, 5), slice(5, None))
        for index in (0, 1)
    ]
    reply = reply_of(stream_of(*chunks))
    assert [bytes(one.pcm) for one in reply.choices] == [b"\1" * 8, b"\2" * 8]
    assert [one.audio_id for one in reply.choices] == ["a0", "a1"]


def test_without_done_all_replies_must_have_said_their_end() -> None:
    one_ends = [choice(0, {"content": "a"}), choice(1, {"content": "b"})]
    half = stream_of(one_ends, [choice(0, {}, finish_reason="stop")], done=False)
    assert not reply_of(half).done
    assert reply_of(half + stream_of([choice(1, {}, finish_reason="stop")], done=False)).done


def test_an_index_that_is_no_number_is_the_first() -> None:
    reply = reply_of(stream_of([choice("x", {"content": "a"}), {"delta": {"content": "b"}}]))  # type: ignore[arg-type]
    assert (reply.content, reply.others) == ("ab", {})


def row(token: str, utf8: object, logprob: float = -0.5) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": utf8, "top_logprobs": []}


def test_a_letter_spread_over_tokens_is_joined_by_its_bytes() -> None:
    flag = list("é🎉".encode())
    rows = [
        row("a", [97]),
        row("\\xc3", flag[:1]),
        row("\\xa9\\xf0", flag[1:4]),
        row("?", flag[4:]),
    ]
    chunks = [
        [choice(0, {"content": ""}, logprobs={"content": [one], "refusal": None})] for one in rows
    ]
    reply = reply_of(stream_of(*chunks))
    assert reply.logprobs is not None
    assert reply.logprobs.text == "aé🎉"
    assert reply.logprobs.content == rows


def test_tokens_without_bytes_count_by_their_text() -> None:
    assert joined_text([row("a", None), row("b", "nonsense"), row("c", [999]), {}]) == "abc"


def test_probabilities_of_a_refusal_are_kept_apart() -> None:
    probabilities = {"content": None, "refusal": [row("No", [78, 111])]}
    reply = reply_of(stream_of([choice(0, {"refusal": "No"}, logprobs=probabilities)]))
    assert reply.logprobs is not None
    assert (reply.logprobs.content, len(reply.logprobs.refusal)) == ([], 1)


def test_probabilities_may_be_looked_at_while_they_come() -> None:
    reply = Reply()
    for token in ("a", "b"):
        raw = json.dumps({"content": [row(token, [ord(token)])]}).encode()
        fold(reply, LogprobsChunk(raw))
        assert reply.logprobs is not None
        assert reply.logprobs.text.endswith(token)
    assert [found["token"] for found in reply.logprobs.content] == ["a", "b"]


def test_rows_of_the_wrong_type_are_passed_over() -> None:
    chunk = LogprobsChunk(b'{"content":[1,null,{"token":"a"}],"refusal":"x"}')
    assert (chunk.content, chunk.refusal) == ([{"token": "a"}], [])
    assert LogprobsChunk(b"[]").content == LogprobsChunk(b"{").content == []


def test_what_was_generated_is_the_beats_or_what_came() -> None:
    reply = Reply()
    fold(reply, AudioChunk(b"\0\0" * 24_000, 24_000))
    assert (reply.generated_s, reply.received_s) == (1.0, 1.0)
    for _ in range(41):
        fold(reply, Heartbeat())
    # One more beat than there are 50 ms of speech.
    assert reply.generated_s == 2.0
