"""What a session costs, what its next turn may cost, and the budget that holds it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Sequence

import pytest

import cellvoice as cv
from cellvoice.audio import Clip
from cellvoice.errors import BudgetExceeded, UsageError
from cellvoice.protocol import Prices
from cellvoice.session import Cost, Session

from .conftest import MakeSession
from .rig import (
    SHORTEST_EXPIRES_AT,
    Hold,
    Piece,
    Reply,
    Service,
    event,
    events_of,
    recorded,
    speech,
)

MILLION = 1_000_000
EXPIRES_AT = SHORTEST_EXPIRES_AT
OWN = Prices(text_in_usd=1, text_out_usd=2, audio_in_usd=3, audio_out_usd=4)


def answered(sound_tokens: int, *, text: str = "Hello", audio_id: str = "audio_1") -> Reply:
    """A spoken reply that says what it used."""
    spoken = speech(audio_id, text, EXPIRES_AT, sound_tokens / 20)
    usage = {
        "prompt_tokens": 18,
        "completion_tokens": sound_tokens + 5,
        "total_tokens": 23 + sound_tokens,
        "prompt_tokens_details": {"audio_tokens": 0, "text_tokens": 18},
        "completion_tokens_details": {"audio_tokens": sound_tokens, "text_tokens": 5},
    }
    *deltas, done = spoken.pieces
    return Reply([*deltas, event({"choices": [], "usage": usage}), done])


def charged(usd: float) -> Reply:
    used = b'"usage":{"prompt_tokens":18'
    told = f'"usage":{{"cost":{usd},"prompt_tokens":18'.encode()
    return Reply([part.replace(used, told) for part in events_of()])


def sound(seconds: float) -> Clip:
    return Clip.from_pcm16(bytes(int(2 * 24_000 * seconds)))


def test_a_cost_tells_its_parts_per_turn_and_in_sum(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    parts = session.say("Say hello.").cost.parts
    assert [part.tokens for part in parts] == [18, 0, 0, 5, 11]
    assert parts.text_in.usd == pytest.approx(18 * 2.5 / MILLION)
    assert parts.audio_out.usd == pytest.approx(11 * 64 / MILLION)
    session.say("Again.")
    total = session.cost
    assert total.parts.audio_out == (22, pytest.approx(22 * 64 / MILLION))
    assert total.parts.usd == pytest.approx(float(total))


def test_a_cost_is_copied_with_its_parts(make_session: MakeSession) -> None:
    cost = make_session(Service(recorded())).say("Say hello.").cost
    for twin in (copy.copy(cost), pickle.loads(pickle.dumps(cost))):
        assert twin == cost and twin.parts == cost.parts and isinstance(twin, Cost)


def test_what_the_server_charged_is_the_cost(make_session: MakeSession) -> None:
    session = make_session(Service(charged(0.0123)))
    cost = session.say("Say hello.").cost
    assert float(cost) == 0.0123 and not cost.estimated and cost.note is None
    # In sum only: what of it was sound, the server does not say.
    assert cost.parts.audio_out == (11, None) and cost.parts.usd is None
    assert float(session.cost) == 0.0123


def test_own_prices_hold_for_a_session(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), prices={"gpt-audio-1.5": OWN})
    assert float(session.say("Say hello.").cost) == pytest.approx((18 + 11 * 4 + 5 * 2) / MILLION)
    with pytest.raises(UsageError, match="prices="):
        make_session(Service(recorded()), prices="cheap")


def test_azure_has_prices_of_its_own() -> None:
    at = "https://name.openai.azure.com/openai/v1"
    session = Session(base_url=at, api_key="not-a-real-key", journal=False)
    prices = session.prices.for_model("gpt-audio")
    assert prices is not None and prices.audio_out_usd == 80
    session.close()


def test_without_usage_the_replayed_history_is_in_the_estimate(make_session: MakeSession) -> None:
    session = make_session(Service(answered(93, text="x" * 128), speech(sound_s=1.0)))
    session.say("Say hello.")
    cost = session.say(sound(3.3)).cost
    # 33 of this question; 93 of the answer before it, as it was made.
    assert cost.parts.audio_in.tokens == 33 + 93
    assert cost.estimated and "93 of them earlier answers" in (cost.note or "")


def test_an_estimate_sends_nothing_and_leaves_no_trace(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service)
    estimate = session.estimate("Say the exact word 'hello' and nothing else.")
    assert (service.asked, session.turns) == ([], ())
    assert (estimate.input_tokens, estimate.history_tokens) == (18, 0)
    assert estimate.input_usd == pytest.approx(18 * 2.5 / MILLION)
    assert estimate.answer_usd_per_s == pytest.approx(0.00128)
    assert estimate.answer_basis == "assumed to be 30 s"
    assert estimate.answer_usd == pytest.approx((600 * 64 + 180 * 10) / MILLION)
    assert session.say("Say hello.").id.endswith("-1")


def test_an_estimate_counts_sound_history_and_what_is_replayed(make_session: MakeSession) -> None:
    session = make_session(Service(answered(93, text="x" * 128)))
    session.say(["What is this?", sound(6.96)])
    estimate = session.estimate(sound(3.3))
    assert estimate.question_audio_tokens == 33
    # 69 of the earlier question, 93 of its answer.
    assert estimate.audio_tokens == 33 + 69 + 93
    assert estimate.replayed_audio_tokens == 93
    assert estimate.replayed_audio_usd == pytest.approx(93 * 32 / MILLION)
    history_text = (4 + 4) + (4 + 32)
    expected = ((69 + 93) * 32 + history_text * 2.5) / MILLION
    assert estimate.history_usd == pytest.approx(expected)
    price = session.history_cost()["now"]
    assert (price.tokens, price.cost) == (69 + 93 + history_text, pytest.approx(expected))


def test_an_estimate_says_what_it_takes_the_answer_to_be(make_session: MakeSession) -> None:
    session = make_session(Service(answered(93)))
    limited = session.estimate("Hello.", max_completion_tokens=200)
    assert (limited.answer_audio_tokens, limited.answer_basis) == (
        200,
        "all of max_completion_tokens=200",
    )
    twice = session.estimate("Hello.", max_completion_tokens=200, n=2)
    assert twice.answer_audio_tokens == 400 and "each of 2" in twice.answer_basis
    written = session.estimate(sound(1), voice=None)
    assert (written.answer_audio_tokens, written.answer_text_tokens) == (0, 300)
    session.say("Hello.")
    assert session.estimate("Hello.").answer_basis == "assumed to be 4.7 s as those before"


def test_an_estimate_is_shown_with_its_basis_and_no_script(make_session: MakeSession) -> None:
    estimate = make_session(Service(recorded())).estimate("Say hello.")
    assert "of it history" in repr(estimate) and "30 s" in repr(estimate)
    page = estimate._repr_html_()
    assert "2026-11-22" in page and "of it history" in page and "<script" not in page


def test_an_estimate_refuses_what_say_refuses(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    with pytest.raises(UsageError, match="temperature"):
        session.estimate("Hello.", temperature=9)
    with pytest.raises(UsageError):
        session.estimate("")


def test_an_estimate_without_a_price_tells_tokens(make_session: MakeSession) -> None:
    estimate = make_session(Service(recorded()), model="some-model").estimate("Say hello.")
    assert estimate.input_tokens == 10
    assert (estimate.usd, estimate.input_usd, estimate.answer_usd_per_s) == (None, None, None)
    assert estimate.history_usd == 0.0  # there is none, whatever it would cost
    assert "some-model" in repr(estimate) and "unknown" in estimate._repr_html_()


# The budget


def test_a_turn_that_would_cross_the_budget_is_not_sent(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service, budget=0.05)
    session.say("Say hello.", max_completion_tokens=100)
    with pytest.raises(BudgetExceeded) as caught:
        session.say("Tell me all.", max_completion_tokens=1000)
    error = caught.value
    assert len(service.asked) == len(session.turns) == 1
    assert (error.budget_usd, error.spent_usd) == (0.05, pytest.approx(float(session.cost)))
    assert error.over_usd == pytest.approx(error.spent_usd + error.estimated_usd - 0.05)
    assert f"by ${error.over_usd:.4f}" in str(error)
    assert "max_completion_tokens=1000" in str(error) and "session.budget" in str(error)
    assert error.turn is None


def test_what_remains_is_the_budget_without_what_was_spent(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), budget=1)
    assert session.remaining_usd == 1.0
    session.say("Say hello.")
    assert session.remaining_usd == pytest.approx(1 - float(session.cost))
    session.budget = 0
    assert session.remaining_usd == 0.0
    session.budget = None
    assert session.remaining_usd is None
    session.say("Again.")


def test_a_turn_that_turns_out_dearer_is_kept_and_the_next_refused(
    make_session: MakeSession,
) -> None:
    session = make_session(Service(answered(2000)), budget=0.06, guard=False)
    turn = session.say("Tell me all.")
    assert turn.finish == "complete" and float(turn.cost) > 0.06
    with pytest.raises(BudgetExceeded):
        session.say("Hello.", max_completion_tokens=1)
    session.budget = 1.0
    session.say("Hello.", max_completion_tokens=1)


def test_turns_that_wait_hold_what_they_may_cost(make_session: MakeSession) -> None:
    hold = Hold()
    events: Sequence[Piece] = events_of()
    session = make_session(Service(Reply([events[0], hold, *events[1:]])), budget=0.05)
    first = session.start_turn("One.", overrides={"max_completion_tokens": 500})
    hold.wait_until_reached()
    assert session.remaining_usd == pytest.approx(0.05 - 0.032, abs=1e-4)
    with pytest.raises(BudgetExceeded):
        session.start_turn("Two.", overrides={"max_completion_tokens": 500})
    hold.release()
    assert first.wait(10)
    assert session.start_turn("Two.", overrides={"max_completion_tokens": 500}).wait(10)


def test_a_turn_in_the_queue_is_refused_when_those_before_it_ran_over(
    make_session: MakeSession,
) -> None:
    hold = Hold()
    dear = answered(2000)
    service = Service(Reply([dear.pieces[0], hold, *dear.pieces[1:]]))
    session = make_session(service, budget=0.1, guard=False)
    session.start_turn("One.", overrides={"max_completion_tokens": 500})
    second = session.start_turn("Two.", overrides={"max_completion_tokens": 500})
    hold.wait_until_reached()
    hold.release()
    assert second.wait(10)
    assert second.finish == "failed" and isinstance(second.error, BudgetExceeded)
    assert second.error.turn is second and float(second.cost) == 0.0
    assert len(service.asked) == 1


def test_a_turn_in_the_queue_is_not_refused_for_those_after_it(
    make_session: MakeSession,
) -> None:
    hold = Hold()
    dear = answered(1000)
    held = Reply([dear.pieces[0], hold, *dear.pieces[1:]])
    session = make_session(Service(held, recorded()), budget=0.14, guard=False)
    overrides = {"max_completion_tokens": 600}
    turns = [session.start_turn(said, overrides=overrides) for said in ("One.", "Two.", "Three.")]
    hold.wait_until_reached()
    hold.release()
    assert all(turn.wait(10) for turn in turns)
    # The first ran over by $0.026; the second is sent, and costs little, so the third is, too.
    assert [turn.error for turn in turns] == [None, None, None]


@pytest.mark.parametrize("budget", [-1, "5", float("nan"), True])
def test_a_budget_that_is_no_sum_is_refused(make_session: MakeSession, budget: object) -> None:
    with pytest.raises(UsageError, match="budget="):
        make_session(Service(recorded()), budget=budget)
    session = make_session(Service(recorded()))
    with pytest.raises(UsageError, match="budget="):
        session.budget = budget  # type: ignore[assignment]


def test_a_budget_needs_a_price(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), model="some-model", budget=1)
    with pytest.raises(UsageError, match="prices="):
        session.say("Hello.")
    priced = make_session(Service(recorded()), model="some-model", budget=1, prices=OWN)
    priced.say("Hello.")


def test_the_embedded_engine_costs_nothing_and_trips_no_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    session = Session(budget=0, journal=False, prices={"gpt-audio": OWN})
    estimate = session.estimate("Hello.")
    assert estimate.usd == 0.0 and "costs nothing" in estimate._repr_html_()
    turn = session.pending_turn()
    session._asking.fill(turn, "Hello.")  # what `say` does before anything is sent
    assert session.remaining_usd == 0.0
    session.close()


def test_the_error_is_copied_whole(make_session: MakeSession) -> None:
    error = BudgetExceeded("no", budget_usd=1, spent_usd=0.9, estimated_usd=0.2, over_usd=0.1)
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.args, twin.over_usd, twin.budget_usd) == (error.args, 0.1, 1)
    assert issubclass(cv.BudgetExceeded, cv.UsageError)


def test_the_answer_that_is_replayed_is_sent_by_its_id(make_session: MakeSession) -> None:
    service = Service(answered(40))
    session = make_session(service)
    session.say("One.")
    session.say("Two.")
    assert service.asked[1].body["messages"][1] == json.loads(
        '{"role": "assistant", "audio": {"id": "audio_1"}}'
    )
