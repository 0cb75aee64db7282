"""The form of an answer: from the user's types to what is sent, and back to an object."""

from __future__ import annotations

import copy
import enum
import json
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

import jsonschema
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellvoice.errors import UsageError
from cellvoice.protocol import NotAnObject, build_request, check_all, schema_of, user_message


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Leg(pydantic.BaseModel):
    """One leg."""

    start: str = pydantic.Field(description="A city.", min_length=2)
    end: str | None = None
    colour: Colour = Colour.RED


class Booking(pydantic.BaseModel):
    """A trip."""

    legs: list[Leg]
    first: Leg = pydantic.Field(description="The first leg.")
    price: float = pydantic.Field(ge=0)


@dataclass
class Node:
    value: int
    next: Node | None = None


class Weather(TypedDict):
    city: str
    unit: NotRequired[Literal["C", "F"]]


class Rating(msgspec.Struct):
    """How good it was."""

    stars: int
    words: list[str] = []


CITY = {
    "title": "The city!",
    "description": "Where.",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "default": "Lyon"},
        "people": {"type": "integer", "minimum": 0},
    },
    "required": ["name"],
}


# What is sent


def objects_in(schema: object) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for one in schema for found in objects_in(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for one in schema.values() for found in objects_in(one)]


@pytest.mark.parametrize("given_type", [Booking, Node, Weather, Rating, CITY])
def test_every_object_is_closed_and_every_property_required(given_type: object) -> None:
    sent = json.loads(json.dumps(schema_of(given_type).json_schema))
    assert sent["type"] == "object"
    for one in objects_in(sent):
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
    assert "default" not in json.dumps(sent) and "title" not in json.dumps(sent)
    jsonschema.Draft202012Validator.check_schema(sent)


def test_references_have_no_words_beside_them_and_none_is_the_root() -> None:
    sent: Any = schema_of(Booking).json_schema
    assert sent["properties"]["first"] == {
        "description": "The first leg.",
        "anyOf": [{"$ref": "#/$defs/Leg"}],
    }
    assert set(sent["$defs"]) == {"Leg", "Colour"}
    recursive: Any = schema_of(Node).json_schema
    assert recursive["properties"]["next"]["anyOf"][0] == {"$ref": "#/$defs/Node"}
    assert "$defs" not in schema_of(Rating).json_schema


def test_a_model_with_structured_outputs_is_asked_for_them_strictly() -> None:
    sent = build_request(
        model="a-text-model", messages=[user_message("Hi.")], params={"schema": Rating}
    ).to_dict()
    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "Rating",
            "description": "How good it was.",
            "schema": {
                "type": "object",
                "properties": {
                    "stars": {"type": "integer"},
                    "words": {
                        "description": "null means []",
                        "type": ["array", "null"],
                        "items": {"type": "string"},
                    },
                },
                "required": ["stars", "words"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
    assert not {"schema", "tools", "tool_choice"} & set(sent)


TOOL = {"type": "function", "function": {"name": "weather"}}


def asked(model: str = "gpt-audio", **params: object) -> dict[str, Any]:
    return build_request(
        model=model, messages=[user_message("Hi.")], voice="alloy", params=params
    ).to_dict()


def test_a_model_without_them_must_call_a_function_of_that_form() -> None:
    sent = asked(schema=CITY)
    (function,) = sent["tools"]
    assert function["function"]["name"] == "The_city"
    assert function["function"]["description"] == "Where."
    assert function["function"]["parameters"] == schema_of(CITY).json_schema
    assert "strict" not in function["function"]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "The_city"}}
    assert "response_format" not in sent


def test_beside_tools_of_the_user_s_the_model_may_call_one_of_them_first() -> None:
    sent = asked(schema=CITY, tools=[TOOL])
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["weather", "The_city"]
    assert sent["tool_choice"] == "required"
    assert asked(schema=CITY, tools=[TOOL], tool_choice="auto")["tool_choice"] == "auto"


