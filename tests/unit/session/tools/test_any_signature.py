"""Any signature: what pydantic accepts comes back equal after the way through JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import enum
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

import jsonschema
import msgspec
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from cellvoice.errors import UsageError
from cellvoice.protocol import schema_of
from cellvoice.session.tools.declare import ToolArgumentsError, described_tool, tool_of


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2


class Guest(TypedDict):
    name: str
    age: NotRequired[int]


@dataclass
class Place:
    street: str
    number: int = 1
    near: list[str] = dataclasses.field(default_factory=list)


class Node(pydantic.BaseModel):
    value: int
    note: str = "none"
    next: Node | None = None


class Trip(msgspec.Struct):
    days: int
    note: str | None = "none"
    stops: list[str] = []


# The first example loads pydantic, and a machine may be busy.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(codec="utf-8"), max_size=5)
integers = st.integers(-(2**53), 2**53)


@dataclass(frozen=True)
class Kind:
    """A type and how to make values of it; `wide` is what the strict form can't say."""

    hint: Any
    values: st.SearchStrategy[Any]
    wide: bool = False


guests = st.one_of(
    st.fixed_dictionaries({"name": texts}), st.fixed_dictionaries({"name": texts, "age": integers})
)
places = st.builds(Place, texts, integers, st.lists(texts, max_size=2))
leaf_nodes = st.builds(Node, value=integers, note=texts)
nodes = st.builds(Node, value=integers, next=st.none() | leaf_nodes)
PLAIN = [
    Kind(str, texts),
    Kind(int, integers),
    Kind(bool, st.booleans()),
    Kind(float, st.floats(allow_nan=False, allow_infinity=False)),
    Kind(datetime.date, st.dates()),
    Kind(Colour, st.sampled_from(Colour)),
    Kind(Literal["a", "b", 3], st.sampled_from(["a", "b", 3])),
    Kind(Annotated[int, pydantic.Field(ge=0, le=9)], st.integers(0, 9)),
    Kind(Annotated[str, pydantic.Field(pattern="^x")], texts.map("x".__add__)),
    Kind(Guest, guests),
    Kind(Place, places),
    Kind(Node, nodes),
    Kind(dict[str, int], st.dictionaries(texts, integers, max_size=2), wide=True),
    Kind(tuple[int, str], st.tuples(integers, texts), wide=True),
]


def lists_of(kind: Kind) -> Kind:
    return Kind(list[kind.hint], st.lists(kind.values, max_size=3), kind.wide)


def maybe(kind: Kind) -> Kind:
    return Kind(kind.hint | None, st.none() | kind.values, kind.wide)


def texts_or(kind: Kind) -> Kind:
    # A list beside a text: no JSON of one is read as the other.
    return Kind(str | list[kind.hint], texts | st.lists(kind.values, max_size=2), kind.wide)


kinds = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: st.one_of(inner.map(lists_of), inner.map(maybe), inner.map(texts_or)),
    max_leaves=4,
)
NAMES = ["city", "days", "schema", "_hidden", "model_config", "json", "class_", "ärger"]


