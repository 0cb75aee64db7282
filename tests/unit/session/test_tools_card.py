"""A turn with tools on its card: the form, the HTML without script, the text, a file of its own."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from cellvoice.render import frozen, html, text

from .conftest import MakeSession
from .rig import Service
from .tool_rig import calls, spoken

SCHEMA = Path(__file__).parents[2] / "contract/turn.v1.schema.json"
KEY = "sk-proj-" + "a1B2" * 12


def weather(city: str) -> str:
    """Current weather."""
    if city == "Atlantis":
        raise ValueError(f"there is no {city} for {KEY}")
    return f"21 degrees in {city}"


def test_calls_and_their_times_are_on_the_card_and_in_the_file(
    make_session: MakeSession, tmp_path: Path
) -> None:
    asked = calls(("weather", '{"city": "Lyon"}'), ("weather", '{"city": "Atlantis"}'))
    turn = make_session(Service(asked, spoken("It is warm."))).say("In Lyon?", tools=[weather])
    form = json.loads(turn.save(tmp_path / "answer.turn.json").read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(form)
    done, failed = form["tool_calls"]
    assert (done["state"], done["arguments"]) == ("done", {"city": "Lyon"})
    assert "21 degrees in Lyon" in done["result"]
    assert failed["state"] == "failed" and "there is no Atlantis" in failed["error"]
    assert {bar["call_id"] for bar in form["trace"] if bar["kind"] == "tool"} == {
        done["id"],
        failed["id"],
    }
    assert KEY not in json.dumps(form)
    page = html(frozen(turn))
    assert "2 tool calls: <bdi>weather</bdi>" in page
    assert "21 degrees in Lyon" in page and KEY not in page
    assert 'Tool weather({"city": "Lyon"}) → ' in text(frozen(turn))
