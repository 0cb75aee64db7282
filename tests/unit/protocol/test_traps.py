"""The traps of the wire in what is read, each told by the sentence that warns of it.

Those in what is sent are beside this; those of the connection and of the conversation are tried
with the client and the session.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cellvoice.protocol import (
    AudioChunk,
    Heartbeat,
    StreamParser,
    TranscriptChunk,
)

from .wire import (
    UNKNOWN_SIZE,
    b64,
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

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
SHORTEST = (RECORDED / "gpt-audio-1.5.basic.shortest.sse").read_bytes()
SOUND = pcm(96)
HEARTBEAT = {key: value for key, value in chunk().items() if key != "choices"}


def speech(*, usage: bool = True, expiry: bool = True, done: bool = True) -> bytes:
    """A spoken reply in the service's own order of events."""
    events: list[object] = [
        chunk(choice({"role": "assistant", "refusal": None}, finish_reason=None)),
        spoken(id="audio_1", transcript="Hello"),
        {**HEARTBEAT, "usage": None, "obfuscation": "Zk3"},
        {**HEARTBEAT, "usage": None, "obfuscation": "qRt9w"},
        spoken(id="audio_1", data=b64(SOUND)),
    ]
    if usage:
        events.append(chunk(usage={"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}))
    if expiry:
        events.append(spoken(expires_at=1_780_003_600))
    return sse(*events, done=done)


def test_events_without_choices_and_with_no_choice_are_read() -> None:
    """1. Most events have no `choices` key, one has `[]`."""
    reply = read_every_way(speech())
    assert (reply.text, bytes(reply.pcm), reply.heartbeats) == ("Hello", SOUND, 2)
    assert reply.usage is not None and reply.usage.total_tokens == 9


def test_the_end_of_speech_is_done_or_the_end_of_the_bytes() -> None:
    """2. `finish_reason` never comes in audio streams; end = `[DONE]` or EOF."""
    assert read_stream(speech()).done and read_stream(speech()).finish_reason is None
    assert read_stream(speech(usage=False, done=False)).done


def test_speech_without_its_expiry_is_not_complete_at_the_end_of_the_bytes() -> None:
    """2. Completeness = id + data + transcript + `expires_at`."""
    body = speech(usage=False, expiry=False, done=False)
    assert not is_complete(body)
    reply = read_every_way(body)
    assert (reply.done, reply.text, bytes(reply.pcm)) == (False, "Hello", SOUND)


def test_the_expiry_after_the_usage_is_read() -> None:
    """3. The `expires_at` event comes after the usage event."""
    reply = read_every_way(speech())
    assert reply.usage is not None
    assert reply.expires_at == 1_780_003_600


def test_pieces_with_padding_are_decoded_one_by_one() -> None:
    """4. Never join base64 strings: it breaks on padded chunks."""
    pieces = [SOUND[:1], SOUND[1:5], SOUND[5:55], SOUND[55:]]
    assert b64(pieces[0]).endswith("==") and b64(pieces[1]).endswith("=")
    reply = read_every_way(sse(*(spoken(data=b64(piece)) for piece in pieces)))
    assert bytes(reply.pcm) == SOUND


def test_padding_in_the_middle_of_a_piece_loses_nothing_after_it() -> None:
    """4. A piece may itself be made of padded ones, or be broken into lines."""
    joined = b64(SOUND[:1]) + b64(SOUND[1:5]) + "\n" + b64(SOUND[5:])
    assert bytes(read_every_way(sse(spoken(data=joined))).pcm) == SOUND


def test_pieces_cut_without_regard_to_their_groups_are_joined() -> None:
    """4. What works on one server's pieces must not break on another's."""
    text = b64(SOUND)
    for size in (1, 2, 3, 5, 7, 63):
        pieces = [text[place : place + size] for place in range(0, len(text), size)]
        reply = read_stream(sse(*(spoken(data=piece) for piece in pieces)))
        assert bytes(reply.pcm) == SOUND, size


def test_the_stream_that_official_helpers_fail_on_is_read() -> None:
    """5. The official `.stream()` helpers crash at the first choice-less chunk."""
    assert b'"choices"' not in SHORTEST.split(b"\n\n")[3]
    reply = read_stream(SHORTEST)
    assert (reply.text, reply.received_s, reply.done) == ("Hello", 0.55, True)


def test_a_spoken_answer_has_its_words_in_the_transcript_and_no_content() -> None:
    """9. `content` is null on spoken answers; show `audio.transcript`."""
    body = json.dumps(
        {
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": None,
                        "audio": {
                            "id": "audio_1",
                            "data": b64(wav(SOUND)),
                            "expires_at": 9,
                            "transcript": "Hello",
                        },
                    },
                    "finish_reason": "stop",
                }
            ]
        }
    ).encode()
    reply = read_body(body)
    assert (reply.text, reply.content) == ("Hello", "")


def test_an_answer_in_text_is_a_normal_reply() -> None:
    """9. Handle the opposite (text answer, no audio) as a normal result."""
    reply = read_stream(
        sse(
            chunk(choice({"content": "Hello", "audio": None})),
            chunk(choice({}, finish_reason="stop")),
        )
    )
    assert (reply.text, reply.clip, reply.error, reply.done) == ("Hello", None, None, True)


