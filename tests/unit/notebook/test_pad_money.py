"""What a pad says of money: the same to the page, live and saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellvoice.notebook.pad import pad_state
from cellvoice.protocol import Prices
from cellvoice.session import Session

TESTS = Path(__file__).parents[2]
RECORDED = TESTS / "fixtures/recorded/gpt-audio-1.5.basic.shortest.sse"
CONTRACT: dict[str, Any] = json.loads((TESTS / "contract/pad_money.v1.json").read_text())
EXPIRES_AT_S = 1780697172


def answer(request: httpx.Request) -> httpx.Response:
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=kind, content=RECORDED.read_bytes())


def session_at(seconds_left: float, **settings: Any) -> Session:
    """A session whose first answer can be replayed for so many seconds more."""
    return Session(
        api_key="k",
        transport=httpx.MockTransport(answer),
        journal=False,
        clock=lambda: EXPIRES_AT_S - seconds_left,
        **settings,
    )


def money(session: Session) -> dict[str, Any]:
    state = pad_state(session)
    return {name: state[name] for name in CONTRACT}


def test_after_a_turn_the_pad_knows_what_the_history_costs_and_what_is_left() -> None:
    with session_at(1800, budget=0.5) as session:
        session.say("Say hello.", max_completion_tokens=100)
        told = money(session)
    assert told["price"] == pytest.approx(CONTRACT["price"])
    assert told["cost_usd"] == pytest.approx(CONTRACT["cost_usd"])
    assert told["budget"] == pytest.approx(CONTRACT["budget"])


def test_history_is_cheaper_when_the_sound_can_no_longer_be_replayed() -> None:
    with session_at(1800) as alive, session_at(-1) as gone:
        prices = []
        for session in (alive, gone):
            session.say("Say hello.")
            prices.append(money(session)["price"]["history_usd"])
    assert prices[1] == pytest.approx(prices[0] - 11 * 32 / 1e6)


def test_without_a_budget_none_is_told_and_own_prices_are_shown() -> None:
    own = Prices(text_in_usd=1, text_out_usd=1, audio_in_usd=100, audio_out_usd=100)
    with session_at(1800, prices=own) as session:
        told = money(session)
    assert told["budget"] is None
    assert told["price"]["input_usd_per_s"] == pytest.approx(0.001)
