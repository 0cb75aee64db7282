"""Requests: only what was set, checked before anything is sent."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.protocol import (
    assistant_audio,
    assistant_text,
    build_request,
    system_message,
    user_message,
)

HELLO = user_message("Say hello.")


def clip(duration_s: float = 1.0, rate_hz: int = 24_000) -> Clip:
    return Clip(np.zeros(round(duration_s * rate_hz), np.int16) + np.int16(5), rate_hz)


# Messages


def test_a_single_text_is_sent_as_it_is() -> None:
    assert user_message("Hi.") == user_message(["Hi."]) == {"role": "user", "content": "Hi."}


def test_texts_and_clips_keep_their_order() -> None:
    message = user_message(["Listen:", clip(), "What was it?"])
    content: Any = message["content"]
    assert [part["type"] for part in content] == ["text", "input_audio", "text"]


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_a_clip_is_sent_as_wav_16_bit_mono_24_khz_in_raw_base64(rate_hz: int) -> None:
    content: Any = user_message(clip(0.5, rate_hz))["content"]
    audio = content[0]["input_audio"]
    assert audio["format"] == "wav"
    file = base64.b64decode(str(audio["data"]), validate=True)
    # Channels, rate, bytes a second, bytes a frame, bits: as in the WAV header.
    assert np.frombuffer(file[22:36], "<u2")[[0, -1]].tolist() == [1, 16]
    sent = Clip.from_bytes(file)
    assert (sent.sample_rate_hz, sent.duration_s) == (24_000, pytest.approx(0.5, abs=1e-3))


def test_a_request_with_sound_is_written_in_pieces_that_make_its_json() -> None:
    sounds = [clip(5.0, 24_000), clip(0.02, 24_000)]
    messages = [user_message(["One.", sounds[0], "Two."]), user_message([sounds[1]])]
    request = build_request(model="gpt-audio", messages=messages, voice="alloy")
    pieces = list(request.pieces())
    assert max(map(len, pieces)) <= 300_000 < len(request.body())
    assert b"".join(pieces) == request.body()
    assert request.content_length == len(request.body())
    assert json.loads(request.body()) == request.to_dict()
    content: Any = request.to_dict()["messages"]
    for message, sound in zip(content, sounds, strict=True):
        (data,) = (part["input_audio"]["data"] for part in message["content"] if "text" not in part)
        assert Clip.from_base64(data) == sound
    assert "⟨wav 5.0 s⟩" in str(request.described())


def test_what_a_person_says_is_never_taken_for_the_place_of_a_sound() -> None:
    mark = "\ue000sound\ue001"
    said = [mark, clip(0.02, 24_000), mark * 2, f"a {mark} b"]
    request = build_request(model="gpt-audio", messages=[user_message(said)], voice="alloy")
    assert json.loads(request.body()) == request.to_dict()
    content: Any = request.to_dict()["messages"]
    assert [part.get("text") for part in content[0]["content"]] == [mark, None, mark * 2, said[3]]


@pytest.mark.parametrize(
    "make", [user_message, lambda text: user_message(["Hi.", text]), system_message, assistant_text]
)
def test_half_a_letter_is_told_before_anything_is_sent(make: Callable[[str], object]) -> None:
    with pytest.raises(UsageError, match=r"half a letter at place 2 \('\\ud83d'\)"):
        make("ab\ud83d")


def test_earlier_answers_are_sent_as_the_service_wants_them() -> None:
    assert assistant_audio("audio_1") == {"role": "assistant", "audio": {"id": "audio_1"}}
    assert assistant_text("Hello.") == {"role": "assistant", "content": "Hello."}
    assert system_message("Be brief.") == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    "make",
    [
        lambda: user_message([]),
        lambda: user_message(" \n"),
        lambda: user_message(["Hi.", ""]),
        lambda: user_message([b"RIFF"]),  # type: ignore[list-item]
        lambda: system_message(""),
        lambda: system_message(5),  # type: ignore[arg-type]
        lambda: assistant_audio(""),
    ],
)
def test_empty_messages_and_wrong_types_are_refused(make: Any) -> None:
    with pytest.raises(UsageError, match="expected"):
        make()


# Requests


def test_a_spoken_reply_is_asked_for_with_nothing_that_was_not_set() -> None:
    request = build_request(model="gpt-audio", voice="alloy", messages=[HELLO])
    assert json.loads(request.body()) == request.to_dict()
    assert request.to_dict() == {
        "model": "gpt-audio",
        "messages": [HELLO],
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "pcm16"},
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
    }


def test_a_written_reply_to_sound_needs_no_voice() -> None:
    request = build_request(model="gpt-audio", messages=[user_message(clip())])
    assert set(request.to_dict()) == {"model", "messages", "stream", "stream_options"}


def test_a_reply_that_is_not_streamed_comes_as_a_file() -> None:
    request = build_request(model="gpt-audio", voice="alloy", messages=[HELLO], stream=False)
    assert request.to_dict()["audio"] == {"voice": "alloy", "format": "wav"}
    assert "stream" not in request.to_dict() and "stream_options" not in request.to_dict()
    assert not request.streams


def test_parameters_are_sent_as_given_and_none_is_not_sent() -> None:
    params = {"temperature": 0.8, "seed": 7, "top_p": None, "max_completion_tokens": 200}
    request = build_request(model="gpt-audio", voice="alloy", messages=[HELLO], params=params)
    sent = request.to_dict()
    assert (sent["temperature"], sent["seed"], sent["max_completion_tokens"]) == (0.8, 7, 200)
    assert "top_p" not in sent


def test_a_voice_may_be_given_as_a_parameter_too() -> None:
    request = build_request(model="gpt-audio", messages=[HELLO], params={"voice": "marin"})
    assert request.to_dict()["audio"] == {"voice": "marin", "format": "pcm16"}


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "opus", "aac"])
def test_a_format_that_cannot_be_streamed_is_asked_for_in_one_piece(kind: str) -> None:
    request = build_request(
        model="gpt-audio", voice="alloy", messages=[HELLO], params={"format": kind}
    )
    assert request.to_dict()["audio"] == {"voice": "alloy", "format": kind}
    assert "stream" not in request.to_dict() and "stream_options" not in request.to_dict()


def test_pcm16_is_streamed_unless_the_reply_is_wanted_whole() -> None:
    for stream in (True, False):
        request = build_request(
            model="gpt-audio",
            voice="alloy",
            messages=[HELLO],
            params={"format": "pcm16"},
            stream=stream,
        )
        assert request.streams is stream
        assert request.to_dict()["audio"] == {"voice": "alloy", "format": "pcm16"}


def test_a_written_answer_may_be_asked_for_in_spite_of_a_voice() -> None:
    message = user_message(clip())
    for order in (["text", "audio"], ["audio", "text"]):
        request = build_request(
            model="gpt-audio", voice="alloy", messages=[message], params={"modalities": order}
        )
        assert request.to_dict()["modalities"] == ["text", "audio"]
    written = {"modalities": ["text"], "format": "mp3"}
    request = build_request(model="gpt-audio", voice="alloy", messages=[message], params=written)
    assert request.to_dict()["modalities"] == ["text"] and "audio" not in request.to_dict()
    with pytest.raises(UsageError, match="without sound"):
        build_request(model="gpt-audio", voice="alloy", messages=[HELLO], params=written)
    with pytest.raises(UsageError, match="set voice='alloy'"):
        spoken = {"modalities": ["text", "audio"]}
        build_request(model="gpt-audio", messages=[message], params=spoken)


def test_fields_for_other_servers_are_merged_last() -> None:
    params = {"seed": 7, "extra_body": {"seed": 8, "speech_model": "kokoro", "audio": {"a": 1}}}
    request = build_request(model="gpt-audio", voice="alloy", messages=[HELLO], params=params)
    sent = request.to_dict()
    assert (sent["seed"], sent["speech_model"], sent["audio"]) == (8, "kokoro", {"a": 1})
    assert "extra_body" not in sent
    assert request.params["speech_model"] == "kokoro"


def test_a_custom_voice_is_sent_by_its_id() -> None:
    request = build_request(model="gpt-audio", voice={"id": "voice_1"}, messages=[HELLO])
    assert request.to_dict()["audio"] == {"voice": {"id": "voice_1"}, "format": "pcm16"}


def test_the_caller_s_values_are_left_alone_and_not_kept() -> None:
    messages = [user_message([clip(), "Hi."])]
    params: dict[str, object] = {"stop": ["a", "b"]}
    kept = copy.deepcopy((messages, params))
    request = build_request(model="gpt-audio", voice="alloy", messages=messages, params=params)
    body = request.body()
    request.to_dict()["messages"].clear()  # type: ignore[attr-defined]
    assert (messages, params) == kept
    messages[0]["content"] = "changed"
    params["stop"].append("c")  # type: ignore[attr-defined]
    assert request.body() == body


def test_a_request_without_any_sound_is_refused_before_it_is_sent() -> None:
    with pytest.raises(UsageError, match=r"without sound: set a voice"):
        build_request(model="gpt-audio-2025-08-28", messages=[HELLO])
    # Other models take text.
    build_request(model="some-text-model", messages=[HELLO])
    # Nobody knows whether an earlier spoken answer is enough; the service decides.
    build_request(model="gpt-audio", messages=[HELLO, assistant_audio("audio_1"), HELLO])


@pytest.mark.parametrize(
    "changed",
    [{"model": ""}, {"model": None}, {"messages": []}, {"voice": ""}, {"voice": {"name": "x"}}],
)
def test_a_request_that_cannot_be_sent_is_refused(changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {"model": "gpt-audio", "voice": "alloy", "messages": [HELLO]}
    with pytest.raises(UsageError, match="expected"):
        build_request(**(given | changed))


def test_a_described_request_shows_sound_by_its_length() -> None:
    message = user_message(["Listen:", clip(4.2)])
    request = build_request(model="gpt-audio", voice="alloy", messages=[message])
    shown: Any = request.described()
    assert shown["messages"][0]["content"][1]["input_audio"]["data"] == "⟨wav 4.2 s⟩"
    assert shown["messages"][0]["content"][0] == {"type": "text", "text": "Listen:"}
    assert shown["audio"] == {"voice": "alloy", "format": "pcm16"}
    mp3 = {"data": base64.b64encode(bytes(3_000)).decode(), "format": "mp3"}
    other = {"role": "user", "content": [{"type": "input_audio", "input_audio": mp3}]}
    shown = build_request(model="gpt-audio", messages=[other]).described()
    assert shown["messages"][0]["content"][0]["input_audio"]["data"] == "⟨mp3 3 kB⟩"
