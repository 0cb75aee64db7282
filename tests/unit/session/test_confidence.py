"""How sure the model was of its object, asked of a played service."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, Literal

import pydantic
import pytest

from cellvoice.errors import AuthError, BudgetExceeded, UsageError
from cellvoice.session import Session

from .conftest import MakeSession
from .rig import Hold, Reply, Service, event, refusal

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"text_tokens": 100, "audio_tokens": 0},
    "completion_tokens_details": {"text_tokens": 20, "audio_tokens": 0},
}
# At 2.50 and 10.00 dollars a million.
EACH_USD = 100 * 2.5e-6 + 20 * 10e-6


class Mood(pydantic.BaseModel):
    tone: Literal["calm", "cross", "glad"]
    loud: bool
    words: str


def called(tone: str, loud: bool = False) -> Reply:
    """A reply that gives the object by a forced call, as gpt-audio does."""
    arguments = json.dumps({"tone": tone, "loud": loud, "words": "x"})
    function = {"name": "Mood", "arguments": arguments}
    delta = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": function}]}
    return Reply(
        [
            event({"choices": [{"index": 0, "delta": delta}]}),
            event({"choices": [], "usage": USAGE}),
            b"data: [DONE]\n\n",
        ]
    )


def test_samples_of_the_call_are_counted_and_have_intervals(make_session: MakeSession) -> None:
    tones = ["calm", "calm", "cross", "calm"]
    service = Service(called("calm"), *[called(one, loud=True) for one in tones])
    session = make_session(service, seed=7)
    turn = session.say("How do I sound?", schema=Mood)
    found = turn.confidence(samples=4)
    assert (found.by, found.samples, found.failed) == ("samples", 4, 0)
    tone = found["tone"]
    assert (tone.value, tone.p) == ("calm", 0.75)
    assert [(one.value, one.count) for one in tone.weights] == [
        ("calm", 3), ("cross", 1), ("glad", 0),
    ]  # fmt: skip
    assert 0.3 < tone.low < 0.31 and 0.95 < tone.high < 0.96
    assert found["loud"].p == 0.0 and found["loud"].value is False
    assert list(found) == ["tone", "loud"]  # a free text is no choice
    assert "tone = 'calm' 75% (30% to 95%)" in repr(found)
    assert "<td>tone</td><td>&#x27;calm&#x27; ✓</td><td>75.0%</td>" in found._repr_html_()
    assert list(found.to_dataframe().query("chosen").path) == ["tone", "loud"]


def test_the_same_is_asked_but_for_the_seed_that_would_make_all_alike(
    make_session: MakeSession,
) -> None:
    service = Service(called("calm"))
    make_session(service, seed=7, temperature=0.5).say("Hi.", schema=Mood).confidence(samples=2)
    first, *others = [asked.body for asked in service.asked]
    assert first.pop("seed") == 7
    assert len(others) == 2 and all(other == first for other in others)


def test_the_answers_are_paid_for_and_are_no_part_of_the_conversation(
    make_session: MakeSession,
) -> None:
    session = make_session(Service(called("calm")))
    turn = session.say("Hi.", schema=Mood)
    before_usd = turn.cost.usd
    found = turn.confidence(samples=3)
    assert len(session.turns) == 1 and turn.cost.usd == before_usd
    assert found.cost.usd == pytest.approx(3 * EACH_USD)
    assert session.cost.usd == pytest.approx(4 * EACH_USD)
    assert session.usage.total_tokens == 4 * 120


def test_the_price_is_told_before_and_nothing_is_sent_for_it(make_session: MakeSession) -> None:
    service = Service(called("calm"))
    turn = make_session(service).say("Hi.", schema=Mood)
    price = turn.confidence_price(20)
    assert price.usd == pytest.approx(20 * EACH_USD)
    assert str(price) == "20 samples for about $0.0090 (this turn cost $0.000450)"
    with pytest.raises(UsageError, match=r"confidence\(samples=20\) asks .*: 20 samples for about"):
        turn.confidence()
    assert len(service.asked) == 1


def test_what_would_cross_the_budget_is_refused_before_anything_is_sent(
    make_session: MakeSession,
) -> None:
    service = Service(called("calm"))
    session = make_session(service)
    turn = session.say("Hi.", schema=Mood)
    session.budget = 3.5 * EACH_USD
    with pytest.raises(BudgetExceeded, match="3 samples for .* would cross .* fewer samples"):
        turn.confidence(samples=3)
    assert len(service.asked) == 1
    turn.confidence(samples=2)
    with pytest.raises(BudgetExceeded):
        turn.confidence(samples=1)
    assert session.remaining_usd == pytest.approx(0.5 * EACH_USD)


def test_samples_without_an_object_are_told_and_not_counted(make_session: MakeSession) -> None:
    words = Reply([event({"choices": [{"index": 0, "delta": {"content": "Sure!"}}]}),
                   b"data: [DONE]\n\n"])  # fmt: skip
    service = Service(
        called("calm"), called("calm"), words, refusal(500, message="no"), called("glad")
    )
    found = make_session(service).say("Hi.", schema=Mood).confidence(samples=4)
    assert (found.samples, found.failed) == (2, 2)
    assert found["tone"].p == 0.5
    assert "2 more gave no object" in found.basis


def test_a_first_sample_that_is_refused_ends_it(make_session: MakeSession) -> None:
    service = Service(called("calm"), refusal(401, message="no such key", code="invalid_api_key"))
    turn = make_session(service).say("Hi.", schema=Mood)
    with pytest.raises(AuthError):
        turn.confidence(samples=9)
    assert len(service.asked) == 2


async def test_cancelled_it_closes_what_runs_and_has_what_was_paid(
    make_session: MakeSession,
) -> None:
    hold = Hold()
    held = Reply([*called("glad").pieces[:1], hold])
    service = Service(called("calm"), called("calm"), held)
    session = make_session(service)
    turn = await session.asay("Hi.", schema=Mood)
    task = asyncio.ensure_future(turn.aconfidence(samples=2))
    await asyncio.to_thread(hold.wait_until_reached)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(service.asked[2].closed.wait, 10)
    assert session.cost.usd is not None and session.cost.usd > 2 * EACH_USD
    hold.release()


def logprob(token: str, p: float, **others: float) -> dict[str, Any]:
    listed = {token: p, **others}
    return {
        "token": token,
        "logprob": math.log(p),
        "bytes": list(token.encode()),
        "top_logprobs": [
            {"token": one, "logprob": math.log(chance), "bytes": list(one.encode())}
            for one, chance in listed.items()
        ],
    }


def test_log_probabilities_tell_it_without_asking_again(make_session: MakeSession) -> None:
    rows = [
        logprob('{"tone":"', 1.0),
        logprob("calm", 0.6, glad=0.3, cross=0.1),
        logprob('","loud":', 1.0),
        logprob("true", 0.75, false=0.25),
        logprob(',"words":"x"}', 1.0),
    ]
    pieces = [
        event(
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {"content": one["token"]},
                        "logprobs": {"content": [one], "refusal": None},
                    }
                ]
            }
        )
        for one in rows
    ]
    service = Service(Reply([*pieces, b"data: [DONE]\n\n"]))
    turn = make_session(service, model="a-text-model", voice=None).say(
        "Hi.", schema=Mood, voice=None, logprobs=True, top_logprobs=3
    )
    found = turn.confidence(samples=50)
    assert (found.by, found.cost.usd, len(service.asked)) == ("logprobs", 0.0, 1)
    assert found["tone"].p == pytest.approx(0.6) and found["loud"].p == pytest.approx(0.75)
    assert [one.value for one in found["tone"].weights] == ["calm", "glad", "cross"]


class Free(pydantic.BaseModel):
    words: str


def test_a_turn_without_an_object_or_a_choice_says_so(make_session: MakeSession) -> None:
    session: Session = make_session(Service(called("calm")))
    with pytest.raises(UsageError, match="none was asked for by schema="):
        session.say("Hi.").confidence(samples=2)
    with pytest.raises(UsageError, match="gave no object"):
        session.say("Hi.", schema={"title": "Other", "type": "object", "properties": {
            "a": {"type": "boolean"}}}).confidence(samples=2)  # fmt: skip
    arguments = {"name": "Free", "arguments": '{"words": "x"}'}
    delta = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": arguments}]}
    free = Reply([event({"choices": [{"index": 0, "delta": delta}]}), b"data: [DONE]\n\n"])
    with pytest.raises(UsageError, match="Free has no choice in it"):
        make_session(Service(free)).say("Hi.", schema=Free).confidence(samples=2)


@pytest.mark.parametrize("samples", [0, -1, 1.5, True, 10_000])
def test_a_number_of_samples_that_cannot_be_is_refused(
    make_session: MakeSession, samples: Any
) -> None:
    turn = make_session(Service(called("calm"))).say("Hi.", schema=Mood)
    with pytest.raises(UsageError, match="expected a whole number from 1 to 1000"):
        turn.confidence(samples=samples)


# While it comes


async def test_an_object_is_there_as_far_as_it_has_come(make_session: MakeSession) -> None:
    hold = Hold()
    begin = {"index": 0, "id": "c", "type": "function"}
    first = {**begin, "function": {"name": "Mood", "arguments": '{"tone": "calm", "wor'}}
    rest = {"index": 0, "function": {"arguments": 'ds": "Hello", "loud": false}'}}
    pieces = [
        event({"choices": [{"index": 0, "delta": {"tool_calls": [one]}}]}) for one in (first, rest)
    ]
    service = Service(Reply([pieces[0], hold, pieces[1], b"data: [DONE]\n\n"]))
    session = make_session(service)
    turn = session.start_turn("Hi.", overrides={"schema": Mood})
    await asyncio.to_thread(hold.wait_until_reached)
    assert turn.partial == {"tone": "calm"} and turn.parsed is None
    hold.release()
    await session.await_turn(turn)
    assert turn.partial == {"tone": "calm", "words": "Hello", "loud": False}
    assert turn.parsed == Mood(tone="calm", words="Hello", loud=False)


def test_a_turn_that_was_asked_for_no_object_has_none(make_session: MakeSession) -> None:
    assert make_session(Service(called("calm"))).say("Hi.").partial is None