@st.composite
def signatures(draw: st.DrawFn) -> tuple[Callable[..., Any], dict[str, Kind], dict[str, Any]]:
    """A function that gives back its arguments, its parameters, and the defaults of some."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    parameters = {name: draw(kinds) for name in names}
    defaults = {name: draw(parameters[name].values) for name in names if draw(st.booleans())}

    def function(**given: object) -> dict[str, object]:
        return {**defaults, **given}

    empty = inspect.Parameter.empty
    kind = inspect.Parameter.KEYWORD_ONLY
    told: Any = function
    told.__signature__ = inspect.Signature(
        [inspect.Parameter(name, kind, default=defaults.get(name, empty)) for name in names]
    )
    function.__annotations__ = {name: one.hint for name, one in parameters.items()}
    return function, parameters, defaults


def as_json(hint: Any, value: object) -> Any:
    """The value as a model would write it that was asked for everything."""
    adapter = pydantic.TypeAdapter(hint)
    return json.loads(adapter.dump_json(adapter.validate_python(value), exclude_defaults=False))


@patiently
@given(signatures(), st.data())
def test_what_pydantic_accepts_comes_back_equal(
    signature: tuple[Callable[..., Any], dict[str, Kind], dict[str, Any]], data: st.DataObject
) -> None:
    function, parameters, defaults = signature
    tool = tool_of(function)
    jsonschema.Draft202012Validator.check_schema(dict(tool.parameters))
    assert tool.strict == (not any(kind.wide for kind in parameters.values()))
    given_names = [name for name in parameters if name not in defaults or data.draw(st.booleans())]
    values = {name: data.draw(parameters[name].values) for name in given_names}
    arguments = {name: as_json(parameters[name].hint, value) for name, value in values.items()}
    assert function(**tool.validated(arguments)) == {**defaults, **values}
    if tool.strict:
        written = filled_in(arguments, tool.parameters, tool.parameters)
        jsonschema.validate(written, dict(tool.parameters))
        # A null that a type takes by itself is a null; any other is what was not given.
        unsaid = {
            name for name in parameters
            if name not in values and takes_null(parameters[name].hint)
        }  # fmt: skip
        expected = {**defaults, **values, **dict.fromkeys(unsaid)}
        assert function(**tool.validated(written)) == expected


def takes_null(hint: Any) -> bool:
    try:
        return pydantic.TypeAdapter(hint).validate_json("null") is None
    except pydantic.ValidationError:
        return False


def filled_in(value: Any, schema: Any, root: Any) -> Any:
    """What a service writes that holds to a strict schema: null for each property left out."""
    if "$ref" in schema:
        return filled_in(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for one in schema.get("anyOf", ()):
        found = filled_in(value, one, root)
        whole = {**one, "$defs": root.get("$defs", {})}
        if jsonschema.Draft202012Validator(whole).is_valid(found):
            return found
    if isinstance(value, list) and "items" in schema:
        return [filled_in(one, schema["items"], root) for one in value]
    if isinstance(value, dict) and "properties" in schema:
        properties = schema["properties"]
        return {
            name: filled_in(value[name], one, root) if name in value else None
            for name, one in properties.items()
        }
    return value


@patiently
@given(st.sampled_from([Guest, Place, Node, Trip]), st.data())
def test_an_answer_comes_back_as_the_object_that_it_was_made_of(
    given_type: Any, data: st.DataObject
) -> None:
    made = {
        Guest: guests,
        Place: places,
        Node: nodes,
        Trip: st.builds(Trip, integers, st.none() | texts, st.lists(texts, max_size=2)),
    }
    value = data.draw(made[given_type])
    schema = schema_of(given_type)
    is_struct = given_type is Trip
    told = msgspec.to_builtins(value) if is_struct else as_json(given_type, value)
    written = filled_in(told, schema.json_schema, schema.json_schema)
    jsonschema.validate(written, dict(schema.json_schema))
    assert schema.read(json.dumps(written)) == value


@patiently
@given(kinds.filter(lambda kind: kind.wide))
def test_what_structured_outputs_cannot_say_is_refused_with_its_place(kind: Kind) -> None:
    made = pydantic.create_model("Answer", thing=(kind.hint, ...))
    with pytest.raises(UsageError, match=r"^schema=Answer\.thing[\w.\[\]]*: (a mapping|a tuple)"):
        schema_of(made)


# Schemas of servers, which may be anything

WORDS = [
    "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "const", "default", "description",
    "enum", "format", "items", "maximum", "minItems", "minLength", "multipleOf", "oneOf",
    "pattern", "prefixItems", "properties", "required", "title", "type", "uniqueItems",
]  # fmt: skip
junk = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "", "a", "(", "object", "string", "#", "#/$defs/a"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*WORDS, "a", "b"]), inner, max_size=4),
    ),
    max_leaves=12,
)


@patiently
@given(st.dictionaries(st.sampled_from(WORDS), junk, max_size=5), st.data())
def test_a_schema_that_makes_no_sense_is_refused_or_taken_and_never_a_crash(
    schema: dict[str, Any], data: st.DataObject
) -> None:
    try:
        tool = described_tool("thing", "", schema, print, writes=False)
    except UsageError:
        with pytest.raises(UsageError):
            schema_of({**schema, "title": "thing"})
        return
    json.dumps(tool.definition())
    arguments = data.draw(st.dictionaries(st.sampled_from("ab"), junk, max_size=2))
    with contextlib.suppress(ToolArgumentsError):
        assert isinstance(tool.validated(arguments), dict)
