"""Whole replies as servers on one's own machine give them: vLLM-Omni, SGLang-Omni, speaches."""

from __future__ import annotations

import json

import pytest

from cellvoice.audio import Clip

from .wire import (
    b64,
    choice,
    is_complete,
    pcm,
    read_body,
    read_every_way,
    sse,
    wav,
)

SOUND = pcm(96)


# vLLM-Omni


def omni(delta: object, modality: str, end: str | None = None, **more: object) -> dict[str, object]:
    return {
        "id": "chatcmpl-8f2",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "Qwen/Qwen3-Omni",
        "choices": [choice(delta, logprobs=None, finish_reason=end)],
        "modality": modality,
        **more,
    }


def omni_usage(completion: int) -> dict[str, int]:
    return {"prompt_tokens": 7, "completion_tokens": completion, "total_tokens": 7 + completion}


def omni_stream(files: list[bytes]) -> list[object]:
    """Text first, with its end; then the sound, where text belongs, each piece a whole file."""
    words = [
        omni({"content": word}, "text", usage=omni_usage(count))
        for count, word in enumerate(["Good", " morning."], 1)
    ]
    sounds = [
        omni({"role": "assistant", "content": b64(file)}, "audio", usage=omni_usage(0))
        for file in files
    ]
    return [
        omni({"role": "assistant", "content": ""}, "text"),
        *words,
        omni({"content": ""}, "text", "stop", usage=omni_usage(2)),
        omni({"role": "assistant", "content": ""}, "audio"),
        *sounds,
        {"id": "chatcmpl-8f2", "choices": [], "usage": omni_usage(2)},
    ]


@pytest.mark.parametrize("rate_hz", [24_000, 44_100])
def test_vllm_omni_sends_whole_files_where_text_belongs(rate_hz: int) -> None:
    files = [wav(SOUND[:80], rate_hz), wav(SOUND[80:], rate_hz)]
    reply = read_every_way(sse(*omni_stream(files)))
    assert (reply.content, reply.transcript, reply.text) == ("Good morning.", "", "Good morning.")
    assert bytes(reply.pcm) == SOUND
    assert reply.sample_rate_hz == rate_hz
    assert reply.clip == Clip.from_pcm16(SOUND, rate_hz)
    assert reply.usage is not None and reply.usage.completion_tokens == 2
    assert (reply.finish_reason, reply.done) == ("stop", True)


def test_a_newer_vllm_omni_sends_its_header_once() -> None:
    files = [wav(SOUND[:80], 44_100), SOUND[80:100], SOUND[100:]]
    reply = read_every_way(sse(*omni_stream(files)))
    assert (bytes(reply.pcm), reply.sample_rate_hz) == (SOUND, 44_100)


def test_pieces_of_different_rates_become_one_clip() -> None:
    files = [wav(pcm(441), 44_100), wav(pcm(480), 48_000)]
    reply = read_every_way(sse(*omni_stream(files)))
    assert reply.sample_rate_hz == 44_100
    assert reply.clip is not None
    assert reply.clip.duration_s == pytest.approx(0.02, abs=1e-3)


def test_text_of_vllm_omni_that_looks_like_base64_stays_text() -> None:
    reply = read_every_way(sse(omni({"content": "UklGRg=="}, "text", "stop")))
    assert (reply.content, bytes(reply.pcm)) == ("UklGRg==", b"")


@pytest.mark.parametrize("rate_hz", [24_000, 44_100])
def test_vllm_omni_answers_whole_with_two_choices_of_one_index(rate_hz: int) -> None:
    parts: list[dict[str, object]] = [
        {"role": "assistant", "content": "Good morning.", "audio": None, "tool_calls": []},
        {
            "role": "assistant",
            "content": None,
            "audio": {
                "id": "audio-0123456789abcdef",
                "data": b64(wav(SOUND, rate_hz)),
                "expires_at": 1_790_086_400,
                "transcript": "",
            },
        },
    ]
    body = json.dumps(
        {
            "id": "chatcmpl-8f2",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": "Qwen/Qwen3-Omni",
            "choices": [
                {"index": 0, "message": part, "logprobs": None, "finish_reason": "stop"}
                for part in parts
            ],
            "usage": {**omni_usage(2), "prompt_tokens_details": None},
            "prompt_logprobs": None,
            "kv_transfer_params": None,
            "metrics": {"stages": [0.1, 0.2]},
        }
    ).encode()
    reply = read_every_way(body, read=read_body)
    assert len(reply.choices) == 1
    assert (reply.text, reply.content, reply.transcript) == ("Good morning.", "Good morning.", "")
    assert (bytes(reply.pcm), reply.sample_rate_hz) == (SOUND, rate_hz)
    assert (reply.audio_id, reply.expires_at) == ("audio-0123456789abcdef", 1_790_086_400)
    assert reply.done