def test_a_choice_that_forbids_the_function_is_refused() -> None:
    with pytest.raises(UsageError, match="tool_choice='none' forbids what schema= needs"):
        asked(schema=CITY, tools=[TOOL], tool_choice="none")
    with pytest.raises(UsageError, match="both called 'weather'"):
        asked(schema={**CITY, "title": "weather"}, tools=[TOOL])


def test_a_checked_schema_stays_what_it_is_and_the_callers_is_left_alone() -> None:
    kept = copy.deepcopy(CITY)
    checked = check_all({"schema": CITY})
    assert check_all(checked) == checked
    assert kept == CITY


def inside(schema: object) -> dict[str, object]:
    return {"type": "object", "properties": {"a": schema}}


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (7, "schema is a int, expected a JSON schema"),
        (int, "schema=int: expected a JSON schema"),
        (Node(1), "schema is a Node, expected"),
        ({"type": "array", "items": {"type": "string"}}, "its root is of type 'array'"),
        ({}, "schema=answer: it may be anything"),
        ({"$ref": "#/$defs/X"}, "there is nothing at #/$defs/X".replace("$", r"\$")),
        (inside({}), "schema=answer.a: it may be anything, expected a type"),
        (inside({"type": "array"}), "schema=answer.a: a list of anything"),
        (inside({"type": "object"}), "schema=answer.a: an object without properties"),
        (
            inside({"type": "object", "additionalProperties": {"type": "string"}}),
            "free keys, .* a list of objects with a key and a value",
        ),
        (inside({"type": "array", "prefixItems": [{"type": "string"}]}), "a tuple, which"),
        (inside({"type": "string", "not": {}}), "'not' is nothing .* by response_format="),
        (inside({"allOf": [{"type": "string"}, {"type": "string"}]}), "'allOf' is nothing"),
        (inside("string"), "schema=answer.a: a str in place of a schema"),
        ({"type": "object", "properties": []}, "a list in place of a mapping"),
        ({"type": "object", "a": object()}, "schema is no JSON"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(schema: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        schema_of(schema)


def test_types_that_cannot_be_said_are_refused_with_their_place() -> None:
    class Loose(pydantic.BaseModel):
        scores: dict[str, int]

    class Pair(msgspec.Struct):
        both: tuple[int, int]

    class Strange(msgspec.Struct):
        what: set[complex] | None

    with pytest.raises(UsageError, match=r"schema=Loose.scores: a mapping with free keys"):
        schema_of(Loose)
    with pytest.raises(UsageError, match=r"schema=Pair.both: a tuple"):
        schema_of(Pair)
    with pytest.raises(UsageError, match="schema=Strange"):
        schema_of(Strange)


def test_what_means_the_same_is_said_in_the_service_s_words() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"oneOf": [{"type": "string"}, {"type": "null"}]},
            "b": {"allOf": [{"$ref": "#/definitions/B"}]},
        },
        "required": ["a", "b"],
        "definitions": {"B": {"type": "integer"}, "unused": {"type": "string"}},
    }
    sent: Any = schema_of(schema).json_schema
    assert sent["properties"]["a"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert sent["properties"]["b"] == {"$ref": "#/$defs/B"}
    assert sent["$defs"] == {"B": {"type": "integer"}}


def many(count: int, one: dict[str, Any]) -> dict[str, Any]:
    properties = {f"p{n}": one for n in range(count)}
    return {"type": "object", "properties": properties, "required": list(properties)}


NULL = {"type": "null"}
HUNDRED = {"enum": [*range(100)]}


def nested(levels: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        inner = {"type": "object", "properties": {"a": inner}, "required": ["a"]}
    return inner


@pytest.mark.parametrize(
    ("fits", "too_much", "words"),
    [
        (
            many(5_000, {"type": "null"}),
            many(5_001, {"type": "null"}),
            "5,001 properties, .* 5,000",
        ),
        (nested(10), nested(11), "11 objects inside each other, expected at most 10"),
        (
            many(10, {"enum": [*range(100)]}),
            many(10, {"enum": [*range(101)]}),
            "1,010 values of en",
        ),
        (
            many(1, {"enum": [f"{n:060}" for n in range(250)]}),
            many(1, {"enum": [f"{n:060}" for n in range(251)]}),
            "15,060 letters in the 251 values of p0, expected at most 15,000",
        ),
        (
            many(1, {"type": "string", "const": "x" * 119_998}),
            many(1, {"type": "string", "const": "x" * 119_999}),
            "120,001 letters in names and values",
        ),
    ],
)
def test_what_is_more_than_the_service_takes_is_refused(
    fits: dict[str, Any], too_much: dict[str, Any], words: str
) -> None:
    assert schema_of(fits).json_schema["type"] == "object"
    with pytest.raises(UsageError, match=f"schema=answer: {words}"):
        schema_of(too_much)


# What is read


def test_a_reply_becomes_an_object_of_the_user_s_class() -> None:
    leg = {"start": "Lyon", "end": None, "colour": "blue"}
    booking = schema_of(Booking).read(json.dumps({"legs": [leg], "first": leg, "price": 9}))
    assert isinstance(booking, Booking) and booking.legs[0].colour is Colour.BLUE
    assert schema_of(Node).read('{"value": 1, "next": {"value": 2, "next": null}}') == Node(
        1, Node(2)
    )
    assert schema_of(Weather).read('{"city": "Lyon", "unit": "C"}') == {"city": "Lyon", "unit": "C"}
    assert schema_of(Rating).read('{"stars": 5, "words": ["good"]}') == Rating(5, ["good"])
    assert schema_of(CITY).read('{"name": "Lyon", "people": 1.0}') == {"name": "Lyon", "people": 1}


@pytest.mark.parametrize("given_type", [Booking, Node, Weather, Rating, CITY])
@pytest.mark.parametrize("text", ["", "Sure!", '{"name": "Ly', "[]", "null", "{}", "7"])
def test_a_reply_that_is_no_such_object_says_so_in_one_line(given_type: object, text: str) -> None:
    with pytest.raises(NotAnObject) as caught:
        schema_of(given_type).read(text)
    assert 0 < len(str(caught.value)) <= 200 and "\n" not in str(caught.value)


def test_a_class_whose_own_check_fails_gives_its_words() -> None:
    class Even(pydantic.BaseModel):
        number: int

        @pydantic.field_validator("number")
        @classmethod
        def even(cls, number: int) -> int:
            if number % 2:
                raise ZeroDivisionError("odd")  # pydantic passes it on as it is
            return number

    with pytest.raises(NotAnObject, match="odd"):
        schema_of(Even).read('{"number": 3}')


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "string", "maxLength": 2}, "abc", "it.a has the length 3"),
        ({"type": "string", "pattern": "^x"}, "abc", "the pattern"),
        ({"type": "integer", "maximum": 2}, 3, "2 or less"),
        ({"type": "integer"}, 1.5, "it.a is number, expected integer"),
        ({"type": "integer"}, True, "it.a is boolean"),
        ({"type": "number", "exclusiveMinimum": 0}, 0, "0 exceeded"),
        ({"type": "number", "multipleOf": 0.1}, 0.25, "a multiple of 0.1"),
        ({"enum": ["a", 1]}, True, "expected one of 'a', 1"),
        ({"const": "a"}, "b", "expected 'a'"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, [], "1 items or more"),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], r"it.a\[1\] is integer"),
        ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, [1, 1], "twice"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "expected string"),
        ({**inside({"type": "string"}), "additionalProperties": False}, {"b": 1}, "'b', which"),
        ({**inside({"type": "string"}), "required": ["a"]}, {}, "it.a has no 'a'"),
    ],
)
def test_a_json_schema_is_held_against_the_reply(
    schema: dict[str, Any], value: object, words: str
) -> None:
    with pytest.raises(NotAnObject, match=words):
        schema_of(inside(schema)).read(json.dumps({"a": value}))


