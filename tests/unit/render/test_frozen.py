"""The vendor form of a turn, against the contract that the browser's half reads too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from cellvoice.errors import StreamBroken
from cellvoice.protocol import Reply
from cellvoice.render import frozen, html, text

CONTRACT = Path(__file__).parents[2] / "contract"


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    content = json.loads((CONTRACT / "turn.v1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONTRACT / "turn.v1.json").read_text(encoding="utf-8"))
    return found


def test_the_shared_example_follows_the_schema(schema: Any, example: dict[str, Any]) -> None:
    schema.validate(example)


@pytest.mark.parametrize("name", ["turn.v1.full.json", "example.turn.json"])
def test_newer_examples_follow_the_schema_too(schema: Any, name: str) -> None:
    schema.validate(json.loads((CONTRACT / name).read_text(encoding="utf-8")))


def test_a_made_card_follows_the_schema(schema: Any, spoken_turn: Any) -> None:
    schema.validate(frozen(spoken_turn))


def test_a_made_card_has_the_keys_of_the_first_release_at_every_depth(
    example: dict[str, Any], spoken_turn: Any
) -> None:
    made = dict(frozen(spoken_turn))
    for newer in made.keys() - example.keys():
        del made[newer]
    assert shape(made) == shape(example)


def test_the_values_of_the_example_are_made_of_the_same_turn(
    example: dict[str, Any], spoken_turn: Any
) -> None:
    card: dict[str, Any] = dict(frozen(spoken_turn))
    for name in ("version", "id", "number", "session", "state", "asked_at", "model", "voice"):
        assert card[name] == example[name]
    assert card["engine"] == example["engine"]
    assert card["facts"] == example["facts"]
    assert card["input"][1]["heard"] == example["input"][1]["heard"]


def test_a_field_that_nobody_knows_is_refused_by_the_schema(
    schema: Any, example: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        schema.validate({**example, "colour": "red"})


def test_a_turn_that_runs_has_no_sound_and_says_so(schema: Any, make_turn: Any) -> None:
    turn = make_turn(0, text="", finish=None, usage=None, cost_usd=None)
    turn.reply = Reply()
    card = frozen(turn)
    schema.validate(card)
    assert (card["state"], card["reply"]["kind"], card["reply"]["sound"]) == (
        "running",
        "none",
        None,
    )


@pytest.mark.parametrize(
    "finish", ["complete", "stopped", "cut", "length", "filtered", "refused", "failed"]
)
def test_every_way_to_end_has_its_state(finish: str, schema: Any, make_turn: Any) -> None:
    card = frozen(make_turn(finish=finish))
    schema.validate(card)
    assert card["state"] == finish


def test_marks_are_in_the_form_only_where_there_is_something_to_say(
    schema: Any, make_turn: Any
) -> None:
    assert {"stale", "versions"}.isdisjoint(frozen(make_turn()))
    card = frozen(make_turn(stale=True, version=(1, 2)))
    schema.validate(card)
    assert (card["stale"], card["versions"]) == (True, {"k": 1, "of": 2})
    assert "stale" in html(card) and "version 1 of 2" in html(card)
    assert " · stale · version 1 of 2 · " in text(card)


def test_an_answer_in_text_is_no_speech(make_turn: Any) -> None:
    reply = frozen(make_turn(0, text="Paris."))["reply"]
    assert (reply["kind"], reply["text"], reply["sound"]) == ("text", "Paris.", None)


def test_an_error_keeps_its_class_and_loses_keys(make_turn: Any) -> None:
    key = "sk-proj-" + "a1B2" * 12
    card = frozen(make_turn(error=StreamBroken(f"refused with {key}"), finish="cut"))
    assert card["error"] is not None
    assert card["error"]["name"] == "StreamBroken"
    assert key not in json.dumps(card)


def shape(value: Any) -> Any:
    """Keys at every depth; lists by the shapes in them."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner)) for inner in value})
    return None