# SGLang-Omni


def test_sglang_omni_puts_text_in_content_and_files_in_audio_without_an_expiry() -> None:
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "q"}

    def frame(delta: object, end: str | None = None, **more: object) -> dict[str, object]:
        return {**shared, "choices": [choice(delta, finish_reason=end)], **more}

    reply = read_every_way(
        sse(
            frame({"role": "assistant", "content": "Good"}),
            frame({"content": " morning."}),
            frame({"audio": {"id": "audio-1", "data": b64(wav(SOUND[:90]))}}),
            frame({"audio": {"id": "audio-1", "data": b64(wav(SOUND[90:]))}}),
            frame({}, "stop", usage=omni_usage(2)),
        )
    )
    assert (reply.text, bytes(reply.pcm)) == ("Good morning.", SOUND)
    assert (reply.audio_id, reply.expires_at) == ("audio-1", None)
    assert reply.done


# speaches


def speaches(delta: dict[str, object], model: str, end: str | None = None) -> dict[str, object]:
    """One object as its types write it: every field that they know, null if there is nothing."""
    empty = {"content": None, "function_call": None, "refusal": None, "role": None}
    return {
        "id": "chatcmpl-9",
        "choices": [
            choice(
                {**empty, "tool_calls": None, **delta},
                finish_reason=end,
                logprobs=None,
            )
        ],
        "created": 1_790_000_000,
        "model": model,
        "object": "chat.completion.chunk",
        "service_tier": None,
        "system_fingerprint": None,
        "usage": None,
    }


def speaches_stream() -> list[object]:
    """A language model's words, and each sentence's sound from another model, merged."""
    known = {"id": "audio_5c9", "expires_at": 1_790_003_600}
    words = "gpt-4o-mini"
    voice = "speaches-ai/Kokoro-82M"
    return [
        speaches({"role": "assistant", "audio": {**known, "transcript": ""}}, words),
        speaches({"audio": {**known, "transcript": "Hi."}}, words),
        speaches({"audio": {**known, "transcript": " How are"}}, words),
        speaches({"audio": {**known, "data": b64(SOUND[:70])}}, voice),
        speaches({"audio": {**known, "transcript": " you?"}}, words),
        speaches({}, words, "stop"),
        speaches({"audio": {**known, "data": b64(SOUND[70:])}}, voice),
    ]


def test_speaches_repeats_id_and_expiry_changes_its_model_and_never_says_done() -> None:
    body = sse(*speaches_stream(), done=False)
    reply = read_every_way(body)
    assert is_complete(body) and reply.done
    assert (reply.text, bytes(reply.pcm)) == ("Hi. How are you?", SOUND)
    assert (reply.audio_id, reply.expires_at) == ("audio_5c9", 1_790_003_600)
    assert reply.model == "gpt-4o-mini"
    assert (reply.finish_reason, reply.usage, reply.heartbeats) == ("stop", None, 0)


def test_speaches_may_lack_its_last_blank_line() -> None:
    body = sse(*speaches_stream(), done=False)
    assert read_every_way(body.rstrip(b"\n")).done


# LocalAI


def test_localai_answers_sound_with_text() -> None:
    shared = {"created": 1, "object": "chat.completion.chunk", "id": "4c", "model": "omni"}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    def frame(delta: object, end: str | None = None) -> dict[str, object]:
        return {**shared, "choices": [choice(delta, finish_reason=end)], "usage": usage}

    reply = read_every_way(
        sse(
            frame({"role": "assistant", "content": None}),
            frame({"content": "A dog"}),
            frame({"content": " barks."}),
            frame({"content": ""}, "stop"),
        )
    )
    assert (reply.text, reply.clip, reply.finish_reason) == ("A dog barks.", None, "stop")
    body = json.dumps(
        {
            **shared,
            "object": "chat.completion",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"content": "A dog barks."}}
            ],
        }
    ).encode()
    assert read_every_way(body, read=read_body).text == "A dog barks."
