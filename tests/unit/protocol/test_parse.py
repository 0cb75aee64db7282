"""The parser of replies: recorded ones, and ones with every known trap."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cellvoice.audio import Clip
from cellvoice.errors import AuthError, ProtocolError, ServiceError
from cellvoice.protocol import (
    AudioChunk,
    AudioExpiry,
    AudioStarted,
    EngineNamed,
    ErrorReceived,
    Event,
    Heartbeat,
    LogprobsChunk,
    Reply,
    ReplyStarted,
    StreamDone,
    StreamParser,
    TextChunk,
    ToolCallChunk,
    UsageReceived,
    fold,
    parse_completion,
)

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
STREAMS = sorted(RECORDED.glob("*.sse"))
SPOKEN = [path for path in STREAMS if "audio" in path.stem]
SMALL = [path for path in STREAMS if path.stat().st_size < 5_000]
SHORTEST = RECORDED / "gpt-audio-1.5.basic.shortest.sse"


def parsed(*pieces: bytes) -> list[Event]:
    parser = StreamParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def reply_of(events: list[Event]) -> Reply:
    reply = Reply()
    for event in events:
        fold(reply, event)
    return reply


def stream_of(*chunks: object, done: bool = True) -> bytes:
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


def delta(**fields: object) -> dict[str, object]:
    return {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": fields}]}


def sound(data: str) -> dict[str, object]:
    return delta(audio={"data": data})


def b64(found: bytes) -> str:
    return base64.b64encode(found).decode()


# An independent reading: plain JSON and base64, line by line.


def chunks_in(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text("utf-8").splitlines()
    payloads = [line[6:] for line in lines if line.startswith("data: ")]
    return [json.loads(payload) for payload in payloads if payload != "[DONE]"]


def audio_parts_in(path: Path) -> list[dict[str, Any]]:
    choices = [choice for chunk in chunks_in(path) for choice in chunk.get("choices") or []]
    return [choice["delta"]["audio"] for choice in choices if "audio" in choice["delta"]]


# Recordings


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.stem)
def test_the_sound_of_a_recording_is_the_same_sample_for_sample(path: Path) -> None:
    parts = audio_parts_in(path)
    expected = b"".join(base64.b64decode(part["data"]) for part in parts if "data" in part)
    reply = reply_of(parsed(path.read_bytes()))
    assert len(expected) > 20_000
    assert reply.clip is not None
    np.testing.assert_array_equal(reply.clip.samples, np.frombuffer(expected, "<i2"))
    assert reply.clip.sample_rate_hz == 24_000


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.stem)
def test_everything_else_in_a_spoken_recording_is_there_too(path: Path) -> None:
    chunks, parts = chunks_in(path), audio_parts_in(path)
    reply = reply_of(parsed(path.read_bytes()))
    assert reply.transcript == "".join(part.get("transcript", "") for part in parts) == "Hello"
    assert reply.audio_id == next(part["id"] for part in parts if "id" in part)
    assert reply.expires_at == next(part["expires_at"] for part in parts if "expires_at" in part)
    assert reply.heartbeats == sum("choices" not in chunk for chunk in chunks)
    assert reply.model == chunks[0]["model"]
    assert reply.created == chunks[0]["created"]
    assert reply.fingerprint == chunks[0]["system_fingerprint"]
    used = next(chunk["usage"] for chunk in chunks if chunk.get("usage"))
    assert reply.usage is not None
    assert reply.usage.total_tokens == used["total_tokens"]
    assert reply.usage.completion_audio_tokens == used["completion_tokens_details"]["audio_tokens"]
    # 20 audio tokens a second, and one heartbeat more than tokens.
    assert len(reply.pcm) == reply.usage.completion_audio_tokens * 2_400
    assert reply.heartbeats == reply.usage.completion_audio_tokens + 1
    assert reply.finish_reason is None
    assert reply.done


def test_a_spoken_reply_tells_its_audio_id_once_and_ends_after_the_usage() -> None:
    events = parsed(SHORTEST.read_bytes())
    kinds = [type(event) for event in events]
    assert kinds[0] is ReplyStarted
    assert kinds.count(AudioStarted) == kinds.count(ReplyStarted) == 1
    assert kinds[-3:] == [UsageReceived, AudioExpiry, StreamDone]


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_a_small_recording_cut_in_two_anywhere_gives_the_same_events(path: Path) -> None:
    body = path.read_bytes()
    expected = parsed(body)
    for cut in range(len(body) + 1):
        assert parsed(body[:cut], body[cut:]) == expected


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_recording_byte_by_byte_gives_the_same_events(path: Path) -> None:
    body = path.read_bytes()
    assert parsed(*[body[place : place + 1] for place in range(len(body))]) == parsed(body)


def test_a_spoken_stream_cut_in_two_anywhere_gives_the_same_events() -> None:
    # The order and shapes of the recording, its sound shortened so that every split is quick.
    body = SHORTEST.read_bytes()
    lines = body.decode().splitlines(keepends=True)
    for i, line in enumerate(lines):
        if '"data":"' in line:
            head, _, rest = line.partition('"data":"')
            data, _, tail = rest.partition('"')
            lines[i] = f'{head}"data":"{data[:64]}"{tail}'
    short = "".join(lines).encode()
    expected = parsed(short)
    assert [type(event) for event in expected] == [type(event) for event in parsed(body)]
    for cut in range(len(short) + 1):
        assert parsed(short[:cut], short[cut:]) == expected


def test_text_is_joined_and_says_why_it_ended() -> None:
    reply = reply_of(parsed((RECORDED / "text.finish-length.sse").read_bytes()))
    assert (reply.text, reply.finish_reason, reply.done) == ('{"', "length", True)
    assert reply.clip is None


def test_a_refusal_that_is_written_as_content_is_text() -> None:
    reply = reply_of(parsed((RECORDED / "gpt-4o.refusal.sse").read_bytes()))
    assert reply.text == "I'm sorry, I can't assist with that request."
    assert (reply.refusal, reply.finish_reason) == ("", "stop")


def test_a_refusal_in_pieces_is_joined_with_its_probabilities() -> None:
    row = {"token": "I", "logprob": -0.1, "bytes": [73], "top_logprobs": []}
    first = delta(refusal="I ")
    first["choices"][0]["logprobs"] = {"content": None, "refusal": [row]}  # type: ignore[index]
    reply = reply_of(parsed(stream_of(first, delta(refusal="can't."))))
    assert (reply.refusal, reply.text) == ("I can't.", "")
    assert reply.logprobs is not None
    assert (reply.logprobs.content, reply.logprobs.refusal) == ([], [row])


def test_parallel_tool_calls_are_joined_by_their_index() -> None:
    reply = reply_of(parsed((RECORDED / "text.two-parallel-tool-calls.sse").read_bytes()))
    first, second = reply.tool_calls
    assert (first.name, json.loads(first.arguments)["city"]) == ("GetWeatherArgs", "Edinburgh")
    assert (second.name, json.loads(second.arguments)["ticker"]) == ("get_stock_price", "AAPL")
    assert first.call_id.startswith("call_") and first.call_id != second.call_id
    assert reply.finish_reason == "tool_calls"


def test_logprobs_are_kept_as_the_service_wrote_them() -> None:
    events = parsed((RECORDED / "text.logprobs.sse").read_bytes())
    rows = [row for event in events if isinstance(event, LogprobsChunk) for row in event.content]
    assert [row["token"] for row in rows] == ["Foo", "!"]
    assert rows[0]["bytes"] == [70, 111, 111]
    reply = reply_of(events)
    assert reply.logprobs is not None
    assert reply.logprobs.content == rows


def test_a_recorded_opus_reply_that_was_not_streamed_becomes_sound() -> None:
    cassette = yaml.safe_load((RECORDED / "audio.opus-non-streaming.yaml").read_text())
    body = cassette["interactions"][0]["response"]["body"]
    audio = json.loads(body)["choices"][0]["message"]["audio"]
    events = parse_completion(body.encode())
    reply = reply_of(events)
    expected = Clip.from_bytes(base64.b64decode(audio["data"]))
    assert reply.clip == Clip.from_pcm16(expected.to_pcm16(), expected.sample_rate_hz)
    assert reply.transcript == audio["transcript"]
    assert (reply.audio_id, reply.expires_at) == (audio["id"], audio["expires_at"])
    assert reply.finish_reason == "stop"
    assert isinstance(events[-1], StreamDone)


def test_a_recorded_text_answer_to_sound_is_read() -> None:
    cassette = yaml.safe_load((RECORDED / "audio-in.text-out.yaml").read_text())
    body = cassette["interactions"][0]["response"]["parsed_body"]
    reply = reply_of(parse_completion(json.dumps(body).encode()))
    assert reply.text == body["choices"][0]["message"]["content"]
    assert reply.usage is not None
    assert reply.usage.prompt_audio_tokens == 44
    assert reply.usage.prompt_text_tokens == 20


# Traps


@pytest.mark.parametrize("choices", ["absent", None, []])
def test_choices_may_be_absent_null_or_empty(choices: object) -> None:
    chunk = {"id": "c1"} if choices == "absent" else {"id": "c1", "choices": choices}
    events = parsed(stream_of(delta(content="a"), chunk, delta(content="b")))
    assert reply_of(events).content == "ab"
    assert events.count(Heartbeat()) == (0 if choices == [] else 1)


def test_delta_and_its_fields_may_be_null() -> None:
    null = {**delta(), "choices": [{"index": 0, "delta": None, "finish_reason": None}]}
    nulls = delta(content=None, refusal=None, audio=None, tool_calls=None)
    events = parsed(stream_of(null, nulls))
    assert [type(event) for event in events] == [ReplyStarted, StreamDone]


def test_fields_of_the_wrong_type_are_passed_over() -> None:
    odd = delta(content=3, refusal=[], audio="x", tool_calls={"a": 1})
    odd_sound = delta(audio={"id": 5, "data": 7, "transcript": {}, "expires_at": "soon"})
    odd_choices = {"id": "c1", "choices": [None, 4, "x"]}
    events = parsed(stream_of(odd, odd_sound, odd_choices, delta(content="ok")))
    assert [type(event) for event in events] == [ReplyStarted, TextChunk, StreamDone]


def test_numbers_that_only_python_knows_and_halves_of_letters_are_read() -> None:
    row = '{"token":"a","logprob":-Infinity,"bytes":null,"top_logprobs":[]}'
    body = (
        f'data: {{"choices":[{{"delta":{{"content":"a"}},"logprobs":{{"content":[{row}]}}}}]}}\n\n'
        'data: {"created":1e999,"choices":[{"delta":{"content":"\\ud83d."}}]}\n\n'
    ).encode()
    body += b'data: {"choices":[{"delta":{"content":"\xf0\x9f."}}]}\n\n'
    reply = reply_of(parsed(body))
    assert reply.content == "a\ufffd.\ufffd."
    assert reply.content.encode()
    assert reply.logprobs is not None
    assert reply.logprobs.content[0]["logprob"] == float("-inf")


@pytest.mark.parametrize("payload", [b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe", b"{'a':1}"])
def test_hostile_nonsense_is_an_error_like_any_other(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        StreamParser().feed(b"data: " + payload + b"\n\n")


def test_a_cut_connection_never_says_done() -> None:
    used = {"choices": [], "usage": {"completion_tokens": 1}}
    parser = StreamParser()
    parser.feed(stream_of(delta(content="a"), used, done=False))
    assert StreamDone() not in parser.finish(cut=True)


def test_an_event_that_only_looks_like_a_heartbeat_is_read() -> None:
    head = '{"id":"c1","model":"m","system_fingerprint":"f",'
    payloads = [
        f'{head}"choices":[],"usage":null}}',
        f'{head}"usage":null,"obfuscation":"abc"}}',
        f'{head}"usage":null}}',
        f'{head}"obfuscation":"x+/="}}',
        f'{head}"usage":null,"obfuscation":"x","error":{{"message":"out of luck"}}}}',
    ]
    body = "".join(f"data: {payload}\n\n" for payload in payloads).encode()
    events = parsed(body)
    assert events[1:4] == [Heartbeat()] * 3
    assert isinstance(events[4], ErrorReceived)
    assert "out of luck" in str(events[4].error)


def test_heartbeats_are_told_apart_also_when_the_shared_part_changes() -> None:
    def head(model: str) -> str:
        return f'{{"id":"c1","model":"{model}",'

    payloads = []
    for model in ("", "m1", "m2"):
        payloads += [f'{head(model)}"choices":[]}}', f'{head(model)}"usage":null}}']
    events = parsed("".join(f"data: {payload}\n\n" for payload in payloads).encode())
    assert events.count(Heartbeat()) == 3


def test_usage_may_come_before_the_expiry() -> None:
    used = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
    reply = reply_of(parsed(stream_of(used, delta(audio={"expires_at": 9}))))
    assert reply.usage is not None
    assert (reply.usage.total_tokens, reply.expires_at) == (7, 9)


def test_a_repeated_usage_replaces_the_earlier_one() -> None:
    chunks = [{"choices": [], "usage": {"completion_tokens": count}} for count in (1, 2, 3)]
    reply = reply_of(parsed(stream_of(*chunks)))
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 3


def test_repeated_ids_and_expiries_are_told_once() -> None:
    part = {"id": "audio_1", "expires_at": 9, "data": b64(b"\x01\x00")}
    events = parsed(stream_of(delta(audio=part), delta(audio=part)))
    kinds = [type(event) for event in events]
    assert kinds.count(AudioStarted) == kinds.count(AudioExpiry) == 1
    assert reply_of(events).pcm == b"\x01\x00" * 2


def test_done_may_be_missing_when_the_reply_has_said_its_end() -> None:
    ends = [
        delta(audio={"expires_at": 9}),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"completion_tokens": 1}},
    ]
    for end in ends:
        parser = StreamParser()
        parser.feed(stream_of(delta(content="a"), end, done=False))
        assert parser.finish()[-1:] == [StreamDone()]
        assert parser.complete and not parser.done


def test_a_stream_that_has_not_said_its_end_is_not_complete() -> None:
    parser = StreamParser()
    parser.feed(stream_of(sound(b64(b"abcd")), done=False))
    assert parser.finish() == []
    assert not parser.complete


def test_half_an_event_at_the_end_is_dropped_and_the_reply_not_complete() -> None:
    body = stream_of(delta(content="whole"), delta(content="half"), done=False)
    parser = StreamParser()
    events = parser.feed(body[:-12]) + parser.finish()
    assert reply_of(events).content == "whole"
    assert not parser.complete


def test_the_recorded_stream_cut_anywhere_keeps_all_sound_that_came_whole() -> None:
    body = SHORTEST.read_bytes()
    whole = reply_of(parsed(body)).pcm
    for cut in range(0, len(body), 997):
        parser = StreamParser()
        reply = reply_of(parser.feed(body[:cut]) + parser.finish())
        assert whole.startswith(reply.pcm)
        done_pieces = body[:cut].rpartition(b"\n\n")[0].count(b'"data":"')
        assert len(reply.pcm) >= min(done_pieces, 1) * 19_200


def test_nothing_after_done_counts() -> None:
    body = stream_of(delta(content="a")) + stream_of(delta(content="b"))
    assert reply_of(parsed(body)).content == "a"


def test_an_unknown_event_is_nothing() -> None:
    events = parsed(stream_of({"object": "news", "choices": []}, delta(weather="fine")))
    assert [type(event) for event in events] == [ReplyStarted, StreamDone]


def test_only_the_first_of_several_choices_is_the_reply() -> None:
    other = {"id": "c1", "choices": [{"index": 1, "delta": {"content": "no"}}]}
    assert reply_of(parsed(stream_of(delta(content="yes"), other))).content == "yes"


def test_an_error_in_the_middle_is_an_event_and_ends_the_reply() -> None:
    error = {"error": {"message": "The server had an error", "type": "server_error", "code": None}}
    events = parsed(stream_of(delta(content="a"), error))
    assert [type(event) for event in events] == [ReplyStarted, TextChunk, ErrorReceived]
    received = events[-1]
    assert isinstance(received, ErrorReceived)
    assert isinstance(received.error, ServiceError)
    assert "The server had an error" in str(received.error)
    assert received.error.status is None


@pytest.mark.parametrize("error", ["broken", {"message": "broken", "code": 502}, ["broken"]])
def test_an_error_may_have_any_form(error: object) -> None:
    (received,) = parsed(stream_of({"error": error}))
    assert isinstance(received, ErrorReceived)
    assert "broken" in str(received.error)


def test_an_error_in_the_middle_shows_no_key() -> None:
    error = {"code": "invalid_api_key", "message": "Incorrect API key provided: sk-abcd1234efgh."}
    (received,) = parsed(stream_of({"error": error}))
    assert isinstance(received, ErrorReceived)
    assert isinstance(received.error, AuthError)
    assert "abcd" not in str(received.error)


def test_what_came_before_nonsense_is_given_first() -> None:
    parser = StreamParser()
    events = parser.feed(stream_of(delta(content="a"), done=False) + b"data: {oops\n\n")
    assert reply_of(events).content == "a"
    with pytest.raises(ProtocolError, match="no JSON"):
        parser.feed(b"")
    with pytest.raises(ProtocolError, match="no JSON"):
        parser.finish()


@pytest.mark.parametrize("payload", [b"[1]", b"3", b'"x"', b"null"])
def test_an_event_that_is_no_object_is_an_error(payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="expected an object"):
        StreamParser().feed(b"data: " + payload + b"\n\n")


def test_the_engine_says_what_it_is() -> None:
    info = {"name": "cellvoice-engine-1", "badge": "not gpt-audio", "heard": "hello there"}
    events = parsed(stream_of({**delta(role="assistant"), "x_engine": info}))
    assert events[1] == EngineNamed(info)
    assert reply_of(events).engine == info


def test_a_custom_tool_call_and_one_without_index_are_read() -> None:
    custom = {"id": "t1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    events = parsed(stream_of(delta(tool_calls=[custom])))
    assert events[1] == ToolCallChunk(0, "t1", "shell", "ls", custom=True)


# Sound in pieces


def test_base64_may_be_cut_anywhere_into_pieces() -> None:
    pcm = bytes(range(40))
    text = b64(pcm)
    for cut in range(len(text) + 1):
        reply = reply_of(parsed(stream_of(sound(text[:cut]), sound(text[cut:]))))
        assert reply.pcm == pcm


def test_pieces_may_have_padding_of_their_own_and_odd_sizes() -> None:
    pcm = bytes(range(60))
    for size in range(1, 20):
        pieces = [b64(pcm[place : place + size]) for place in range(0, len(pcm), size)]
        events = parsed(stream_of(*map(sound, pieces)))
        assert reply_of(events).pcm == pcm
        assert all(len(event.pcm) % 2 == 0 for event in events if isinstance(event, AudioChunk))


def test_padding_in_the_middle_of_a_piece_loses_nothing() -> None:
    text = b64(b"abcdefgh") + b64(b"ij")
    for cut in range(len(text) + 1):
        reply = reply_of(parsed(stream_of(sound(text[:cut]), sound(text[cut:]))))
        assert reply.pcm == b"abcdefghij"


def test_the_last_group_may_lack_its_padding() -> None:
    assert reply_of(parsed(stream_of(sound(b64(b"abcd").rstrip("="))))).pcm == b"abcd"


def test_half_a_sample_at_the_end_is_dropped() -> None:
    assert reply_of(parsed(stream_of(sound(b64(b"abc"))))).pcm == b"ab"


def test_a_data_address_in_front_is_skipped() -> None:
    text = "data:audio/pcm;base64," + b64(b"abcd")
    assert reply_of(parsed(stream_of(sound(text)))).pcm == b"abcd"


def test_sound_that_is_no_base64_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="no base64"):
        StreamParser().feed(stream_of(sound("!!!!")))


def test_a_wav_header_first_gives_the_rate_and_is_no_sound() -> None:
    clip = Clip.from_pcm16(bytes(range(200)), 16_000)
    text = b64(clip.to_bytes("wav"))
    for cut in range(0, len(text), 4):
        reply = reply_of(parsed(stream_of(sound(text[:cut]), sound(text[cut:]))))
        assert reply.clip == clip


def test_every_piece_may_be_a_wav_file_of_its_own() -> None:
    one, two = Clip.from_pcm16(bytes(range(100)), 44_100), Clip.from_pcm16(b"\x05" * 80, 44_100)
    reply = reply_of(parsed(stream_of(sound(one.to_base64()), sound(two.to_base64()))))
    assert reply.clip == one + two


def test_sound_in_the_content_field_is_sound_when_the_event_says_so() -> None:
    clip = Clip.from_pcm16(bytes(range(100)), 24_000)
    chunk = {**delta(content=clip.to_base64()), "modality": "audio"}
    reply = reply_of(parsed(stream_of(chunk)))
    assert (reply.clip, reply.content) == (clip, "")


def test_compressed_sound_in_pieces_is_read_at_the_end() -> None:
    tone = np.sin(np.arange(24_000) / 10).astype(np.float32) / 2
    file = Clip.from_array(tone, 24_000).to_bytes("flac")
    half = len(file) // 2
    reply = reply_of(parsed(stream_of(sound(b64(file[:half])), sound(b64(file[half:])))))
    assert reply.clip == Clip.from_bytes(file)


def test_quiet_samples_that_begin_like_an_mp3_frame_are_sound() -> None:
    pcm = b"\xff\xfb" * 2_000
    assert reply_of(parsed(stream_of(sound(b64(pcm))))).pcm == pcm
