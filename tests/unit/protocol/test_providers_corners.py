"""Liberties of servers that cost a part of the reply, or its truth, if taken at their word."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import ServiceError
from cellvoice.protocol import Reply, parse_completion

from .wire import (
    b64,
    body_of,
    choice,
    chunk,
    folded,
    is_complete,
    pcm,
    read_body,
    read_every_way,
    read_stream,
    spoken,
    sse,
    wav,
)

SOUND = pcm(96)
USAGE = {"prompt_tokens": 43, "completion_tokens": 10, "total_tokens": 53}


# When a reply is whole


def test_an_expiry_beside_words_is_not_the_end() -> None:
    """speaches tells id and expiry with its first word; only an expiry on its own is an end."""
    words = spoken(id="audio_1", expires_at=5, transcript="Hi.")
    assert not is_complete(sse(words, done=False))
    assert not is_complete(sse(spoken(id="audio_1", expires_at=5), done=False))
    assert is_complete(sse(words, spoken(expires_at=5), done=False))


@pytest.mark.parametrize("before", [True, False], ids=["before the words", "beside the words"])
def test_usage_that_runs_along_is_not_the_end(before: bool) -> None:
    """vLLM-Omni and LocalAI send it with every object."""
    usage = chunk(usage=USAGE)
    events = [usage, chunk(choice({"content": "a"}))]
    if not before:
        events = [chunk(choice({"content": "a"}), usage=USAGE)]
    assert not is_complete(sse(*events, done=False))
    assert is_complete(sse(*events, usage, done=False))


def test_usage_after_the_words_is_the_end_though_the_expiry_is_still_to_come() -> None:
    events = [spoken(id="a", transcript="Hi", data=b64(SOUND)), chunk(usage=USAGE)]
    assert is_complete(sse(*events, done=False))


def test_what_stands_beside_a_failure_is_not_lost() -> None:
    """OpenRouter sends the usage, and perhaps the last words, in the object with the error."""
    failure = chunk(
        choice({"content": "!"}),
        error={"code": 400, "message": "Token limit reached"},
        usage=USAGE,
    )
    reply = read_every_way(sse(chunk(choice({"content": "Hello"})), failure))
    assert isinstance(reply.error, ServiceError) and not reply.done
    assert reply.content == "Hello!"
    assert reply.usage is not None and reply.usage.total_tokens == 53


def test_a_failure_may_be_a_field_of_its_own_in_the_event_stream() -> None:
    """llama.cpp, also below GPUStack, writes `error:` where others write `data:`."""
    line = 'error: {"error":{"message":"failed to decode, try again","code":500}}'
    reply = read_stream(sse(chunk(choice({"content": "Let"})), line, done=False))
    assert isinstance(reply.error, ServiceError)
    assert "failed to decode" in str(reply.error)
    assert reply.content == "Let" and not reply.done


@pytest.mark.parametrize("done", [b"data: [DONE] \n\n", b"data:  [DONE]\n\n", b"data:[DONE]\t\n\n"])
def test_done_may_have_space_around_it(done: bytes) -> None:
    reply = read_stream(sse(chunk(choice({"content": "a"})), done=False) + done)
    assert reply.content == "a" and reply.done


# What is said twice


def test_a_summary_at_the_end_does_not_double_the_words() -> None:
    """Some servers' last object is the whole reply once more, as a `message`."""
    body = sse(
        chunk(choice({"content": "Hel"})),
        chunk(choice({"content": "lo"})),
        chunk({"index": 0, "finish_reason": "stop", "message": {"content": "Hello"}}),
    )
    reply = read_every_way(body)
    assert (reply.content, reply.finish_reason) == ("Hello", "stop")


def test_a_message_that_grows_beside_the_deltas_does_not_double_the_words() -> None:
    """Perplexity writes both into every object: what is new, and all that there is by now."""
    so_far, events = "", []
    for word in ("Hel", "lo", ""):
        so_far += word
        both = {"delta": {"role": "assistant", "content": word}, "message": {"content": so_far}}
        events.append(chunk({"index": 0, "finish_reason": None if word else "stop", **both}))
    reply = read_every_way(sse(*events))
    assert (reply.content, reply.finish_reason) == ("Hello", "stop")


