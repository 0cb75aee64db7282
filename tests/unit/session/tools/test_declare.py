"""From a function to a tool: its name, words and schema, and what a call is run with."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime
import enum
import functools
import json
import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import jsonschema
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellvoice.errors import UsageError
from cellvoice.session import ToolContext
from cellvoice.session.tools.declare import (
    Tool,
    ToolArgumentsError,
    described_tool,
    tool_of,
    tools_from,
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Place:
    street: str
    number: int = 1


class Guest(TypedDict):
    name: str
    age: NotRequired[int]


class Group(TypedDict, total=False):
    head: Guest | None
    rest: Annotated[list[Guest], "The others."]


class Person(pydantic.BaseModel):
    name: str
    age: int = 30


class Booking(pydantic.BaseModel):
    guests: list[Person]
    place: Place | None = None


def weather(city: str, unit: Literal["C", "F"] = "C") -> dict[str, object]:
    """Current weather.

    Measured, not forecast.

    Args:
        city: The city, with its
            country.
        unit: Of the temperature.

    Returns:
        Numbers.
    """
    return {"city": city, "unit": unit}


async def book(booking: Booking, colour: Colour = Colour.RED) -> Booking:
    """Book it."""
    assert isinstance(colour, Colour)
    return booking


def parameters(function: object) -> dict[str, Any]:
    found = tool_of(function).definition()["function"]
    assert isinstance(found, dict)
    return dict(found["parameters"])


def properties(function: object) -> dict[str, Any]:
    return dict(parameters(function)["properties"])


async def called(function: object, **arguments: object) -> object:
    tool = tool_of(function)
    return await tool.call(tool.validated(json.loads(json.dumps(arguments))), None)


# What is sent


def test_a_function_becomes_a_tool_in_the_service_s_form() -> None:
    assert tool_of(weather).definition() == {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Current weather.\n\nMeasured, not forecast.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "The city, with its country."},
                    "unit": {
                        "description": 'Of the temperature. null means "C"',
                        "anyOf": [{"type": "string", "enum": ["C", "F"]}, {"type": "null"}],
                    },
                },
                "required": ["city", "unit"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }


def test_for_a_model_that_may_not_know_strict_the_word_is_left_out() -> None:
    told: Any = tool_of(weather).definition(strict=False)
    assert "strict" not in told["function"]


def numpy_style(city: str, days: int = 1) -> None:
    """Forecast.

    Parameters
    ----------
    city : str
        The city.
    days : int, optional
        How many days,
        at most ten.
    """


def rest_style(city: str, days: int = 1) -> None:
    """Forecast.

    :param city: The city.
    :param int days: How many days,
        at most ten.
    """


def google_style(city: str, days: int = 1) -> None:
    """Forecast.

    Args:
        city (str): The city.
        days (int): How many days,
            at most ten.
    """


@pytest.mark.parametrize("function", [google_style, numpy_style, rest_style])
def test_each_style_of_docstring_tells_its_parameters(
    function: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    assert tool_of(function).description == "Forecast."
    found = properties(function)
    assert found["city"]["description"] == "The city."
    assert found["days"]["description"] == "How many days, at most ten. null means 1"
    assert caplog.records == []  # griffe has opinions about docstrings


@given(
    st.lists(
        st.sampled_from(
            [
                "Args:",
                "Parameters",
                "----------",
                ":param city: x",
                "    city: x",
                "city : str",
                "",
                ":param",
                ":type city:",
                "Args",
                "Returns:",
                "    :",
                "    city (",
                "    x (int",
            ]
        ),
        max_size=8,
    ).map("\n".join)
)
@settings(deadline=None)
def test_no_docstring_is_too_odd(docstring: str) -> None:
    def odd(city: str) -> None: ...

    odd.__doc__ = docstring
    found = tool_of(odd)
    assert found.strict and isinstance(found.description, str)


def test_annotated_words_count_before_the_docstring_s() -> None:
    def measure(
        city: Annotated[str, "A city."],
        days: Annotated[int, pydantic.Field(description="Days.", ge=1, le=9)],
        unit: str,
    ) -> None:
        """Measure.

        Args:
            city: Not this.
            unit: This.
        """

    found = properties(measure)
    assert found["city"] == {"type": "string", "description": "A city."}
    assert found["days"] == {
        "type": "integer", "description": "Days.", "minimum": 1, "maximum": 9,
    }  # fmt: skip
    assert found["unit"]["description"] == "This."


def test_a_type_that_only_the_docstring_tells_counts_if_it_is_a_plain_one() -> None:
    def old(city, days=1, what=None):  # type: ignore[no-untyped-def]
        """Forecast.

        Args:
            city (str): The city.
            days (int, optional): How many.
            what (Something): Anything.
        """

    found = properties(old)
    assert found["city"]["type"] == "string" and found["days"]["type"] == "integer"
    assert "type" not in found["what"]
    assert tool_of(old).why_not_strict == "old.what: it may be anything, expected a type for it"


def test_all_kinds_of_types_are_said() -> None:
    def everything(
        when: datetime.date,
        colour: Colour,
        booking: Booking,
        guest: Guest,
        place: Place,
        either: int | list[str],
        level: Literal[1, 2] = 1,
        note: str | None = None,
    ) -> None: ...

    tool = tool_of(everything)
    assert tool.strict
    jsonschema.Draft202012Validator.check_schema(dict(tool.parameters))
    found = properties(everything)
    assert found["when"] == {"type": "string", "format": "date"}
    assert found["either"] == {
        "anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]
    }
    assert found["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert set(parameters(everything)["$defs"]) == {"Booking", "Colour", "Guest", "Person", "Place"}


async def test_a_typed_dict_may_hold_others_at_any_depth() -> None:
    def meet(groups: dict[str, Group], first: Group) -> object:
        return groups, first

    head = {"name": "Ann", "age": None}
    found = await called(meet, groups={"a": {"head": head}}, first={"rest": [head], "head": None})
    assert found == ({"a": {"head": {"name": "Ann"}}}, {"rest": [{"name": "Ann"}], "head": None})
    with pytest.raises(ToolArgumentsError, match="first.rest.0.name: Field required"):
        tool_of(meet).validated({"groups": {}, "first": {"rest": [{}]}})


def test_names_that_mean_something_elsewhere_are_names_like_any_other() -> None:
    def odd(schema: str, json: int, model_config: bool, _private: str = "x") -> dict[str, object]:
        return {"schema": schema, "json": json, "config": model_config, "private": _private}

    told = {"schema": "s", "json": 1, "model_config": True, "_private": "y"}
    expected = {"schema": "s", "json": 1, "config": True, "private": "y"}
    assert asyncio.run(called(odd, **told)) == expected


# What cannot be strict


def free(scores: dict[str, int]) -> None: ...
def pair(both: tuple[int, int]) -> None: ...
def loose(what: Any) -> None: ...
def many(what: list[Any]) -> None: ...
def deep(booking: list[dict[str, int]] | None = None) -> None: ...


class Inner(pydantic.BaseModel):
    scores: dict[str, int]


def inside_of_a_model(inner: Inner) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (free, "free.scores: a mapping with free keys"),
        (pair, "pair.both: a tuple"),
        (loose, "loose.what: it may be anything"),
        (many, "many.what[]: it may be anything"),
        (deep, "deep.booking.anyOf[]: a mapping with free keys"),
        (inside_of_a_model, "Inner.scores: a mapping with free keys"),
    ],
)
def test_what_cannot_be_strict_says_where_and_is_a_tool_all_the_same(
    function: Callable[..., object], why: str
) -> None:
    tool = tool_of(function)
    assert not tool.strict and tool.why_not_strict.startswith(why)
    told: Any = tool.definition()
    assert "strict" not in told["function"]
    assert tool_of(free).validated({"scores": {"a": 1}}) == {"scores": {"a": 1}}


def test_a_pattern_that_looks_around_is_sent_in_no_form_and_checked_all_the_same() -> None:
    """The service refuses the whole request for it, also where nothing is strict."""

    def plain(
        pattern: Annotated[str, pydantic.Field(pattern="^a")], more: dict[str, int]
    ) -> None: ...

    ready = {
        "type": "object",
        "properties": {"pattern": {"type": "string", "pattern": "^(?!x)"}},
        "additionalProperties": {"type": "string", "pattern": "(?<=a)b"},
    }
    tool = described_tool("ready", "", ready, print, writes=False)
    assert not tool.strict and "(?" not in json.dumps(tool.parameters)
    assert properties(plain)["pattern"] == {"type": "string", "pattern": "^a"}
    with pytest.raises(ToolArgumentsError, match="expected the pattern"):
        tool.validated({"pattern": "xyz"})


# What is run


async def test_arguments_come_as_the_function_s_own_types() -> None:
    told = {"guests": [{"name": "Ann", "age": None}], "place": {"street": "A", "number": None}}
    found = await called(book, booking=told, colour="blue")
    assert found == Booking(guests=[Person(name="Ann")], place=Place("A"))


async def test_what_is_null_or_not_given_takes_the_default() -> None:
    assert await called(weather, city="Lyon", unit=None) == {"city": "Lyon", "unit": "C"}
    assert await called(weather, city="Lyon") == {"city": "Lyon", "unit": "C"}


def test_what_does_not_fit_is_told_to_the_model_with_its_place() -> None:
    with pytest.raises(ToolArgumentsError) as caught:
        tool_of(book).validated({"booking": {"guests": [{"name": 7}]}, "colour": "pink", "x": 1})
    text = str(caught.value)
    assert "booking.guests.0.name: Input should be a valid string (given: 7)" in text
    assert "colour: Input should be 'red' or 'blue' (given: 'pink')" in text
    assert "x: Extra inputs are not permitted" in text
    with pytest.raises(ToolArgumentsError, match="city: Field required$"):
        tool_of(weather).validated({})


def test_many_faults_and_long_values_are_cut() -> None:
    def numbers(some: list[int]) -> None: ...

    with pytest.raises(ToolArgumentsError) as caught:
        tool_of(numbers).validated({"some": ["x" * 5_000] * 100})
    assert len(str(caught.value)) < 1_000 and "and 95 more" in str(caught.value)


class Shop:
    """A shop."""

    def __init__(self, name: str) -> None:
        self.name = name

    def buy(self, what: str) -> str:
        """Buy something."""
        return f"{what} from {self.name}"

    @classmethod
    def count(cls, what: str) -> str:
        return f"{cls.__name__} {what}"

    @staticmethod
    def near(city: str) -> str:
        return city


class Adder:
    """Add numbers."""

    def __call__(self, one: int, other: int = 1) -> int:
        return one + other


class Waiter:
    async def __call__(self, what: str) -> str:
        """Wait."""
        await asyncio.sleep(0)
        return what


def places_only(a: int, b: int = 2, /, c: int = 3) -> list[int]:
    return [a, b, c]


def only_places(a: int, b: int = 2, c: int = 3, /) -> list[int]:
    return [a, b, c]


def decorated(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("function", "name", "arguments", "result"),
    [
        (Shop("Ann's").buy, "buy", {"what": "tea"}, "tea from Ann's"),
        (Shop.count, "count", {"what": "tea"}, "Shop tea"),
        (Shop.near, "near", {"city": "Lyon"}, "Lyon"),
        (Adder(), "Adder", {"one": 1}, 2),
        (Waiter(), "Waiter", {"what": "tea"}, "tea"),
        (places_only, "places_only", {"a": 1, "c": 4}, [1, 2, 4]),
        (only_places, "only_places", {"a": 1, "c": 4}, [1, 2, 4]),
        (decorated(weather), "weather", {"city": "A"}, {"city": "A", "unit": "C"}),
        (
            functools.partial(weather, unit="F"),
            "weather",
            {"city": "Lyon"},
            {"city": "Lyon", "unit": "F"},
        ),
        (
            functools.partial(functools.partial(weather, "Lyon")),
            "weather",
            {"unit": "F"},
            {"city": "Lyon", "unit": "F"},
        ),
        (functools.partial(Waiter(), "tea"), "Waiter", {}, "tea"),
    ],
)
async def test_whatever_can_be_called_can_be_a_tool(
    function: object, name: str, arguments: dict[str, object], result: object
) -> None:
    assert tool_of(function).name == name
    assert await called(function, **arguments) == result


def test_what_a_partial_has_bound_is_not_offered_to_the_model() -> None:
    assert list(properties(functools.partial(weather, unit="F"))) == ["city"]
    assert list(properties(functools.partial(weather, "Lyon"))) == ["unit"]
    assert list(properties(Adder())) == ["one", "other"]
    assert tool_of(Adder()).description == "Add numbers."
    assert tool_of(Shop("").buy).description == "Buy something."


async def test_a_sync_tool_runs_in_a_thread_that_sees_the_context_of_the_call() -> None:
    where = contextvars.ContextVar("where", default="nowhere")
    where.set("here")

    def look() -> tuple[str, bool]:
        return where.get(), threading.current_thread() is threading.main_thread()

    assert await called(look) == ("here", False)


async def test_a_sync_function_that_gives_a_coroutine_has_it_awaited() -> None:
    def later(what: str) -> object:
        return Waiter()(what)

    assert await called(later, what="tea") == "tea"


async def test_what_a_tool_raises_is_raised_also_what_a_future_cannot_hold() -> None:
    def fails() -> None:
        raise KeyError("no such city")

    def stops() -> None:
        raise StopIteration

    with pytest.raises(KeyError, match="no such city"):
        await called(fails)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await called(stops)


async def test_being_cancelled_ends_the_wait_for_a_thread_and_a_late_result_hurts_nobody() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        go_on.wait(30)
        return "late"

    task = asyncio.ensure_future(called(slow))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await called(weather, city="Lyon")


async def test_being_cancelled_reaches_a_coroutine() -> None:
    seen: list[str] = []
    begun = asyncio.Event()

    async def waits() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.ensure_future(called(waits))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def test_a_parameter_for_the_context_is_filled_and_not_offered() -> None:
    def look(city: str, context: ToolContext | None = None) -> object:
        return city, context

    def at_first(where: ToolContext, /, city: str) -> object:
        return city, where

    for function, name in [(look, "context"), (at_first, "where")]:
        tool = tool_of(function)
        assert tool.wants_context == name and list(properties(function)) == ["city"]
        context: Any = object()
        assert await tool.call(tool.validated({"city": "Lyon"}), context) == ("Lyon", context)


# What is refused


class Opaque:
    pass


def opaque(city: str, thing: Opaque) -> None: ...
def hidden(*args: object, **kwargs: object) -> None: ...
def unknown(thing: Nothing) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def field_default(city: str = pydantic.Field(description="A city.")) -> None: ...


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (lambda city: city, "a lambda has no name"),
        (Booking, r"Booking is a class, .* use schema=Booking"),
        (7, "a int is nothing that a model can call"),
        (opaque, r"opaque\(thing\): nothing of its type can come out of JSON"),
        (hidden, r"hidden takes \*args.*, \*\*kwargs.*, .* functools.wraps"),
        (unknown, "unknown has a type hint with the name 'Nothing'"),
        (field_default, r"field_default\(city=Field\(…\)\): .* Annotated"),
        (Shop.buy, "Shop.buy takes self: .* such as my_object.buy"),
        ({"name": "weather"}, "a mapping that is no tool"),
        ({"type": "function", "function": {"name": "the weather"}}, "such as 'the_weather'"),
    ],
)
def test_what_no_model_could_call_is_refused_with_the_reason(given: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        tool_of(given)


def test_a_name_is_made_legal() -> None:
    assert tool_of(weather, name="the weather: now!").name == "the_weather_now"
    assert tool_of(weather, name="x" * 99).name == "x" * 64
    with pytest.raises(UsageError, match="has no letter"):
        tool_of(weather, name="…")


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two tools are called 'weather'"):
        tools_from([weather, functools.partial(weather, unit="F")])
    assert [one.name for one in tools_from([weather, tool_of(weather, name="now")])] == [
        "weather",
        "now",
    ]


@pytest.mark.parametrize("given", [weather, "weather", {"type": "function"}])
def test_tools_that_are_no_list_are_refused(given: Any) -> None:
    with pytest.raises(UsageError, match=r"expected a list, such as tools=\[weather\]"):
        tools_from(given)


# Mappings


READY: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


async def test_a_mapping_is_sent_as_it_is_and_describes_a_tool_that_is_run_elsewhere() -> None:
    tool = tool_of(READY)
    assert tool.definition() == READY and not tool.runnable and tool_of(weather).runnable
    assert tool.validated({"city": "Lyon"}) == {"city": "Lyon"}
    with pytest.raises(ToolArgumentsError, match="the arguments.city is integer, expected string"):
        tool.validated({"city": 7})
    with pytest.raises(UsageError, match="can't be run"):
        await tool.call({"city": "Lyon"}, None)


def test_a_tool_is_shown_without_its_machinery() -> None:
    shown = repr(tool_of(weather))
    assert shown.startswith("Tool(name='weather'") and "TypeAdapter" not in shown
    assert isinstance(tool_of(weather), Tool)
