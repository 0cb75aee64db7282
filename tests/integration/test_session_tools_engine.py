"""Tools and objects on the embedded engine and real sockets: it decides by itself what to call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from cellvoice.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(journal=tmp_path) as session:
        yield session


def weather(city: str, unit: Literal["C", "F"] = "C") -> dict[str, object]:
    """Current weather in a city.

    Args:
        city: The name of the city.
        unit: Celsius or Fahrenheit.
    """
    return {"city": city, "unit": unit, "degrees": 21}


@dataclass
class Booking:
    """A room."""

    city: str
    nights: int


def test_it_calls_a_tool_and_speaks_of_what_it_gave(session: Session) -> None:
    turn = session.say("What is the weather in Lyon?", tools=[weather])
    (call,) = turn.tool_calls
    assert (call.state, call.arguments["city"]) == ("done", "Lyon")
    assert turn.finish == "complete" and "21" in turn.text
    assert turn.clip is not None and turn.clip.duration_s > 0.5
    assert len(turn.requests) == 2 and float(turn.cost) == 0
    assert [span.kind for span in turn.trace].count("tool") == 1


def test_the_conversation_goes_on_after_a_tool(session: Session) -> None:
    session.say("What is the weather in Lyon?", tools=[weather])
    turn = session.say("Thank you.")
    assert turn.finish == "complete" and turn.text and turn.error is None
    roles = [message["role"] for message in session.history()]
    assert roles == ["user", "assistant", "tool", "assistant", "user", "assistant"]


def test_a_person_decides_about_a_call(session: Session) -> None:
    session.tool(approve="ask")(weather)
    turn = session.say("What is the weather in Lyon?")
    assert not turn.done
    session.pending[0].approve(city="Nice")
    assert "Nice" in session.wait(turn).text


def test_a_forced_object_is_spoken_about(session: Session) -> None:
    turn = session.say("Book a room in Lyon for two nights.", schema=Booking, speak=True)
    assert turn.parsed == Booking("Lyon", 2)
    assert turn.clip is not None and "Lyon" in turn.text and len(turn.requests) == 2