def test_a_whole_reply_with_an_empty_delta_in_it_is_its_message() -> None:
    both = {"delta": {"role": "assistant", "content": ""}, "message": {"content": "Hello"}}
    body = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", **both}]}).encode()
    assert read_every_way(body, read=read_body).content == "Hello"


# Whose call it is


def function(name: str | None, arguments: str, **more: object) -> dict[str, object]:
    return {"function": {"name": name, "arguments": arguments}, **more}


@pytest.mark.parametrize("index", [{}, {"index": 0}, {"index": None}], ids=str)
def test_parallel_calls_that_all_say_the_same_index_are_told_apart(
    index: dict[str, object],
) -> None:
    """One call in each object, with no index or with 0: a new id and a name begin a new call."""
    events = [
        chunk(choice({"tool_calls": [function(name, '{"city":"x"}', id=f"call_{name}", **index)]}))
        for name in ("weather", "time", "weather2")
    ]
    reply = read_every_way(sse(*events))
    assert [(call.call_id, call.name, call.arguments) for call in reply.tool_calls] == [
        ("call_weather", "weather", '{"city":"x"}'),
        ("call_time", "time", '{"city":"x"}'),
        ("call_weather2", "weather2", '{"city":"x"}'),
    ]


def test_an_id_that_changes_within_a_call_begins_no_new_one() -> None:
    """Older vLLM makes up an id for every piece; only the first has a name."""
    events = [
        chunk(choice({"tool_calls": [function(name, arguments, index=0, id=f"call_{count}")]}))
        for count, (name, arguments) in enumerate([("weather", ""), (None, "{"), (None, "}")])
    ]
    reply = read_every_way(sse(*events))
    (call,) = reply.tool_calls
    assert (call.call_id, call.name, call.arguments) == ("call_0", "weather", "{}")


# Whose sound it is


@pytest.mark.parametrize(
    "read", [read_body, lambda body: folded(parse_completion(body))], ids=["pieces", "whole"]
)
def test_the_sounds_of_several_replies_are_kept_apart_unannounced(
    read: Callable[[bytes], Reply],
) -> None:
    other = pcm(40, seed=2)
    body = body_of(
        {"audio": {"id": "a0", "data": b64(wav(SOUND)), "transcript": "Yes"}},
        {"audio": {"id": "a1", "data": b64(wav(other)), "transcript": "No"}},
    )
    first, second = read(body).choices
    assert (first.text, bytes(first.pcm)) == ("Yes", SOUND)
    assert (second.text, bytes(second.pcm)) == ("No", other)


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
def test_what_a_file_has_after_its_sound_is_not_heard(streamed: bool) -> None:
    """A muxer may write its own name at the end, where bare samples would be a click."""
    name = b"LIST" + (26).to_bytes(4, "little") + b"INFOISFT\x0e\x00\x00\x00Lavf60.16.100\x00"
    audio = {"data": b64(wav(SOUND) + name)}
    reply = read_stream(sse(spoken(**audio))) if streamed else read_body(body_of({"audio": audio}))
    assert bytes(reply.pcm) == SOUND


@pytest.mark.parametrize("kind", ["flac", "opus"])
def test_every_piece_may_be_a_compressed_file_of_its_own(kind: str) -> None:
    tone = (np.sin(np.arange(12_000) / 10) / 2).astype(np.float32)
    files = [Clip.from_array(tone * loud, 24_000).to_bytes(kind) for loud in (1.0, 0.5)]
    reply = read_stream(sse(*(spoken(data=b64(file)) for file in files)))
    one = [read_stream(sse(spoken(data=b64(file)))) for file in files]
    assert bytes(reply.pcm) == bytes(one[0].pcm) + bytes(one[1].pcm)


# What is told late


def test_an_id_or_a_model_may_come_after_the_first_object() -> None:
    """Azure's first object is about the prompt, and may know the model and no id, or nothing."""
    first = {"id": "", "model": "gpt-audio", "created": 0, "choices": []}
    reply = read_every_way(
        sse({**first, "prompt_filter_results": []}, chunk(choice({"content": "a"})))
    )
    assert (reply.reply_id, reply.created) == ("chatcmpl-1", 1_780_000_000)
    late = {"id": "chatcmpl-1", "choices": [choice({"content": "a"})]}
    assert read_stream(sse(late, chunk(choice({"content": "b"})))).model == "gpt-audio-1.5"
