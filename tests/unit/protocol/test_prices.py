"""Prices: the published ones, Azure's, the caller's own; and what a cost is made of."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.protocol import (
    AZURE,
    MODELS,
    TOKENS_PER_REQUEST,
    CostParts,
    PriceList,
    Prices,
    Tokens,
    Usage,
    assistant_audio,
    cost_usd,
    estimate_text_tokens,
    fields_tokens,
    messages_tokens,
    published_prices,
    tokens_cost,
    usage_cost,
    user_message,
)

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
OWN = Prices(text_in_usd=1, text_out_usd=2, audio_in_usd=3, audio_out_usd=4)
# A recorded reply to a question that followed a spoken answer.
USED = {
    "prompt_tokens": 142,
    "completion_tokens": 162,
    "total_tokens": 304,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 93, "text_tokens": 49},
    "completion_tokens_details": {"audio_tokens": 125, "text_tokens": 37},
}


def test_every_published_price_says_when_and_where_it_was_seen() -> None:
    for model in [*MODELS, "gpt-4o-audio-preview"]:
        for place in ("", AZURE):
            prices = published_prices(model, place)
            assert prices is not None and prices.source
            assert prices.seen is not None and prices.seen >= date(2026, 11, 1)


@pytest.mark.parametrize(
    ("model", "place", "sound"),
    [
        ("gpt-audio", "", (32, 64)),
        ("gpt-audio-2025-08-28", "", (32, 64)),
        ("gpt-audio-mini", "", (10, 20)),
        ("gpt-4o-audio-preview-2025-06-03", "", (40, 80)),
        ("gpt-audio", AZURE, (40, 80)),
        ("gpt-audio-1.5", AZURE, (32, 64)),
        ("gpt-audio-mini", AZURE, (10, 20)),
    ],
)
def test_sound_costs_what_is_published(model: str, place: str, sound: tuple[int, int]) -> None:
    prices = PriceList(place=place).for_model(model)
    assert prices is not None
    assert (prices.audio_in_usd, prices.audio_out_usd) == sound


def test_a_model_that_retired_has_a_price_and_is_no_choice() -> None:
    assert "gpt-4o-audio-preview" not in MODELS


def test_the_callers_own_prices_count_first() -> None:
    usage = Usage.from_json(USED)
    own = (49 * 1 + 93 * 3 + 37 * 2 + 125 * 4) / 1e6
    assert cost_usd(usage, "gpt-audio", PriceList.of({"gpt-audio": OWN})) == pytest.approx(own)
    assert cost_usd(usage, "some-model", PriceList.of(OWN)) == pytest.approx(own)
    assert cost_usd(usage, "some-model-2026-01-02", PriceList.of({"some-model": OWN})) is not None
    assert cost_usd(usage, "another", PriceList.of({"some-model": OWN})) is None
    assert cost_usd(usage, "cellvoice-engine-1", PriceList.of(OWN)) == 0.0


@pytest.mark.parametrize("choice", [3, "cheap", {"gpt-audio": 3}, {3: OWN}, [OWN]])
def test_prices_of_another_form_are_refused(choice: object) -> None:
    with pytest.raises(UsageError, match=re.escape("cv.Prices(")):
        PriceList.of(choice)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "2", None, True])
def test_a_price_that_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="audio_in_usd"):
        Prices(text_in_usd=1, text_out_usd=1, audio_in_usd=value, audio_out_usd=1)  # type: ignore[arg-type]


def test_a_cost_is_the_sum_of_its_parts() -> None:
    prices = published_prices("gpt-audio")
    parts = usage_cost(Usage.from_json(USED), prices)
    assert [part.tokens for part in parts] == [49, 0, 93, 37, 125]
    assert parts.audio_in.usd == pytest.approx(93 * 32 / 1e6)
    assert parts.usd == pytest.approx(sum(part.usd or 0 for part in parts))
    assert parts.plus(parts).audio_out == (250, pytest.approx(2 * 125 * 64 / 1e6))


def test_kept_tokens_are_counted_once_and_cost_less_only_where_that_is_told() -> None:
    told = json.loads(json.dumps(USED))
    told["prompt_tokens_details"]["cached_tokens"] = 60
    usage, prices = Usage.from_json(told), published_prices("gpt-audio")
    parts = usage_cost(usage, prices)
    # 49 of text and 11 of sound: the service does not say which.
    assert (parts.text_in.tokens, parts.cached_in.tokens, parts.audio_in.tokens) == (0, 60, 82)
    assert parts.usd == pytest.approx(usage_cost(Usage.from_json(USED), prices).usd)
    cheaper = Prices(
        text_in_usd=2.5, text_out_usd=10, audio_in_usd=32, audio_out_usd=64, cached_text_in_usd=0.5
    )
    assert usage_cost(usage, cheaper).usd == pytest.approx((parts.usd or 0) - 49 * 2.0 / 1e6)


def test_tokens_that_are_not_divided_have_no_dollars() -> None:
    parts = usage_cost(Usage(28, 125, 153), published_prices("gpt-audio"))
    assert parts.usd is None and parts.text_out == (125, None)
    assert usage_cost(Usage.from_json(USED), None).usd is None
    assert CostParts().usd == 0.0


def test_what_the_server_says_that_it_charged_counts_before_the_table() -> None:
    usage = Usage.from_json({**USED, "cost": 0.0123})
    assert cost_usd(usage, "gpt-audio") == cost_usd(usage, "openai/gpt-audio") == 0.0123
    assert (usage + usage).cost == pytest.approx(0.0246)
    assert (Usage() + usage).cost == 0.0123
    assert (usage + Usage.from_json(USED)).cost is None
    assert usage.to_json()["cost"] == 0.0123 and "cost" not in Usage.from_json(USED).to_json()


def test_with_a_key_of_ones_own_the_provider_is_paid_besides_the_fee() -> None:
    told = {**USED, "cost": 0.001, "cost_details": {"upstream_inference_cost": 0.02}}
    assert Usage.from_json(told).cost == 0.001
    assert Usage.from_json({**told, "is_byok": True}).cost == pytest.approx(0.021)


@pytest.mark.parametrize("cost", ["0.1", -1, True, None, float("nan"), []])
def test_a_charge_that_is_no_amount_is_not_said(cost: object) -> None:
    assert Usage.from_json({**USED, "cost": cost}).cost is None


def test_a_recorded_request_is_estimated_as_it_was_billed() -> None:
    told = json.loads((RECORDED / "gpt-audio-1.5.basic.shortest.meta.json").read_text())
    messages = told["request_body"]["messages"]
    text = messages_tokens(messages, lambda _: Tokens()).text + TOKENS_PER_REQUEST
    assert text == 18


def test_sound_is_counted_by_its_seconds_and_an_answer_as_it_was_made() -> None:
    question = user_message(["What is it?", Clip.from_pcm16(bytes(2 * 24_000 * 3))])
    messages = [question, assistant_audio("audio_1"), user_message("And then?")]
    made = {"audio_1": Tokens(text=32, audio=93, replayed=93)}
    tokens = messages_tokens(messages, lambda audio_id: made[audio_id])
    assert (tokens.audio, tokens.replayed) == (30 + 93, 93)
    assert tokens.text == 3 * 4 + 3 + 32 + 3


def test_tools_are_read_and_so_counted() -> None:
    tools = [{"type": "function", "function": {"name": "weather", "description": "x" * 400}}]
    assert fields_tokens({"tools": tools, "voice": "alloy"}) > 100
    assert fields_tokens({"temperature": 1}) == 0


def test_text_is_four_letters_a_token_and_no_prices_no_dollars() -> None:
    assert (estimate_text_tokens(""), estimate_text_tokens("a"), estimate_text_tokens("abcde")) == (
        0,
        1,
        2,
    )
    assert tokens_cost(None, text_in=3).usd is None and tokens_cost(None).usd == 0.0
