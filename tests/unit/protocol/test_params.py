"""Every parameter: what it may be, what is sent of it, and what is said of anything else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellvoice.errors import UsageError
from cellvoice.protocol import (
    PARAMS,
    VOICES,
    build_request,
    cautions,
    check,
    check_all,
    current_names,
    settings_form,
    user_message,
    value_from_text,
    with_parameters,
)

CONTRACT = Path(__file__).parents[2] / "contract" / "settings_form.v1.json"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
OBJECT = {"type": "object", "properties": {"city": {"type": "string"}}}

# Both ends of every range, and each form of a value.
ALLOWED: Mapping[str, list[Any]] = {
    "voice": [*VOICES, "Cherry", {"id": "voice_1234"}],
    "format": ["wav", "mp3", "flac", "opus", "pcm16", "aac"],
    "modalities": [["text"], ["text", "audio"]],
    "temperature": [0, 2, 0.8, 0.0, 2.0],
    "top_p": [0, 1, 0.5],
    "frequency_penalty": [-2, 2, 0, 1.5],
    "presence_penalty": [-2, 2.0, 0],
    "seed": [-(2**63), 2**63 - 1, 0],
    "logit_bias": [{"50256": -100, "7": 100}, {}],
    "max_completion_tokens": [1, 16_384],
    "max_tokens": [1, 200],
    "stop": [".", ["a"], ["a", "b", "c", "d"]],
    "response_format": [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "a-b_C1", "schema": OBJECT}},
        {
            "type": "json_schema",
            "json_schema": {"name": "n" * 64, "schema": {}, "strict": True, "description": "d"},
        },
    ],
    "schema": [OBJECT],
    "logprobs": [True, False],
    "top_logprobs": [0, 20],
    "n": [1, 128],
    "tools": [[TOOL], [{"type": "custom", "custom": {"name": "grep"}}]],
    "tool_choice": ["none", "auto", "required", "weather", TOOL],
    "parallel_tool_calls": [True, False],
    "store": [True, False],
    "metadata": [{}, {"lesson": "3"}, {"k" * 64: "v" * 512}],
    "service_tier": ["auto", "default", "flex", "scale", "priority", "fast"],
    "safety_identifier": ["h", "h" * 128],
    "prompt_cache_key": ["h", "h" * 128],
    "extra_body": [{}, {"speech_model": "kokoro", "deep": {"a": [1, None, True]}}],
}
NOT_ALLOWED: Mapping[str, list[Any]] = {
    "voice": ["", " ", 7, {"id": ""}, {"name": "x"}, {"id": "voice_1", "more": 1}],
    "format": ["ogg", "WAV", 1, ["wav"]],
    "modalities": [["audio"], [], "text", ["text", "text"], ["text", "video"], [["text"]]],
    "temperature": [-0.1, 2.1, math.nan, math.inf, "0.8", True, [0.8]],
    "top_p": [-0.1, 1.5, "1"],
    "frequency_penalty": [-2.1, 3, "0"],
    "presence_penalty": [-3, 2.1, False],
    "seed": [1.5, 2**63, -(2**63) - 1, "7", True],
    "logit_bias": [{"1": 101}, {"1": -101}, [1], {1.5: 1}, {"": 1}, {-1: 1}, {True: 1}, "1"],
    "max_completion_tokens": [0, 1.5, -1, True, "200"],
    "max_tokens": [0, "1"],
    "stop": [[], ["a", "b", "c", "d", "e"], [1], "", [""], 7],
    "response_format": [
        "json_object",
        {},
        {"type": "xml"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}},
        {"type": "json_schema", "json_schema": {"name": "n" * 65, "schema": {}}},
        {"type": "json_schema", "json_schema": {"name": "n"}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": "yes"}},
    ],
    "schema": [int, "a schema", {"type": "string"}, [OBJECT]],
    "logprobs": [1, "yes", 0],
    "top_logprobs": [21, -1, True, 1.5],
    "n": [0, 129, True],
    "tools": ["weather", {"type": "function"}, [1], [{"type": "function"}]],
    "tool_choice": ["", "a name", 1, {"type": "any"}, {"type": "function"}],
    "parallel_tool_calls": [1, "no"],
    "store": ["yes", 1],
    "metadata": [
        {"k" * 65: "v"},
        {"k": "v" * 513},
        {"": "v"},
        {"k": 1},
        {str(i): "v" for i in range(17)},
        [],
    ],
    "service_tier": ["fastest", 1, ["auto"]],
    "safety_identifier": ["h" * 129, "", 1],
    "prompt_cache_key": ["h" * 129, "", 1],
    "extra_body": [{1: 2}, [], {"a": object()}, {"messages": []}, {"model": "x"}, {"stream": True}],
}


def cases(table: Mapping[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in table.items()
        for number, value in enumerate(values)
    ]


def test_every_parameter_is_tried_here() -> None:
    assert set(ALLOWED) == set(NOT_ALLOWED) == set(PARAMS)


@pytest.mark.parametrize(("name", "value"), cases(ALLOWED))
def test_what_the_service_allows_is_kept_as_it_is_and_kept_again(name: str, value: object) -> None:
    kept = check(name, value)
    if name != "schema":
        assert kept == value
    assert check(name, kept) == kept


@pytest.mark.parametrize(("name", "value"), cases(NOT_ALLOWED))
def test_what_the_service_refuses_says_what_is_expected(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^{name}.*(expected|may not be replaced)") as caught:
        check(name, value)
    assert len(str(caught.value)) < 500 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", [name for name, param in PARAMS.items() if param.kind in ("number", "choice", "flag")]
)
def test_a_wrong_value_names_the_whole_range(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(name, 99)
    assert str(caught.value) == f"{name}=99: expected {PARAMS[name].expected}"


@given(
    name=st.sampled_from([name for name, param in PARAMS.items() if param.high is not None]),
    value=st.one_of(st.integers(), st.floats()),
)
def test_a_number_is_sent_exactly_if_it_is_in_its_range(name: str, value: float) -> None:
    param = PARAMS[name]
    assert param.low is not None and param.high is not None
    fits = param.low <= value <= param.high and (param.kind == "number" or isinstance(value, int))
    if fits:
        assert check(name, value) == value
    else:
        with pytest.raises(UsageError, match=param.expected):
            check(name, value)


@given(st.dictionaries(st.text(max_size=80), st.text(max_size=600), max_size=20))
def test_metadata_fits_or_is_refused_and_is_never_changed(metadata: dict[str, str]) -> None:
    fits = len(metadata) <= 16 and all(
        1 <= len(key) <= 64 and len(value) <= 512 for key, value in metadata.items()
    )
    if fits:
        assert check("metadata", metadata) == metadata
    else:
        with pytest.raises(UsageError, match="16 names"):
            check("metadata", metadata)


# What is sent


def sent(params: dict[str, object], model: str = "a-text-model", **more: Any) -> dict[str, Any]:
    """The fields that the parameters add to a request."""
    hello = [user_message("Hello.")]
    bare = build_request(model=model, messages=hello).to_dict()
    body = build_request(model=model, messages=hello, params=params, **more).to_dict()
    return {name: value for name, value in body.items() if bare.get(name) != value}


SENT_UNDER_THEIR_NAMES = sorted(
    set(PARAMS) - {"voice", "format", "modalities", "schema", "max_tokens", "extra_body"}
)


@pytest.mark.parametrize("name", SENT_UNDER_THEIR_NAMES)
def test_a_parameter_that_is_set_is_sent_alone_and_under_its_name(name: str) -> None:
    value = ALLOWED[name][-1]
    needed: dict[str, object] = {"top_logprobs": {"logprobs": True}}.get(name, {})
    if name in ("tool_choice", "parallel_tool_calls"):
        needed = {"tools": [TOOL]}
    assert sent({**needed, name: value}) == {**needed, name: value}


@pytest.mark.parametrize("name", sorted(PARAMS))
def test_none_is_not_sent(name: str) -> None:
    assert sent({name: None}) == {}


def test_numpy_numbers_are_numbers() -> None:
    given_values = {"temperature": np.float32(0.5), "seed": np.int64(7), "logit_bias": {3: 1}}
    assert json.dumps(check_all(given_values)) == (
        '{"temperature": 0.5, "seed": 7, "logit_bias": {"3": 1}}'
    )


def test_the_old_name_of_the_limit_is_sent_as_the_new_one() -> None:
    assert sent({"max_tokens": 200}) == {"max_completion_tokens": 200}
    assert check_all({"max_tokens": 200, "max_completion_tokens": 200}) == {
        "max_completion_tokens": 200
    }
    assert current_names({"max_tokens": None}) == {"max_completion_tokens": None}
    assert current_names({"max_tokens": None, "max_completion_tokens": 3}) == {
        "max_completion_tokens": 3
    }
    with pytest.raises(UsageError, match=r"max_tokens=100 and max_completion_tokens=200 differ"):
        check_all({"max_tokens": 100, "max_completion_tokens": 200})


def test_alternatives_ask_for_probabilities_by_themselves() -> None:
    assert sent({"top_logprobs": 3}) == {"top_logprobs": 3, "logprobs": True}
    assert sent({"top_logprobs": 3, "logprobs": True}) == {"top_logprobs": 3, "logprobs": True}
    with pytest.raises(UsageError, match="top_logprobs needs logprobs, which is False"):
        check_all({"top_logprobs": 3, "logprobs": False})


def test_two_forms_of_an_answer_are_one_too_many() -> None:
    with pytest.raises(UsageError, match="schema and response_format both"):
        check_all({"schema": OBJECT, "response_format": {"type": "text"}})


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("temprature", "temperature"),
        ("max_output_tokens", "max_completion_tokens"),
        ("stop_sequences", "stop"),
        ("top_logprob", "top_logprobs"),
        ("function_call", "tool_choice"),
        ("user", "safety_identifier"),
        ("modality", "modalities"),
        ("stream", "format"),
    ],
)
def test_an_unknown_parameter_names_the_nearest_one(name: str, near: str) -> None:
    for find in (lambda: check(name, 1), lambda: check_all({name: None})):
        with pytest.raises(UsageError, match=f"did you mean '{near}'"):
            find()


def test_what_only_other_models_have_may_be_sent_as_it_is() -> None:
    with pytest.raises(UsageError, match=r"extra_body=\{'reasoning_effort': …\} sends it"):
        check_all({"reasoning_effort": "low"})


def test_a_parameter_like_none_lists_them_all() -> None:
    with pytest.raises(UsageError, match="expected one of extra_body, format, frequency_penalty"):
        check("zzz", 1)


# Words in logit_bias

IDS = {" Paris": [12366], "Paris": [72782], " antidisestablish": [1, 2], "Lyon": [5, 6]}
IDS[" Lyon"] = [77]


def tokenize(text: str) -> list[int]:
    return IDS.get(text, [1, 2, 3])


def test_a_word_that_is_one_token_is_sent_by_its_id() -> None:
    params: dict[str, object] = {"logit_bias": {" Paris": -100, 7: 5, "8": 0.5}}
    assert sent(params, tokenize=tokenize) == {"logit_bias": {"12366": -100, "7": 5, "8": 0.5}}
    assert check_all(params, tokenize) == {"logit_bias": {" Paris": -100, "7": 5, "8": 0.5}}


@pytest.mark.parametrize(
    ("biases", "sentence"),
    [
        ({" antidisestablish": 1}, r"which is 2 tokens \(1, 2\).*give their ids one by one"),
        ({"Lyon": 1}, r"which is 2 tokens.*' Lyon', with the space .* is one"),
        ({" Paris": 1, 12366: 2}, "the token 12366 .* twice"),
    ],
)
def test_a_word_that_is_no_single_token_says_what_can_be_done(
    biases: dict[object, object], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_all({"logit_bias": biases}, tokenize)


def test_without_a_tokenizer_words_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="no tokenizer here to find its id; give token ids"):
        sent({"logit_bias": {"Paris": 1}})


# What is known to hurt


def notices(model: str = "gpt-audio", voice: str | None = "alloy", **params: object) -> list[str]:
    request = build_request(
        model=model, messages=[user_message("Hi.")], voice=voice, params={**params}
    )
    return cautions(model, request.params)


def test_a_low_temperature_for_speech_is_warned_of() -> None:
    found = notices(temperature=0.5)
    assert "endless noise" in found[0] and "set max_completion_tokens" in found[1]
    assert len(notices(temperature=0, max_completion_tokens=200)) == 1
    assert notices(temperature=0.6) == notices() == []
    assert notices("a-text-model", None, temperature=0) == []
    assert notices("cellvoice-engine-1", temperature=0) == []


def test_an_unknown_voice_is_only_warned_of_and_only_where_the_voices_are_known() -> None:
    assert notices(voice="Marin") == [
        "gpt-audio is not known to have the voice 'Marin'; did you mean 'marin'?"
    ]
    assert "known are alloy, ash" in notices(voice="Cherry")[0]
    assert notices("qwen-omni", voice="Cherry") == []


def test_what_the_model_is_known_to_refuse_is_said_once() -> None:
    (found,) = notices(top_logprobs=3)
    assert found.startswith("gpt-audio is known to refuse logprobs and top_logprobs")
    (found,) = notices("gpt-audio-2025-08-28", response_format={"type": "json_object"})
    assert "schema=" in found
    assert notices(response_format={"type": "text"}) == []
    assert notices("a-text-model", logprobs=True) == []


# The table as others read it


def test_each_parameter_says_what_it_is() -> None:
    for name, param in PARAMS.items():
        assert param.name == name
        assert param.text.endswith(".") and not param.expected.endswith(".")
        assert "gpt-audio" not in param.text + param.warning  # `refused` says it, by model


def test_a_docstring_gets_a_line_for_each_parameter() -> None:
    @with_parameters
    def ask() -> None:
        """Ask.

        Whatever it is.
        """

    told = ask.__doc__ or ""
    assert told.startswith("Ask.\n\nWhatever it is.\n\nParameters of the service:\n")
    for name in PARAMS:
        assert f"\n    {name}: " in told


def test_the_settings_form_is_what_the_page_was_built_against() -> None:
    form = settings_form("gpt-audio")
    assert json.loads(CONTRACT.read_text(encoding="utf-8")) == {
        "version": 1,
        "model": "gpt-audio",
        "form": json.loads(json.dumps(form)),
    }


def test_the_form_leaves_out_what_another_setting_says() -> None:
    names = [field["name"] for field in settings_form("gpt-audio")]
    assert set(PARAMS) - set(names) == {"max_tokens", "modalities", "extra_body"}
    groups = [field["group"] for field in settings_form("gpt-audio")]
    assert groups == sorted(groups, key=groups.index)  # each group in one piece


def test_the_form_knows_what_a_model_refuses_and_which_voices_it_has() -> None:
    by_model = {
        model: {str(field["name"]): field for field in settings_form(model)}
        for model in ("gpt-audio-1.5", "another-server's")
    }
    refused = {
        model: {name for name, field in fields.items() if field["refused"]}
        for model, fields in by_model.items()
    }
    assert refused["gpt-audio-1.5"] == {"logprobs", "top_logprobs", "response_format"}
    assert refused["another-server's"] == set()
    known, free = (fields["voice"] for fields in by_model.values())
    assert "aac" not in by_model["gpt-audio-1.5"]["format"]["choices"]  # nothing here reads it
    assert (known["kind"], known["choices"]) == ("choice", list(VOICES))
    assert (free["kind"], free["choices"]) == ("text", None)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0.8", 0.8),
        ("temperature", "1", 1),
        ("seed", "7", 7),
        ("logprobs", "true", True),
        ("store", "Off", False),
        ("voice", "marin", "marin"),
        ("voice", '{"id": "voice_1"}', {"id": "voice_1"}),
        ("stop", "END", "END"),
        ("stop", '["END", "."]', ["END", "."]),
        ("modalities", "text,audio", ["text", "audio"]),
        ("metadata", '{"lesson": "3"}', {"lesson": "3"}),
        ("tool_choice", "required", "required"),
        ("safety_identifier", "[x]", "[x]"),
        ("temperature", "", None),
        ("voice", "", None),
    ],
)
def test_a_value_may_be_written_as_text(name: str, text: str, value: object) -> None:
    assert value_from_text(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("temperature", "warm", "temperature='warm': expected a number in 0…2"),
        ("temperature", "3", "temperature=3: expected a number in 0…2"),
        ("logprobs", "maybe", "expected True or False"),
        ("metadata", "{", "metadata='{' is no JSON"),
        ("temprature", "1", "did you mean 'temperature'"),
    ],
)
def test_a_text_that_stands_for_no_value_is_refused(name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        value_from_text(name, text)
