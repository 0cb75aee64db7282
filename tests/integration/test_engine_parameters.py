"""What a session can set, on the embedded engine: nothing is refused, and everything acts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cellvoice.session import Session

MULTIPLY: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "multiply",
        "description": "Multiply two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
    },
}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(journal=tmp_path, temperature=0) as session:
        yield session


def test_a_spoken_answer_has_the_probability_of_each_token(session: Session) -> None:
    turn = session.say("What is the capital of France?", top_logprobs=3)
    rows = turn.reply.logprobs
    assert rows is not None
    assert "".join(row["token"] for row in rows.content) == turn.text
    assert all(math.exp(row["logprob"]) <= 1 for row in rows.content)
    assert all(len(row["top_logprobs"]) == 3 for row in rows.content)
    assert turn.clip is not None


def test_words_in_logit_bias_are_words_of_the_engine(session: Session) -> None:
    assert "Paris" in session.say("What is the capital of France?").text
    again = session.say("What is the capital of France?", logit_bias={" Paris": -100})
    assert "Paris" not in again.text


def test_a_schema_is_parsed(session: Session) -> None:
    schema = {
        "type": "object",
        "title": "Capital",
        "properties": {"city": {"type": "string"}, "country": {"type": "string"}},
    }
    turn = session.say("What is the capital of France?", schema=schema)
    assert turn.parsed == {"city": "Paris", "country": "France"}


def test_several_choices_and_penalties_are_taken(session: Session) -> None:
    turn = session.say(
        "Who are you?", n=3, temperature=1.2, seed=3, frequency_penalty=0.5, presence_penalty=0.5
    )
    assert len(turn.choices) == 3
    assert len({choice.text for choice in turn.choices}) > 1


def test_a_tool_is_called_with_the_numbers_of_the_question(session: Session) -> None:
    turn = session.say("What is 17 times 23?", tools=[MULTIPLY])
    [call] = turn.reply.tool_calls
    assert (call.name, call.arguments) == ("multiply", '{"a":17,"b":23}')
