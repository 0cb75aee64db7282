"""Every parameter that shapes the drawing acts on real numbers."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cellvoice.local.asks import parse_ask
from cellvoice.local.engine import Engine
from cellvoice.local.refusals import Refusal
from cellvoice.local.sampler import (
    Sampling,
    allowed_only,
    biased,
    generate,
    likeliest,
    nucleus,
    penalised,
    tempered,
)
from cellvoice.local.wire import completion, stream

Json = dict[str, Any]
Ask = Callable[..., Json]

FRANCE = [{"role": "user", "content": "what is the capital of france"}]
shares = arrays.arrays(
    np.float64, st.integers(2, 30), elements=st.floats(1e-12, 1.0, allow_nan=False)
).map(lambda weights: weights / weights.sum())


@pytest.fixture
def ask(engine: Engine) -> Ask:
    """The whole reply to a written request."""

    def answered(**fields: Any) -> Json:
        request = {"model": "cellvoice-engine-1", "messages": FRANCE, "temperature": 0, **fields}
        parsed = parse_ask(
            json.dumps(request).encode(), engine.earlier, vocabulary_size=len(engine.tokenizer)
        )
        reply: Json = json.loads(completion(engine, parsed))
        return reply

    return answered


def said(reply: Json) -> str:
    text: str = reply["choices"][0]["message"]["content"]
    return text


@given(shares, st.floats(0.05, 2), st.floats(0, 1), st.floats(-2, 2), st.floats(-100, 100))
@settings(max_examples=150, deadline=None)
def test_every_step_of_the_drawing_sums_to_one(
    model_gives: Any, temperature: float, top_p: float, penalty: float, bias: float
) -> None:
    counts = Counter({0: 3, 1: 1})
    steps = [
        penalised(model_gives, counts, penalty, penalty),
        biased(model_gives, {0: bias}),
        tempered(model_gives, temperature),
        nucleus(model_gives, top_p),
        allowed_only(model_gives, np.arange(len(model_gives)) % 2 == 0),
    ]
    for step in steps:
        assert step.sum() == pytest.approx(1.0, abs=1e-9)
        assert (step >= 0).all()


def test_penalties_and_bias_by_hand() -> None:
    even = np.array([0.25, 0.25, 0.5])
    lowered = penalised(even, Counter({0: 2}), 0.5, 0.25)
    # The score of token 0 falls by 0.5 once and 0.25 for each of two times: e to the minus one.
    assert lowered[0] / lowered[1] == pytest.approx(math.exp(-1.0), rel=1e-12)
    assert lowered[2] / lowered[1] == pytest.approx(2.0, rel=1e-12)
    raised = biased(even, {1: 2.0})
    assert raised[1] / raised[0] == pytest.approx(math.exp(2.0), rel=1e-12)
    assert biased(even, {1: -100})[1] < 1e-40


def test_a_mask_that_leaves_only_the_impossible_shares_evenly() -> None:
    assert allowed_only(np.array([1.0, 0.0, 0.0]), np.array([False, True, True])).tolist() == [
        0.0,
        0.5,
        0.5,
    ]


def test_the_likeliest_come_first_and_nothing_impossible_is_listed() -> None:
    assert likeliest(np.array([0.2, 0.8, 0.0]), 20) == (
        (1, pytest.approx(math.log(0.8))),
        (0, pytest.approx(math.log(0.2))),
    )


def test_the_probabilities_that_are_reported_are_those_before_any_shaping() -> None:
    def even(tokens: Any) -> Any:
        return np.array([0.5, 0.3, 0.2])

    wild = Sampling(1.7, 0.9, 3, logit_bias={1: 5.0}, frequency_penalty=1.0, top_logprobs=3)
    for drawn in generate(even, wild, 0, 20):
        assert drawn.logprob == pytest.approx(math.log(even(())[drawn.token]))
        assert sum(math.exp(share) for _, share in drawn.top) == pytest.approx(1.0)


def test_a_seed_may_be_any_number_of_64_bits_and_says_the_same_again(ask: Ask) -> None:
    for seed in (0, -1, 2**63 - 1, -(2**63)):
        first = said(ask(seed=seed, temperature=1.2))
        assert said(ask(seed=seed, temperature=1.2)) == first
    assert len({said(ask(seed=seed, temperature=1.2)) for seed in range(6)}) > 2


def test_a_negative_bias_forbids_a_word(engine: Engine, ask: Ask) -> None:
    paris = engine.tokenizer.encode(" Paris")
    assert len(paris) == 1
    assert "Paris" in said(ask())
    assert "Paris" not in said(ask(logit_bias={str(paris[0]): -100}))


def test_a_bias_of_one_hundred_leaves_nothing_else_until_the_answer_is_cut(
    engine: Engine, ask: Ask
) -> None:
    rome = engine.tokenizer.encode(" Rome")[0]
    reply = ask(logit_bias={str(rome): 100})
    assert set(said(reply).split()) == {"Rome"}
    assert reply["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("name", ["frequency_penalty", "presence_penalty"])
def test_a_penalty_says_fewer_words_twice(ask: Ask, name: str) -> None:
    def repeated(penalty: float) -> float:
        """The share of words that were said before, over twelve long wanderings."""
        reply = ask(n=12, seed=1, temperature=1.4, **{name: penalty})
        texts = [choice["message"]["content"].lower().split() for choice in reply["choices"]]
        return sum(1 - len(set(words)) / len(words) for words in texts) / len(texts)

    assert repeated(-2) > repeated(2)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"logit_bias": {"12": 101}}, "logit_bias.12", "integer_above_max_value"),
        ({"logit_bias": {"12": "much"}}, "logit_bias.12", "invalid_type"),
        ({"logit_bias": {"Paris": 1}}, "logit_bias", "invalid_value"),
        ({"logit_bias": {"9999999": 1}}, "logit_bias", "invalid_value"),
        ({"logit_bias": [1]}, "logit_bias", "invalid_type"),
        ({"presence_penalty": 2.1}, "presence_penalty", "decimal_above_max_value"),
        ({"frequency_penalty": -2.1}, "frequency_penalty", "decimal_below_min_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"n": True}, "n", "invalid_type"),
        ({"logprobs": 1}, "logprobs", "invalid_type"),
        ({"top_logprobs": 3}, "top_logprobs", "invalid_value"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs", "integer_above_max_value"),
        ({"seed": 2**63}, "seed", "integer_above_max_value"),
    ],
)
def test_a_value_outside_of_its_range_is_refused(
    ask: Ask, fields: Json, param: str, code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        ask(**fields)
    error = json.loads(caught.value.body())["error"]
    assert (error["param"], error["code"]) == (param, code)


def test_logprobs_name_each_token_and_its_rivals(engine: Engine, ask: Ask) -> None:
    choice = ask(logprobs=True, top_logprobs=5)["choices"][0]
    rows = choice["logprobs"]["content"]
    assert b"".join(bytes(row["bytes"]) for row in rows).decode() == choice["message"]["content"]
    assert all(len(row["top_logprobs"]) == 5 for row in rows)
    for row in rows:
        best = row["top_logprobs"][0]
        assert row["logprob"] <= 0
        assert (best["token"], best["logprob"]) == (row["token"], row["logprob"])  # temperature 0
        assert sum(math.exp(rival["logprob"]) for rival in row["top_logprobs"]) <= 1 + 1e-9
    assert ask(logprobs=True)["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == []
    assert "logprobs" not in ask()["choices"][0]


def test_a_letter_of_several_tokens_is_written_by_its_bytes(ask: Ask) -> None:
    choice = ask(
        messages=[{"role": "user", "content": "Say exactly: 東京"}], logprobs=True, temperature=0
    )["choices"][0]
    rows = choice["logprobs"]["content"]
    assert choice["message"]["content"] == "東京"
    assert rows[0]["token"] == "bytes:\\xe6"
    assert b"".join(bytes(row["bytes"]) for row in rows).decode() == "東京"


def test_each_of_several_choices_is_drawn_with_dice_of_its_own(ask: Ask) -> None:
    reply = ask(n=5, seed=4, temperature=1.3)
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3, 4]
    texts = [choice["message"]["content"] for choice in reply["choices"]]
    assert len(set(texts)) > 1
    assert texts[0] == said(ask(seed=4, temperature=1.3))
    assert [c["message"]["content"] for c in ask(n=5, seed=4, temperature=1.3)["choices"]] == texts


@pytest.mark.parametrize("spoken", [False, True])
def test_streamed_choices_come_mixed_and_each_is_whole(engine: Engine, spoken: bool) -> None:
    request: Json = {"model": "gpt-audio", "messages": FRANCE, "stream": True, "n": 3, "seed": 1}
    request |= {"temperature": 1, "logprobs": True, "stream_options": {"include_usage": True}}
    if spoken:
        request |= {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}
    whole = {**request, "stream": False, "stream_options": {}}
    earlier = engine.earlier
    reply = json.loads(completion(engine, parse_ask(json.dumps(whole).encode(), earlier)))
    frames = stream(engine, parse_ask(json.dumps(request).encode(), earlier))
    lines = b"".join(frame.data for frame in frames).decode().split("\n\n")
    events = [
        json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")
    ]
    texts, rows = Counter[int](), Counter[int]()
    said_by: dict[int, str] = {0: "", 1: "", 2: ""}
    order = []
    for event in events:
        for choice in event.get("choices", []):
            at, delta = choice["index"], choice["delta"]
            piece = delta.get("content") or delta.get("audio", {}).get("transcript") or ""
            if piece:
                order.append(at)
            said_by[at] += piece
            texts[at] += bool(piece)
            rows[at] += len((choice.get("logprobs") or {}).get("content", []))
    for choice in reply["choices"]:
        message = choice["message"]
        whole_text = message["content"] or message["audio"]["transcript"]
        assert said_by[choice["index"]] == whole_text
        assert rows[choice["index"]] == len(choice["logprobs"]["content"])
    assert order[:3] == [0, 1, 2]
    usage = next(event["usage"] for event in events if event.get("usage"))
    assert usage["completion_tokens"] == reply["usage"]["completion_tokens"]


@given(st.lists(st.sampled_from([" is", "e", "Seine.", "of F", "zz"]), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_stop_text_is_ever_said(ask: Ask, stops: list[str]) -> None:
    choice = ask(stop=stops, logprobs=True)["choices"][0]
    text = choice["message"]["content"]
    assert not any(stop in text for stop in stops)
    whole = said(ask())
    assert whole.startswith(text)
    rows = b"".join(bytes(row["bytes"]) for row in choice["logprobs"]["content"]).decode()
    assert rows.startswith(text)


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_a_written_answer_is_cut_after_so_many_tokens(ask: Ask, limit: int) -> None:
    reply = ask(max_completion_tokens=limit, logprobs=True)
    assert reply["usage"]["completion_tokens"] == limit
    assert len(reply["choices"][0]["logprobs"]["content"]) == limit
    assert reply["choices"][0]["finish_reason"] == "length"
