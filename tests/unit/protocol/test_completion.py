"""Replies that are not streamed: their body in pieces, with every kind of sound."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import ProtocolError
from cellvoice.protocol import (
    AudioChunk,
    AudioExpiry,
    AudioStarted,
    CompletionParser,
    ErrorReceived,
    Event,
    FinishReason,
    RefusalChunk,
    Reply,
    ReplyStarted,
    StreamDone,
    TranscriptChunk,
    UsageReceived,
    fold,
    parse_completion,
)

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def reply_of(events: Iterable[Event]) -> Reply:
    reply = Reply()
    for event in events:
        fold(reply, event)
    return reply


def in_pieces(*pieces: bytes, choices: int = 1) -> Reply:
    parser = CompletionParser(choices)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return reply_of([*events, *parser.finish()])


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "opus"])
def test_a_whole_reply_may_hold_any_kind_of_sound(kind: str) -> None:
    tone = np.sin(np.arange(48_000) / 10).astype(np.float32) / 2
    file = Clip.from_array(tone, 24_000).to_bytes(kind)
    expected = Clip.from_bytes(file)
    reply = reply_of(parse_completion(completion(file)))
    assert reply.clip == Clip.from_pcm16(expected.to_pcm16(), expected.sample_rate_hz)


def completion(file: bytes) -> bytes:
    audio = {"id": "audio_1", "data": b64(file), "expires_at": 9, "transcript": "Hi."}
    message = {"role": "assistant", "content": None, "refusal": None, "audio": audio}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    used = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return json.dumps({"id": "c1", "choices": [choice], "usage": used}).encode()


def test_the_sound_of_a_whole_reply_is_told_as_it_comes_and_the_rest_at_its_end() -> None:
    body = completion(b"\x01\x00" * 50)
    parser = CompletionParser()
    first, second = parser.feed(body[:150]), parser.feed(body[150:])
    assert [type(event) for event in [*first, *second]] == [AudioChunk, AudioChunk]
    assert [type(event) for event in parser.finish()] == [
        ReplyStarted,
        AudioStarted,
        TranscriptChunk,
        AudioExpiry,
        FinishReason,
        UsageReceived,
        StreamDone,
    ]


def test_a_wav_with_a_streamed_header_is_read_by_its_payload() -> None:
    clip = Clip.from_pcm16(bytes(range(200)))
    file = bytearray(clip.to_bytes("wav"))
    file[4:8] = file[40:44] = b"\xff" * 4
    assert reply_of(parse_completion(completion(bytes(file)))).clip == clip


def test_a_whole_reply_may_be_a_refusal() -> None:
    message = {"role": "assistant", "content": None, "refusal": "No."}
    body = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    events = parse_completion(json.dumps(body).encode())
    assert RefusalChunk("No.") in events


def test_a_whole_reply_that_is_no_json_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        parse_completion(b"<html>")


def test_a_body_may_be_cut_anywhere() -> None:
    body = completion(Clip.from_pcm16(bytes(range(60)), 16_000).to_bytes("wav"))
    expected = in_pieces(body)
    assert expected.clip == Clip.from_pcm16(bytes(range(60)), 16_000)
    for cut in range(len(body) + 1):
        assert in_pieces(body[:cut], body[cut:]) == expected
    assert in_pieces(*(body[place : place + 1] for place in range(len(body)))) == expected


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.replace("/", "\\/"),
        lambda text: text.replace("A", "\\u0041"),
        lambda text: "\\n".join(text[i : i + 7] for i in range(0, len(text), 7)),
        lambda text: f"data:audio/wav;base64,{text}",
        lambda text: text.rstrip("="),
    ],
    ids=["escaped slashes", "escaped letters", "broken lines", "data address", "no padding"],
)
def test_base64_may_be_written_as_other_servers_write_it(written: object) -> None:
    assert callable(written)
    pcm = bytes(range(200)) + b"\xff\xff\xfe\xff"
    text = b64(pcm)
    assert "/" in text and "A" in text
    body = completion(pcm).replace(text.encode(), written(text).encode())
    for cut in range(len(body) + 1):
        assert bytes(in_pieces(body[:cut], body[cut:]).pcm) == pcm


def test_words_that_look_like_sound_stay_words() -> None:
    words = 'say "audio": {"data": "AAAA"} and }{'
    message = {"content": words, "audio": {"transcript": words, "data": b64(b"abcd")}}
    body = json.dumps({"choices": [{"message": message}]}).encode()
    for cut in range(len(body) + 1):
        reply = in_pieces(body[:cut], body[cut:])
        assert (reply.content, reply.transcript, bytes(reply.pcm)) == (words, words, b"abcd")


def test_the_sound_of_several_replies_goes_to_each() -> None:
    choices = [
        {"message": {"audio": {"id": f"a{index}", "data": b64(bytes([index, 0]))}}, "index": index}
        for index in (1, 0, 2)
    ]
    reply = in_pieces(json.dumps({"choices": choices}).encode(), choices=3)
    assert [choice.audio_id for choice in reply.choices] == ["a0", "a1", "a2"]
    assert [bytes(choice.pcm) for choice in reply.choices] == [b"\0\0", b"\1\0", b"\2\0"]
    assert all(choice.done for choice in reply.choices)


def test_a_second_choice_of_the_same_index_belongs_to_the_same_reply() -> None:
    text = {"index": 0, "message": {"content": "Hello."}}
    sound = {"index": 0, "message": {"content": None, "audio": {"data": b64(b"abcd")}}}
    reply = in_pieces(json.dumps({"choices": [text, sound]}).encode())
    assert (reply.content, bytes(reply.pcm), reply.others) == ("Hello.", b"abcd", {})


def test_of_a_body_that_ends_too_early_the_sound_is_kept() -> None:
    body = completion(b"\x01\x00" * 50)
    parser = CompletionParser()
    events = [*parser.feed(body[:150]), *parser.finish()]
    assert [type(event) for event in events] == [AudioChunk]
    assert not parser.complete


def test_a_body_that_ends_before_anything_was_told_is_no_json() -> None:
    parser = CompletionParser()
    assert parser.feed(b'{"choices":[{"message":{"cont') == []
    with pytest.raises(ProtocolError, match="no JSON"):
        parser.finish()


def test_an_error_in_place_of_a_reply_is_told() -> None:
    (event,) = parse_completion(b'{"error":{"message":"out of luck"}}')
    assert isinstance(event, ErrorReceived)
    assert "out of luck" in str(event.error)


def test_a_body_past_the_limit_is_refused() -> None:
    parser = CompletionParser(max_bytes=100)
    parser.feed(b" " * 100)
    with pytest.raises(ProtocolError, match="100 bytes"):
        parser.feed(b" ")