@pytest.mark.parametrize("size", [UNKNOWN_SIZE, 0, 12])
def test_a_wav_of_any_declared_size_is_read_by_its_payload(size: int) -> None:
    """16. WAV sizes may be 0xFFFFFFFF; use payload length."""
    reply = read_stream(sse(spoken(data=b64(wav(SOUND, size=size)))))
    assert bytes(reply.pcm) == SOUND
    message = {"audio": {"data": b64(wav(SOUND, size=size))}}
    body = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
    assert bytes(read_every_way(body, read=read_body).pcm) == SOUND


def test_comments_crlf_cut_letters_and_a_missing_last_line_are_read() -> None:
    """21. SSE: `:` comments, CRLF, UTF-8 split across reads, missing last blank line."""
    body = sse(": hello", spoken(transcript="Grüß Gott 👋"), ":", done=False, end="\r\n")
    reply = read_every_way(body.rstrip(b"\r\n"))
    assert reply.transcript == "Grüß Gott 👋"


@pytest.mark.parametrize("frames", [13_000, 400_000])
def test_a_long_line_is_read(frames: int) -> None:
    """21. Lines of 26 kB–1 MB: no fixed line buffers."""
    sound = bytes(range(256)) * (frames // 128)
    body = sse(spoken(data=b64(sound)))
    assert len(body) > 26_000
    assert bytes(read_every_way(body, by_chance=10).pcm) == sound
    size = 1_024
    pieces = [body[place : place + size] for place in range(0, len(body), size)]
    assert bytes(read_stream(*pieces).pcm) == sound


def test_words_run_ahead_of_their_sound_and_have_no_times() -> None:
    """22. Transcript deltas precede the audio they describe and carry no timing."""
    events = stream_events(SHORTEST)
    words = [place for place, event in enumerate(events) if isinstance(event, TranscriptChunk)]
    sounds = [place for place, event in enumerate(events) if isinstance(event, AudioChunk)]
    assert words and sounds and max(words) < min(sounds)
    # A word's event is its text and nothing that could be taken for a time.
    assert TranscriptChunk.__struct_fields__ == ("text",)


def tool_call(index: int, arguments: str, **first: object) -> dict[str, object]:
    function: dict[str, object] = {"arguments": arguments}
    if first:
        function["name"] = first.pop("name")
    return {"index": index, **first, "function": function}


def test_tool_calls_are_put_together_by_index_and_may_hold_nonsense() -> None:
    """23. Assemble by `index`, first fragment has id/name; arguments may be invalid JSON."""
    pieces = [
        [tool_call(0, "", id="call_a", type="function", name="weather")],
        [tool_call(0, '{"city":')],
        [tool_call(1, "", id="call_b", type="function", name="time")],
        [tool_call(1, "not JSON {"), tool_call(0, '"Lyon"}')],
    ]
    reply = read_every_way(
        sse(
            *(chunk(choice({"tool_calls": calls})) for calls in pieces),
            chunk(choice({}, finish_reason="tool_calls")),
        )
    )
    assert [(call.call_id, call.name, call.arguments) for call in reply.tool_calls] == [
        ("call_a", "weather", '{"city":"Lyon"}'),
        ("call_b", "time", "not JSON {"),
    ]
    # Expect a turn with tool calls and no audio.
    assert (reply.clip, reply.text, reply.done) == (None, "", True)


def test_a_tool_call_that_was_cut_off_says_that_it_is_not_complete() -> None:
    """23. Run tools only on a complete stream."""
    body = sse(
        chunk(choice({"tool_calls": [tool_call(0, '{"amount": 1', id="c", name="pay")]})),
        done=False,
    )
    reply = read_stream(body)
    assert reply.tool_calls[0].arguments == '{"amount": 1'
    assert not reply.done and not is_complete(body)


def test_several_spoken_replies_at_once_are_kept_apart() -> None:
    """24. `n>1` with audio is unverified: what comes is read all the same."""
    other = pcm(50, seed=2)
    body = sse(
        chunk(choice({"audio": {"id": "audio_0", "transcript": "Yes"}})),
        chunk(choice({"audio": {"id": "audio_1", "transcript": "No"}}, index=1)),
        chunk(choice({"audio": {"data": b64(other)}}, index=1)),
        chunk(choice({"audio": {"data": b64(SOUND)}})),
    )
    first, second = read_every_way(body).choices
    assert (first.text, bytes(first.pcm), first.audio_id) == ("Yes", SOUND, "audio_0")
    assert (second.text, bytes(second.pcm), second.audio_id) == ("No", other, "audio_1")


def test_other_servers_ways_are_all_read_by_the_one_parser() -> None:
    """27. Others put audio in `delta.content`, send headers in every chunk, omit `[DONE]`."""
    parser = StreamParser()
    piece = {"choices": [choice({"content": b64(wav(SOUND, 44_100))})], "modality": "audio"}
    end = {"choices": [choice({}, finish_reason="stop")]}
    events = parser.feed(sse(piece, piece, end, done=False)) + parser.finish()
    sounds = [event for event in events if isinstance(event, AudioChunk)]
    assert sounds == [AudioChunk(SOUND, 44_100)] * 2
    assert parser.complete and Heartbeat() not in events