# What need not be given


class Trip(pydantic.BaseModel):
    """One that says little needs few words."""

    start: Leg
    seats: int = 2
    note: str = pydantic.Field("none", description="For the driver.")
    colour: Colour = Colour.RED
    legs: list[Leg] = []
    end: str | None = None


def test_an_optional_property_may_be_null_and_its_default_is_told() -> None:
    sent: Any = schema_of(Trip).json_schema
    properties = sent["properties"]
    assert properties["seats"] == {"description": "null means 2", "type": ["integer", "null"]}
    assert properties["note"] == {
        "description": 'For the driver. null means "none"',
        "type": ["string", "null"],
    }
    assert properties["colour"]["anyOf"] == [{"$ref": "#/$defs/Colour"}, {"type": "null"}]
    assert properties["end"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


def test_a_null_for_what_need_not_be_given_takes_the_default() -> None:
    leg = {"start": "Lyon", "end": None, "colour": None}
    told = {
        "start": leg, "seats": None, "note": None, "colour": None, "legs": [leg], "end": None,
    }  # fmt: skip
    trip = schema_of(Trip).read(json.dumps(told))
    assert trip == Trip(start=Leg(start="Lyon"), legs=[Leg(start="Lyon")])
    assert schema_of(Rating).read('{"stars": 5, "words": null}') == Rating(5)
    assert schema_of(Weather).read('{"city": "Lyon", "unit": null}') == {"city": "Lyon"}
    assert schema_of(CITY).read('{"name": "Lyon", "people": null}') == {"name": "Lyon"}


def test_a_null_that_was_asked_for_stays() -> None:
    either = {
        "anyOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}},
            {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
        ]
    }
    whole = {**inside(either), "required": ["a"]}
    assert schema_of(whole).read('{"a": {"a": null}}') == {"a": {"a": None}}
    with pytest.raises(NotAnObject, match="it.name is null"):
        schema_of(CITY).read('{"name": null, "people": 1}')


def test_patterns_and_formats_that_the_service_refuses_are_checked_on_reading_only() -> None:
    schema = inside({"type": "string", "format": "path", "pattern": "^(?!x)"})
    sent: Any = schema_of({**schema, "required": ["a"]}).json_schema
    assert sent["properties"]["a"] == {"type": "string"}
    with pytest.raises(NotAnObject, match="expected the pattern"):
        schema_of(schema).read('{"a": "x"}')
    kept: Any = schema_of({**inside({"type": "string", "format": "date"}), "required": ["a"]})
    assert kept.json_schema["properties"]["a"]["format"] == "date"


leaves = st.one_of(
    st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(-3, 3)),
    st.builds(lambda high: {"type": "number", "exclusiveMaximum": high}, st.integers(-3, 3)),
    st.builds(lambda most: {"type": "string", "maxLength": most}, st.integers(0, 2)),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"enum": ["a", 1, None]}]),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one, "uniqueItems": True}, inner),
        st.builds(lambda *some: {"anyOf": list(some)}, inner, inner),
        st.builds(
            lambda one, need: {"type": "object", "properties": {"a": one}, "required": need},
            inner,
            st.just(["a"]),
        ),
    ),
    max_leaves=5,
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-4, 4), st.sampled_from(["", "a", "abc", 1.5])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(schemas, values)
def test_the_check_of_replies_agrees_with_a_whole_validator(
    schema: dict[str, Any], value: object
) -> None:
    whole, reply = {**inside(schema), "required": ["a"]}, {"a": value}
    if jsonschema.Draft202012Validator(whole).is_valid(reply):
        assert schema_of(whole).read(json.dumps(reply)) == reply
    else:
        with pytest.raises(NotAnObject):
            schema_of(whole).read(json.dumps(reply))
