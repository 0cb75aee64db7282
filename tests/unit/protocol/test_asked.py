"""Which requests are the same, and in which words two of them differ."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.protocol import (
    assistant_audio,
    assistant_text,
    build_request,
    staying_in_voice,
    system_message,
    user_message,
)
from cellvoice.protocol.asked import Asked
from cellvoice.protocol.differences import differences, likeness

VOICE = Clip.read(Path(__file__).parents[2] / "fixtures" / "speech" / "capital_of_france.wav")
CHAT = "/v1/chat/completions"


def asked(*messages: Any, path: str = CHAT, model: str = "gpt-audio", **params: Any) -> Asked:
    request = build_request(model=model, messages=messages, voice="alloy", params=params)
    return Asked.of("POST", path, request.body())


def of(body: dict[str, Any]) -> Asked:
    return Asked.of("POST", CHAT, json.dumps(body).encode())


def wav_part(wav: bytes) -> dict[str, Any]:
    data = {"data": base64.b64encode(wav).decode(), "format": "wav"}
    return {"role": "user", "content": [{"type": "input_audio", "input_audio": data}]}


def test_the_order_of_keys_does_not_count() -> None:
    one, other = of({"model": "m", "seed": 1}), of({"seed": 1.0, "model": "m"})
    assert one.key == other.key


def test_the_address_before_the_operation_does_not_count() -> None:
    paths = [CHAT, "/api/v1/chat/completions", "/openai/deployments/mine/chat/completions"]
    assert len({asked(user_message("Hello."), path=path).key for path in paths}) == 1


@pytest.mark.parametrize("name", ["user", "safety_identifier", "prompt_cache_key"])
def test_fields_that_change_no_answer_do_not_count_and_are_not_kept(name: str) -> None:
    plain, named = of({"model": "m"}), of({"model": "m", name: "somebody"})
    assert plain.key == named.key
    assert "somebody" not in json.dumps(named.body)


def test_obfuscation_does_not_count() -> None:
    one = of({"stream_options": {"include_usage": True, "include_obfuscation": False}})
    assert one.key == of({"stream_options": {"include_usage": True}}).key
    assert one.key != of({"stream_options": {"include_usage": False}}).key


def test_equal_samples_are_the_same_question_whatever_the_header_says() -> None:
    wav = VOICE.to_bytes("wav")
    endless = wav[:4] + b"\xff\xff\xff\xff" + wav[8:40] + b"\xff\xff\xff\xff" + wav[44:]
    one = of({"messages": [wav_part(wav)]})
    other = of({"messages": [wav_part(endless)]})
    assert one.key == other.key
    assert one.question == [f"⟨wav {VOICE.duration_s:.1f} s⟩"]


def test_sound_is_taken_out_of_the_request_and_can_be_stored() -> None:
    one = asked(user_message([VOICE]))
    (kept,) = one.stored_sounds()
    assert kept.name in json.dumps(one.body)
    assert len(json.dumps(one.body)) < 800
    assert Clip.from_bytes(kept.data) == VOICE.resampled(24_000)


def test_an_unknown_format_of_sound_is_kept_as_it_is() -> None:
    webm = b"\x1aE\xdf\xa3" + bytes(200)
    part = wav_part(webm)
    part["content"][0]["input_audio"]["format"] = "webm"
    (kept,) = of({"messages": [part]}).stored_sounds()
    assert (kept.name.partition(".")[2], kept.data) == ("given.bin", webm)


def test_an_answer_named_by_its_id_is_the_one_told_by_its_words() -> None:
    by_id = asked(user_message("Hi."), assistant_audio("audio_1"), user_message("And?"))
    by_words = asked(user_message("Hi."), assistant_text("Hello."), user_message("And?"))
    words = {"audio_1": "Hello."}
    assert by_id.key != by_words.key
    assert by_id.loose_key(words) == by_words.loose_key(words)
    assert by_id.loose_key({}) != by_words.loose_key({})


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_the_hint_that_goes_with_words_does_not_count(system: str | None) -> None:
    before = [system_message(system)] if system is not None else []
    by_id = asked(*before, user_message("Hi."), assistant_audio("audio_1"))
    hint = system_message(staying_in_voice(system))
    by_words = asked(hint, user_message("Hi."), assistant_text("Hello."))
    words = {"audio_1": "Hello."}
    assert by_id.loose_key(words) == by_words.loose_key(words)


def test_a_body_that_is_no_json_can_be_asked_about() -> None:
    assert Asked.of("POST", "/v1/other", b"\xff?").key != Asked.of("GET", "/v1/models", b"").key


def test_equal_requests_do_not_differ() -> None:
    one = asked(user_message([VOICE]), seed=1)
    assert differences(one, one) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "clause"),
    [
        (
            asked(user_message("Hi."), model="gpt-audio-1.5"),
            asked(user_message("Hi.")),
            'model is "gpt-audio-1.5", the recorded one "gpt-audio"',
        ),
        (
            asked(user_message("Hi."), temperature=0.8),
            asked(user_message("Hi."), temperature=0.7),
            "temperature is 0.8, the recorded one 0.7",
        ),
        (
            asked(user_message("Hi."), seed=1),
            asked(user_message("Hi.")),
            "seed is 1, the recorded one has none",
        ),
        (
            asked(user_message("Hi.")),
            asked(user_message("Hi."), seed=1),
            "seed is not set, the recorded one has 1",
        ),
        (
            asked(user_message("Hi.")),
            asked(user_message("Ho.")),
            "message 1 (user) is “Hi.”, the recorded one “Ho.”",
        ),
        (
            asked(system_message("Be brief."), user_message("Hi.")),
            asked(user_message("Hi.")),
            "it has 2 messages, the recorded one 1",
        ),
        (
            asked(user_message([VOICE.sliced(0, 1.0)])),
            asked(user_message([VOICE])),
            f"the sound in message 1 is 1.0 s, the recorded one {VOICE.duration_s:.1f} s",
        ),
        (
            asked(user_message([VOICE.sliced(0, 1.0)])),
            asked(user_message([VOICE.sliced(0.2, 1.2)])),
            "the sound in message 1 is 1.0 s like the recorded one, but with other samples "
            "(another take?)",
        ),
        (
            asked(assistant_audio("audio_1"), user_message("Hi.")),
            asked(assistant_audio("audio_2"), user_message("Hi.")),
            "message 1 (assistant) is the spoken answer audio_1, the recorded one the spoken "
            "answer audio_2",
        ),
        (
            Asked.of("GET", "/v1/models", b""),
            asked(user_message("Hi.")),
            "it is GET models, the recorded one POST chat/completions",
        ),
    ],
)
def test_each_difference_is_told_in_a_clause(mine: Asked, theirs: Asked, clause: str) -> None:
    assert clause in differences(mine, theirs)


def test_a_longer_conversation_tells_its_newest_message() -> None:
    one = asked(user_message("Hi."), assistant_text("Hello."), user_message("And?"))
    assert "its newest message is “And?”, the recorded one “Hi.”" in differences(
        one, asked(user_message("Hi."))
    )


def test_no_messages_at_all_can_be_compared() -> None:
    assert differences(of({"messages": []}), asked(user_message("Hi.")))


def test_the_more_alike_question_is_nearer() -> None:
    mine = asked(user_message("What is the capital of Spain?"))
    near, far = asked(user_message("What is the capital of France?")), asked(user_message("Sing."))
    assert likeness(mine, near) > likeness(mine, far)
