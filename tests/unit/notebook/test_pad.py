"""What a pad tells its page around the conversation, and what it leaves in the file."""

from __future__ import annotations

import pytest

from cellvoice.notebook.pad import pad_state
from cellvoice.session import Session


def test_the_price_of_a_model_that_nobody_knows_is_unknown_and_not_zero() -> None:
    session = Session("gpt-unheard-of", api_key="k", journal=False)
    assert pad_state(session)["price"] is None


def test_a_known_model_has_its_price_and_the_engine_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = pad_state(Session("gpt-audio", api_key="k", journal=False))["price"]
    assert known == {
        "input_usd_per_s": pytest.approx(0.00032),
        "output_usd_per_s": pytest.approx(0.00128),
    }
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    engine = pad_state(Session("gpt-unheard-of", journal=False))["price"]
    assert engine == {"input_usd_per_s": 0.0, "output_usd_per_s": 0.0}
