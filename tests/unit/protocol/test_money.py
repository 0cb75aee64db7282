"""What was used and what it cost; and what may not be shown."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from cellvoice.errors import AuthError, QuotaError, ServiceError
from cellvoice.protocol import (
    InputDetails,
    OutputDetails,
    Usage,
    cost_usd,
    error_from_response,
    estimate_input_tokens,
    facts,
    mask_keys,
    usd_per_second,
)

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
# The multi-turn reply that the service's own sample of a whole reply shows.
FULL = {
    "prompt_tokens": 28,
    "completion_tokens": 125,
    "total_tokens": 153,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 17, "text_tokens": 11},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 93, "text_tokens": 32},
}


def test_usage_is_read_in_the_service_s_words() -> None:
    usage = Usage.from_json(FULL)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (28, 125, 153)
    assert usage.prompt_tokens_details == InputDetails(17, 11, 0, None)
    assert usage.completion_tokens_details == OutputDetails(93, 32, 0, None, None)
    assert (usage.prompt_audio_tokens, usage.prompt_text_tokens, usage.cached_tokens) == (17, 11, 0)
    assert (usage.completion_audio_tokens, usage.completion_text_tokens) == (93, 32)


@pytest.mark.parametrize("value", [None, {}, [], "x", {"prompt_tokens": "many"}])
def test_usage_that_is_missing_or_nonsense_is_none(value: object) -> None:
    assert Usage.from_json(value) == Usage()


def test_usage_adds_up() -> None:
    usage = Usage.from_json(FULL)
    assert Usage() + usage == usage + Usage() == usage
    twice = usage + usage
    assert twice.total_tokens == 306
    assert (twice.prompt_audio_tokens, twice.completion_audio_tokens) == (34, 186)


def test_details_that_are_not_known_on_both_sides_are_not_known_of_the_sum() -> None:
    bare = Usage(prompt_tokens=5, completion_tokens=5, total_tokens=10)
    total = Usage.from_json(FULL) + bare
    assert total.prompt_tokens_details is None
    assert total.completion_tokens_details is None
    assert cost_usd(total, "gpt-audio") is None


def test_the_cost_counts_sound_and_text_apart() -> None:
    expected = (11 * 2.50 + 17 * 32 + 32 * 10 + 93 * 64) / 1e6
    usage = Usage.from_json(FULL)
    for model in ("gpt-audio", "gpt-audio-2025-08-28", "gpt-audio-1.5"):
        assert cost_usd(usage, model) == pytest.approx(expected, rel=1e-12)
    assert cost_usd(usage, "gpt-audio-mini") == pytest.approx(
        (11 * 0.60 + 17 * 10 + 32 * 2.40 + 93 * 20) / 1e6, rel=1e-12
    )


def test_text_tokens_that_are_not_told_are_the_rest() -> None:
    told = json.loads(json.dumps(FULL))
    del told["prompt_tokens_details"]["text_tokens"]
    del told["completion_tokens_details"]["text_tokens"]
    assert cost_usd(Usage.from_json(told), "gpt-audio") == cost_usd(
        Usage.from_json(FULL), "gpt-audio"
    )


def test_no_price_is_guessed() -> None:
    usage = Usage.from_json(FULL)
    assert cost_usd(usage, "some-other-model") is None
    assert cost_usd(Usage(28, 125, 153), "gpt-audio") is None
    assert cost_usd(Usage(28, 0, 28, InputDetails(text_tokens=28)), "gpt-audio") is None


def test_the_embedded_engine_costs_nothing() -> None:
    assert cost_usd(Usage.from_json(FULL), "cellvoice-engine-1") == 0.0
    assert cost_usd(Usage(5, 5, 10), "cellvoice-engine-1") == 0.0
    assert usd_per_second("cellvoice-engine-1") == (0.0, 0.0)


def test_what_a_second_costs() -> None:
    price = usd_per_second("gpt-audio")
    assert price is not None
    assert price.input_usd == pytest.approx(0.00032)
    assert price.output_usd == pytest.approx(0.00128)
    assert usd_per_second("some-other-model") is None


@pytest.mark.parametrize(
    ("seconds", "tokens"), [(0, 0), (3.266, 32), (6.96, 69), (3.3, 33), (0.7, 7), (1.1, 11)]
)
def test_input_is_ten_tokens_a_second_rounded_down(seconds: float, tokens: int) -> None:
    assert estimate_input_tokens(seconds) == tokens


def test_a_snapshot_has_the_facts_of_its_model() -> None:
    known = facts("gpt-audio-2025-08-28")
    assert known is not None
    assert (known.context_tokens, known.max_output_tokens) == (128_000, 16_384)
    assert (known.shutdown, known.successor) == (date(2027, 1, 20), "gpt-audio-1.5")
    assert known.prices is not None
    assert known.prices.seen >= date(2026, 11, 1)
    assert "logprobs" in known.refused
    assert facts("gpt-audio-9") is None


# Keys


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: not-a-re*********ized. You can find your API key at https://x.",
        "Incorrect API key provided: sk-proj-abcdEFGH_1234-x. You can find it at https://x.",
        "Incorrect API key provided: abcdEFGH1234ized. You can find it at https://x.",
        "header Authorization: Bearer abcdEFGH1234ized was wrong, see https://x.",
        "'sk-abcd***ized' is bad: https://x.",
        "sk-svcacct-abcdEFGH1234ized, https://x.",
    ],
)
def test_keys_and_parts_of_keys_are_masked_and_the_rest_kept(text: str) -> None:
    masked = mask_keys(text)
    assert "***" in masked
    for part in ("abcd", "EFGH", "ized", "not-a-re"):
        assert part not in masked
    assert "https://x." in masked
    assert mask_keys(masked) == masked


@pytest.mark.parametrize("text", ["", "ask-me-anything", "The risk-free rate.", "2 ** 3", "a*b*c"])
def test_other_text_is_left_alone(text: str) -> None:
    assert mask_keys(text) == text


def test_masking_a_long_text_is_quick() -> None:
    # Ran for 12 seconds when a star was looked for from every letter.
    assert mask_keys("x" * 200_000) == "x" * 200_000


# Errors that the recordings do not have


def test_a_refusal_names_its_parameter_and_keeps_the_service_s_words() -> None:
    said = "Assistant audio audio_67 not found."
    param = "content.messages[2].audio.id"
    body = json.dumps({"error": {"message": said, "param": param, "code": "audio_not_found"}})
    error = error_from_response(400, body.encode(), {"x-request-id": "req_2"})
    assert isinstance(error, ServiceError)
    assert (error.status, error.code, error.param) == (400, "audio_not_found", param)
    assert error.request_id == "req_2"
    assert said in str(error) and param in str(error)


def test_credits_and_a_numeric_code_are_understood() -> None:
    body = b'{"error":{"message":"Insufficient credits","code":402}}'
    error = error_from_response(402, body, {})
    assert isinstance(error, QuotaError)
    assert error.code == "402"


def test_a_wrong_key_is_known_by_its_code_too() -> None:
    body = b'{"error":{"message":"bad key","code":"invalid_api_key"}}'
    assert isinstance(error_from_response(403, body, {}), AuthError)
