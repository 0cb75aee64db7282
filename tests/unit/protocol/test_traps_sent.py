"""The traps of the wire in what is sent, and in what is said and charged for it."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Mapping
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import AuthError, UsageError
from cellvoice.protocol import (
    assistant_audio,
    build_request,
    cost_usd,
    error_from_response,
    user_message,
)

from .wire import b64, choice, chunk, pcm, read_stream, spoken, sse, stream_events

SOUND = pcm(96)


def sent_by(message: Mapping[str, object]) -> list[dict[str, Any]]:
    """The parts of a message as they go over the wire."""
    request = build_request(model="gpt-audio", messages=[message], voice="alloy")
    content = json.loads(request.body())["messages"][0]["content"]
    assert isinstance(content, list)
    return content


def test_a_stream_asks_for_bare_samples_and_a_header_is_put_on_here() -> None:
    """6. `stream:true` needs `pcm16`; wrap it in your own WAV header, never label pcm as wav."""
    request = build_request(model="gpt-audio", messages=[user_message("Hi")], voice="alloy")
    assert request.to_dict()["audio"] == {"voice": "alloy", "format": "pcm16"}
    clip = read_stream(sse(spoken(data=b64(SOUND)))).clip
    assert clip is not None
    with wave.open(io.BytesIO(clip.to_bytes("wav"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.readframes(1_000) == SOUND


def test_sound_is_sent_as_wav_in_bare_base64() -> None:
    """7. `input_audio` takes wav or mp3, raw base64, no data URL."""
    (part,) = sent_by(user_message(Clip.from_pcm16(SOUND)))
    assert (part["type"], part["input_audio"]["format"]) == ("input_audio", "wav")
    file = base64.b64decode(part["input_audio"]["data"], validate=True)
    assert file.startswith(b"RIFF") and file.endswith(SOUND)


def test_a_turn_without_any_sound_is_refused_and_both_ways_out_are_named() -> None:
    """8. Text-only turns are refused: you need an `input_audio` or audio output."""
    with pytest.raises(UsageError, match="voice") as caught:
        build_request(model="gpt-audio", messages=[user_message("Hi")], voice=None)
    assert "Clip" in str(caught.value) or "sound" in str(caught.value)
    spoken_question = user_message(Clip.from_pcm16(SOUND))
    request = build_request(model="gpt-audio", messages=[spoken_question], voice=None)
    assert "audio" not in request.to_dict()


def test_an_earlier_answer_is_named_by_its_id_alone() -> None:
    """11. On replay send only `{"role":"assistant","audio":{"id"}}`; extra keys are errors."""
    assert assistant_audio("audio_1") == {"role": "assistant", "audio": {"id": "audio_1"}}


def test_sound_is_priced_as_sound() -> None:
    """17. Count cost from `*_details`; audio tokens are 6–13× dearer than text."""
    usage = {
        "prompt_tokens": 28,
        "completion_tokens": 125,
        "total_tokens": 153,
        "prompt_tokens_details": {"audio_tokens": 17, "text_tokens": 11, "cached_tokens": 0},
        "completion_tokens_details": {"audio_tokens": 93, "text_tokens": 32},
    }
    reply = read_stream(sse(chunk(usage=usage)))
    assert reply.usage is not None
    cost = cost_usd(reply.usage, "gpt-audio-1.5")
    assert cost == pytest.approx((17 * 32 + 11 * 2.5 + 93 * 64 + 32 * 10) / 1_000_000)


def test_without_the_details_no_price_is_made_up() -> None:
    """17. Missing details: estimate, and mark it as one; never the price of text."""
    usage = {"prompt_tokens": 28, "completion_tokens": 125, "total_tokens": 153}
    reply = read_stream(sse(chunk(usage=usage)))
    assert reply.usage is not None and cost_usd(reply.usage, "gpt-audio-1.5") is None


def test_a_key_in_a_refusal_is_masked() -> None:
    """19. 401 messages echo part of the key."""
    words = "Incorrect API key provided: sk-proj-AbCd****************************wXyZ. You can"
    body = json.dumps({"error": {"message": words, "code": "invalid_api_key"}}).encode()
    error = error_from_response(401, body, {})
    assert isinstance(error, AuthError)
    assert "AbCd" not in str(error) and "wXyZ" not in str(error) and "sk-proj" not in str(error)


def test_noise_against_eavesdroppers_is_not_asked_for_and_not_read() -> None:
    """20. `obfuscation` is noise; ignore, or switch off."""
    request = build_request(model="gpt-audio", messages=[user_message("Hi")], voice="alloy")
    assert request.to_dict()["stream_options"] == {
        "include_usage": True,
        "include_obfuscation": False,
    }
    noisy = sse(*(chunk(choice({"content": "a"}), obfuscation="x" * n) for n in range(3)))
    quiet = sse(*(chunk(choice({"content": "a"})) for _ in range(3)))
    assert stream_events(noisy) == stream_events(quiet)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 2), ("stop", ["."]), ("seed", 7), ("logit_bias", {"1734": -100})],
)
def test_what_nobody_has_tried_with_sound_is_passed_on(name: str, value: object) -> None:
    """24. `n>1`, `stop`, `seed`, `logit_bias` with audio are unverified: pass through."""
    request = build_request(
        model="gpt-audio", messages=[user_message("Hi")], voice="alloy", params={name: value}
    )
    assert json.loads(request.body())[name] == value


def test_an_unknown_model_is_answered_with_one_that_is_there() -> None:
    """25. On 404 `model_not_found` propose `gpt-audio-1.5`."""
    body = b'{"error":{"message":"The model `gpt-audio` does not exist","code":"model_not_found"}}'
    assert "gpt-audio-1.5" in str(error_from_response(404, body, {}))


def test_nobody_writes_down_what_the_user_said() -> None:
    """26. Users' speech is not transcribed in the response; do not invent a user transcript."""
    (part,) = sent_by(user_message(Clip.from_pcm16(SOUND)))
    assert set(part) == {"type", "input_audio"}
    assert set(part["input_audio"]) == {"data", "format"}
