"""Whole replies as compatible servers stream them, each at every split and with CRLF line ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import BillingError, QuotaError, ServiceError
from cellvoice.protocol import error_from_response

from .wire import (
    RATE_HZ,
    UNKNOWN_SIZE,
    b64,
    choice,
    is_complete,
    pcm,
    read_every_way,
    sse,
    wav,
)

SOUND = pcm(96)


# OpenRouter


def openrouter(delta: object, end: str | None = None, **more: object) -> dict[str, object]:
    """One frame; it names the provider behind it, and two reasons for an end."""
    shared = {"id": "gen-1790000000-aB3", "provider": "OpenAI", "model": "openai/gpt-audio"}
    ends = {"finish_reason": end, "native_finish_reason": end, "logprobs": None}
    return {
        **shared,
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "choices": [choice(delta, **ends)],
        **more,
    }


OPENROUTER_USAGE = {
    "prompt_tokens": 14,
    "completion_tokens": 12,
    "total_tokens": 26,
    "cost": 0.00063,
    "is_byok": False,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "cost_details": {"upstream_inference_cost": None},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 8},
}


def openrouter_speech() -> list[object]:
    expires_at = 1_790_003_600
    return [
        ": OPENROUTER PROCESSING",
        ": OPENROUTER PROCESSING",
        openrouter(
            {"role": "assistant", "content": "", "audio": {"id": "audio_1", "transcript": "Good"}}
        ),
        openrouter({"role": "assistant", "content": "", "audio": {"transcript": " morning."}}),
        ": OPENROUTER PROCESSING",
        openrouter(
            {
                "role": "assistant",
                "content": "",
                "audio": {"data": b64(SOUND[:64]), "expires_at": expires_at},
            }
        ),
        openrouter(
            {
                "role": "assistant",
                "content": "",
                "audio": {"data": b64(SOUND[64:]), "expires_at": expires_at},
            }
        ),
        openrouter(
            {"role": "assistant", "content": ""},
            end="stop",
            usage=OPENROUTER_USAGE,
        ),
    ]


def test_openrouter_speaks_with_comments_between_and_its_usage_in_the_last_choice() -> None:
    reply = read_every_way(sse(*openrouter_speech()))
    assert (reply.transcript, reply.content, reply.text) == ("Good morning.", "", "Good morning.")
    assert bytes(reply.pcm) == SOUND
    assert (reply.audio_id, reply.expires_at) == ("audio_1", 1_790_003_600)
    assert (reply.finish_reason, reply.done) == ("stop", True)
    assert reply.usage is not None
    assert reply.usage.completion_audio_tokens == 8
    # It sends no events without content, so what has come is what has been made.
    assert reply.heartbeats == 0
    assert reply.generated_s == reply.received_s == len(SOUND) / 2 / RATE_HZ


def test_an_expiry_beside_the_sound_is_not_the_end_of_an_openrouter_reply() -> None:
    assert not is_complete(sse(*openrouter_speech()[:-1], done=False))
    assert is_complete(sse(*openrouter_speech(), done=False))


def test_openrouter_says_a_failure_in_the_middle_with_a_number_for_a_code() -> None:
    failure = openrouter(
        {"role": "assistant", "content": ""},
        end="error",
        error={"code": 502, "message": "Provider disconnected", "metadata": {}},
    )
    reply = read_every_way(sse(*openrouter_speech()[:-2], failure))
    assert isinstance(reply.error, ServiceError)
    assert reply.error.code == "502"
    assert "Provider disconnected" in str(reply.error)
    assert (reply.transcript, bytes(reply.pcm)) == ("Good morning.", SOUND[:64])
    assert not reply.done


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            400,
            b'{"error":{"message":"Audio output requires stream: true","code":400}}',
            ServiceError,
            "Audio output requires stream: true",
        ),
        (
            402,
            b'{"error":{"message":"This request requires more credits","code":402,'
            b'"metadata":{"provider_name":null}},"user_id":"user_1"}',
            BillingError,
            "more credits",
        ),
    ],
)
def test_openrouter_refuses_in_its_own_words(
    status: int, body: bytes, kind: type[ServiceError], words: str
) -> None:
    error = error_from_response(status, body, {})
    assert type(error) is kind
    assert words in str(error)
    assert error.code == str(status)


def test_a_megabyte_of_mp3_in_one_line_is_one_reply() -> None:
    """Lyria, by way of OpenRouter: music, no words, no id."""
    noise = np.random.default_rng(1).normal(0, 0.2, 48 * RATE_HZ).astype(np.float32)
    file = Clip.from_array(noise, RATE_HZ).to_bytes("mp3")
    # The encoder's rate is its own, so the file is repeated until the line is as long as seen.
    file *= -(-760_000 // len(file))
    body = sse(openrouter({"role": "assistant", "content": "", "audio": {"data": b64(file)}}))
    assert 1_000_000 < len(body) < 3_000_000
    reply = read_every_way(body, by_chance=3)
    expected = Clip.from_bytes(file)
    assert bytes(reply.pcm) == expected.to_pcm16()
    assert reply.sample_rate_hz == RATE_HZ
    assert reply.text == "" and reply.audio_id is None


# Azure OpenAI


SAFE = {"filtered": False, "severity": "safe"}
FILTERED = {"hate": SAFE, "violence": {"filtered": True, "severity": "high"}}


def azure(*choices: object, **more: object) -> dict[str, object]:
    shared = {"id": "chatcmpl-A1", "object": "chat.completion.chunk", "created": 1_790_000_000}
    return {**shared, "model": "gpt-audio-1.5-2026-02-23", "choices": list(choices), **more}


def azure_stream(end: str, filtered: dict[str, object]) -> bytes:
    first = azure(
        # Azure's first object is about the prompt, and so far it has no id, model or time.
        id="",
        model="",
        created=0,
        object="",
        prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {"hate": SAFE}}],
    )
    safe = {"content_filter_results": {"hate": SAFE}, "finish_reason": None}
    return sse(
        first,
        azure(choice({"role": "assistant", "refusal": None}, finish_reason=None)),
        azure(choice({"audio": {"id": "audio_1", "transcript": "Hello"}}, **safe)),
        azure(choice(None, **safe)),
        azure(choice({"audio": {"id": "audio_1", "data": b64(SOUND)}}, **safe)),
        azure(choice({}, finish_reason=end, content_filter_results=filtered)),
        azure(usage={"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}),
        azure(choice({"audio": {"expires_at": 1_790_003_600}})),
    )


def test_azure_tells_of_its_filters_around_an_ordinary_reply() -> None:
    reply = read_every_way(azure_stream("stop", {"hate": SAFE}))
    assert (reply.reply_id, reply.model) == ("chatcmpl-A1", "gpt-audio-1.5-2026-02-23")
    assert (reply.text, bytes(reply.pcm)) == ("Hello", SOUND)
    assert (reply.audio_id, reply.expires_at) == ("audio_1", 1_790_003_600)
    assert (reply.finish_reason, reply.heartbeats) == ("stop", 0)
    assert reply.usage is not None and reply.usage.total_tokens == 15


def test_azure_says_by_the_reason_that_its_filter_ended_the_reply() -> None:
    reply = read_every_way(azure_stream("content_filter", FILTERED))
    assert reply.finish_reason == "content_filter"
    assert reply.text == "Hello"


def test_azure_asks_for_patience_with_a_number_in_quotes() -> None:
    body = (
        b'{"error":{"code":"429","message":"Requests to this operation have exceeded the rate '
        b'limit. Please retry after 26 seconds."}}'
    )
    error = error_from_response(429, body, {"retry-after": "26"})
    assert isinstance(error, QuotaError)
    assert error.code == "429" and "26 seconds" in str(error)


# Qwen-Omni by way of DashScope


def dashscope(*choices: object, usage: object = None) -> dict[str, object]:
    """One object; here the id and the rest come last, after what there is to read."""
    return {
        "choices": list(choices),
        "object": "chat.completion.chunk",
        "usage": usage,
        "created": 1_757_647_879,
        "system_fingerprint": None,
        "model": "qwen3.5-omni-plus",
        "id": "chatcmpl-a68eca3b",
    }


def dashscope_stream(words: list[dict[str, Any]]) -> bytes:
    """`words` are the deltas with text: they are in `content` or, since 2025, in the transcript."""
    rest = {"finish_reason": None, "logprobs": None}
    sound = [
        # The expiry is the moment of the reply itself: this id cannot be used again.
        {"audio": {"data": b64(piece), "expires_at": 1_757_647_879, "id": "audio_a68eca3b"}}
        for piece in (SOUND[:50], SOUND[50:])
    ]
    return sse(
        dashscope(choice({"content": "", "role": "assistant"}, **rest)),
        *(dashscope(choice(delta, **rest)) for delta in [*words, *sound]),
        dashscope(choice({"content": ""}, finish_reason="stop", logprobs=None)),
        dashscope(
            usage={
                "prompt_tokens": 25,
                "completion_tokens": 52,
                "total_tokens": 77,
                "completion_tokens_details": {"audio_tokens": 39, "text_tokens": 13},
                "prompt_tokens_details": {"text_tokens": 25},
            }
        ),
    )


@pytest.mark.parametrize("place", ["content", "transcript"])
def test_dashscope_sends_bare_samples_though_wav_was_asked_for(place: str) -> None:
    words: list[dict[str, Any]] = [{"content": "你"}, {"content": "好"}]
    if place == "transcript":
        words = [{"audio": {"transcript": word["content"]}} for word in words]
    reply = read_every_way(dashscope_stream(words))
    assert getattr(reply, place) == reply.text == "你好"
    assert bytes(reply.pcm) == SOUND
    assert (reply.sample_rate_hz, reply.audio_id) == (24_000, "audio_a68eca3b")
    assert reply.expires_at == reply.created
    assert reply.usage is not None and reply.usage.completion_audio_tokens == 39


# Proxies that leave things out or add their own


@pytest.mark.parametrize("every_piece", [True, False], ids=["in every piece", "only first"])
def test_a_wav_header_that_does_not_know_its_size_is_no_sound(every_piece: bool) -> None:
    """Pollinations, MiMo and others: no id, no model, fields that nobody knows."""
    header = wav(b"", size=UNKNOWN_SIZE)
    pieces = [SOUND[:40], SOUND[40:100], SOUND[100:]]
    files = [header + piece if every_piece or not i else piece for i, piece in enumerate(pieces)]
    body = sse(
        {"choices": [{"delta": {"role": "assistant", "mood": "glad"}, "logprobs": None}]},
        *(
            {"choices": [{"delta": {"audio": {"data": b64(file)}}, "logprobs": None}]}
            for file in files
        ),
        {"choices": [{"delta": {"content": "", "reasoning_content": None, "tool_calls": None}}]},
    )
    reply = read_every_way(body)
    assert bytes(reply.pcm) == SOUND
    assert (reply.reply_id, reply.model, reply.logprobs) == (None, None, None)
    assert reply.tool_calls == [] and reply.done


def test_sound_may_come_as_a_data_address_in_every_piece() -> None:
    pieces = [
        {"audio": {"data": f"data:audio/{kind};base64,{b64(piece)}"}}
        for kind, piece in (("wav", wav(SOUND[:60])), ("pcm", SOUND[60:]))
    ]
    reply = read_every_way(sse(*({"choices": [choice(piece)]} for piece in pieces)))
    assert bytes(reply.pcm) == SOUND


def test_a_proxy_may_say_message_in_place_of_delta() -> None:
    body = sse(
        {"id": "1", "choices": [{"index": 0, "message": {"audio": {"transcript": "Hi"}}}]},
        {
            "id": "1",
            "choices": [
                {"index": 0, "message": {"audio": {"data": b64(SOUND)}}, "finish_reason": "stop"}
            ],
        },
    )
    reply = read_every_way(body)
    assert (reply.text, bytes(reply.pcm), reply.finish_reason) == ("Hi", SOUND, "stop")


def test_a_server_may_write_its_events_in_the_widest_form_of_the_standard() -> None:
    """`event:`, `id:` and `retry:` lines, no space after the colon, an event over two lines."""
    body = (
        b"retry: 3000\n\n"
        b'event: message\nid: 1\ndata:{"choices":[{"delta":\ndata:{"content":"Hi"}}]}\n\n'
        b"event: ping\n\n"
        b"data: [DONE]\n\n"
    )
    reply = read_every_way(body)
    assert reply.text == "Hi" and reply.done


def test_a_failure_that_has_an_event_name_is_a_failure() -> None:
    """Groq names it `error` and then closes, without `[DONE]`."""
    body = sse({"choices": [choice({"content": "Let me"})]}, done=False) + (
        b'event: error\ndata: {"error":{"message":"Tool call validation failed",'
        b'"type":"invalid_request_error","code":"tool_use_failed","status_code":400}}\n\n'
    )
    reply = read_every_way(body)
    assert isinstance(reply.error, ServiceError)
    assert reply.error.code == "tool_use_failed"
    assert reply.content == "Let me" and not reply.done
