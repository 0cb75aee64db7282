"""What the engine refuses, in the service's own form on the same inputs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellvoice.local.asks import MODELS, Ask, parse_ask
from cellvoice.local.messages import Earlier
from cellvoice.local.refusals import Refusal
from cellvoice.local.service import Service
from cellvoice.local.voices import VOICE_NAMES

Body = Callable[..., bytes]


def nothing_earlier(audio_id: str) -> Earlier | None:
    return None


def refused(body: bytes) -> tuple[int, dict[str, Any]]:
    with pytest.raises(Refusal) as caught:
        parse_ask(body, nothing_earlier)
    error: dict[str, Any] = json.loads(caught.value.body())["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    return caught.value.status, error


def part(data: str, format_name: str = "wav") -> list[dict[str, Any]]:
    sound = {"type": "input_audio", "input_audio": {"data": data, "format": format_name}}
    return [{"role": "user", "content": [sound]}]


@pytest.mark.parametrize("model", MODELS)
def test_these_models_are_taken(body: Body, model: str) -> None:
    assert isinstance(parse_ask(body(model=model), nothing_earlier), Ask)


def test_an_unknown_model_is_not_found(body: Body) -> None:
    status, error = refused(body(model="gpt-5"))
    assert status == 404
    assert error["code"] == "model_not_found"
    assert error["message"] == ("The model `gpt-5` does not exist or you do not have access to it.")


def test_it_answers_text_with_text_though_the_service_wants_sound_somewhere(body: Body) -> None:
    written = [{"role": "user", "content": "hello"}]
    silent = body(messages=written, modalities=["text"], audio=...)
    assert not parse_ask(silent, nothing_earlier).speaks
    assert parse_ask(body(messages=written), nothing_earlier).speaks
    assert not parse_ask(body(modalities=["text"]), nothing_earlier).speaks


def test_an_unknown_voice_is_refused_with_the_list(body: Body) -> None:
    _, error = refused(body(audio={"voice": "bella", "format": "pcm16"}))
    assert error["param"] == "audio.voice"
    assert error["message"].startswith("Invalid value: 'bella'. Supported values are: 'alloy'")
    assert all(f"'{name}'" in error["message"] for name in VOICE_NAMES)


def test_only_pcm16_is_streamed(body: Body) -> None:
    _, error = refused(body(audio={"voice": "alloy", "format": "wav"}))
    assert error["message"] == (
        "Unsupported value: 'audio.format' does not support 'wav' when stream=true. "
        "Supported values are: 'pcm16'."
    )
    for name in ("wav", "mp3", "flac", "opus", "pcm16"):
        spoken = body(audio={"voice": "alloy", "format": name}, stream=False)
        assert parse_ask(spoken, nothing_earlier).audio_format == name
    _, error = refused(body(audio={"voice": "alloy", "format": "aac"}, stream=False))
    assert (error["param"], error["code"]) == ("audio.format", "unsupported_value")
    assert error["message"] == (
        "Unsupported value: 'audio.format' does not support 'aac' with this model. "
        "Supported values are: 'wav', 'mp3', 'flac', 'opus', and 'pcm16'."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reasoning_effort", "low"),
        ("functions", [{"name": "f"}]),
        ("prediction", {"type": "content", "content": "x"}),
    ],
)
def test_what_it_can_not_do_it_refuses_by_name(body: Body, name: str, value: object) -> None:
    status, error = refused(body(**{name: value}))
    assert (status, error["code"], error["param"]) == (400, "unsupported_parameter", name)
    assert error["message"] == f"Unsupported parameter: '{name}' is not supported with this model."


@pytest.mark.parametrize(
    ("name", "value"), [("logprobs", False), ("n", 1), ("tools", None), ("store", False)]
)
def test_asking_for_nothing_is_no_reason_to_refuse(body: Body, name: str, value: object) -> None:
    parse_ask(body(**{name: value}), nothing_earlier)


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"temperature": 3}, "temperature", "decimal_above_max_value"),
        ({"temperature": -0.5}, "temperature", "decimal_below_min_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"top_p": 1.5}, "top_p", "decimal_above_max_value"),
        ({"max_completion_tokens": 0}, "max_completion_tokens", "integer_below_min_value"),
        ({"seed": 1.5}, "seed", "invalid_type"),
        ({"stop": list("abcde")}, "stop", "array_above_max_length"),
        ({"stop": [1]}, "stop", "invalid_type"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"loudness": 1}, "loudness", "unknown_parameter"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": ...}, "messages", "missing_required_parameter"),
        ({"messages": "hello"}, "messages", "invalid_type"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_type"),
        ({"messages": ["hello"]}, "messages[0]", "invalid_type"),
        ({"messages": part("AAAA", "webm")}, None, "invalid_value"),
        ({"modalities": ["audio"]}, "modalities", "invalid_value"),
        ({"audio": ...}, "audio", "missing_required_parameter"),
        ({"audio": {"voice": "alloy"}}, "audio.format", "missing_required_parameter"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(
    body: Body, changes: dict[str, Any], param: str | None, code: str
) -> None:
    status, error = refused(body(**changes))
    assert (status, error["code"]) == (400, code)
    assert param is None or error["param"] == param


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b'"text"', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    status, error = refused(raw)
    assert status == 400
    assert "could not parse the JSON body" in error["message"]


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(b"no sound at all").decode(),
        "not base64!",
        "data:audio/wav;base64,UklGRg==",
        base64.b64encode(b"ID3\x04\x00" + bytes(100)).decode(),
        "",
    ],
)
def test_bytes_that_are_no_sound_are_an_unsupported_format(body: Body, data: str) -> None:
    status, error = refused(body(messages=part(data)))
    assert (status, error["param"], error["code"]) == (400, "messages", "unsupported_format")
    assert error["message"] == "This model does not support the format you provided."


def test_an_unknown_audio_id_is_not_found_and_named(body: Body) -> None:
    turns = [{"role": "assistant", "audio": {"id": "audio_1"}}, {"role": "user", "content": "hi"}]
    status, error = refused(body(messages=turns))
    assert (status, error["code"]) == (400, "audio_not_found")
    assert error["param"] == "content.messages[0].audio.id"
    assert error["message"] == "Assistant audio audio_1 not found."


def test_a_replayed_answer_may_carry_its_id_only(body: Body) -> None:
    turns = [{"role": "assistant", "audio": {"id": "a", "transcript": "x"}}]
    _, error = refused(body(messages=turns))
    assert error["code"] == "unknown_parameter"
    assert error["param"] == "messages[0].audio.transcript"


async def test_a_wrong_key_is_shown_by_head_and_tail_only(engine: Any, recorded: Path) -> None:
    service = Service(engine, api_key="right")
    key = "sk-proj-0123456789abcdefghij"
    answer = await service.answer("GET", "/v1/models", f"Bearer {key}", b"")
    assert isinstance(answer.body, bytes)
    error = json.loads(answer.body)["error"]
    assert answer.status == 401
    assert key not in error["message"]
    assert "sk-proj-****" in error["message"]
    assert "ghij" in error["message"]
    entry = json.loads((recorded / "error.401-auth.json").read_text(encoding="utf-8"))["Entries"][0]
    theirs = entry["ResponseBody"]["error"]
    assert {k: v for k, v in error.items() if k != "message"} == {
        k: v for k, v in theirs.items() if k != "message"
    }
    assert error["message"].split("*")[-1][4:] == theirs["message"].split("*")[-1][4:]


@pytest.mark.parametrize("given", [None, "", "Bearer ", "Basic right"])
async def test_no_key_is_refused(engine: Any, given: str | None) -> None:
    answer = await Service(engine, api_key="right").answer("GET", "/v1/models", given, b"")
    assert answer.status == 401


async def test_other_addresses_and_methods_are_refused(engine: Any) -> None:
    service = Service(engine, api_key=None)
    assert (await service.answer("POST", "/v1/responses", None, b"{}")).status == 404
    assert (await service.answer("GET", "/v1/chat/completions", None, b"")).status == 405
    one = await service.answer("GET", "/v1/models/gpt-audio", None, b"")
    assert isinstance(one.body, bytes)
    assert json.loads(one.body)["id"] == "gpt-audio"
    assert (await service.answer("GET", "/v1/models/gpt-0", None, b"")).status == 404
    models = await service.answer("GET", "/v1/models", None, b"")
    assert isinstance(models.body, bytes)
    assert {row["id"] for row in json.loads(models.body)["data"]} == set(MODELS)
