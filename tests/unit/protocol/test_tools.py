"""Tools and the choice among them, in the service's form."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cellvoice.errors import UsageError
from cellvoice.protocol import build_request, check, check_all, user_message

CUSTOM = {"type": "custom", "custom": {"name": "grep", "format": {"type": "text"}}}


def tool(name: object = "weather", **more: object) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def sent(**params: object) -> dict[str, Any]:
    hello = [user_message("Hello.")]
    return build_request(model="a-text-model", messages=hello, params=params).to_dict()


def test_tools_are_sent_as_they_are_and_not_kept_by_reference() -> None:
    tools = [tool(description="Now.", parameters={"type": "object"}, strict=True), CUSTOM]
    kept = copy.deepcopy(tools)
    checked = check("tools", tools)
    tools[0]["function"]["name"] = "changed"
    assert checked == kept


@pytest.mark.parametrize("none", [[], ()])
def test_no_tools_are_not_sent(none: object) -> None:
    assert check_all({"tools": none}) == {}


def weather(city: str) -> str:
    """A Python function, which is not the service's form."""
    return city


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ([weather], "weather is a Python callable, expected the service's form"),
        (weather, "weather is a Python callable, expected the service's form"),
        ([tool("a name")], r"tools\[0\].function.name is 'a name', expected 1 to 64 of A-Z"),
        ([tool(), tool("n" * 65)], r"tools\[1\].function.name"),
        ([tool(None)], r"tools\[0\].function.name is None"),
        ([tool(), tool()], "two tools are called 'weather'"),
        ([tool("grep"), CUSTOM], "two tools are called 'grep'"),
        ([tool(str(n)) for n in range(129)], "129 tools, expected at most 128"),
        ([{"type": "retrieval"}], r"tools\[0\].type is 'retrieval', expected 'function'"),
        ([{"type": "function", "name": "flat"}], r"tools\[0\].function is missing"),
        ([tool(parameters="{}")], "parameters is a str, expected a JSON schema"),
        ([tool(description=7)], "description is a int, expected a text"),
        ([tool(parameters={"a": object()})], "tools: it is no JSON"),
    ],
)
def test_tools_in_another_form_say_where_they_differ(tools: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check("tools", tools)


def test_the_most_tools_that_the_service_takes_are_taken() -> None:
    tools = [tool("n" * 60 + f"{n:04}") for n in range(128)]
    assert check("tools", tools) == tools


@pytest.mark.parametrize(
    ("choice", "form"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ("required", "required"),
        ("weather", {"type": "function", "function": {"name": "weather"}}),
        ("grep", {"type": "custom", "custom": {"name": "grep"}}),
        (tool(), tool()),
        (
            {"type": "custom", "custom": {"name": "grep"}},
            {"type": "custom", "custom": {"name": "grep"}},
        ),
    ],
)
def test_a_choice_is_sent_in_the_service_s_form(choice: object, form: object) -> None:
    assert sent(tools=[tool(), CUSTOM], tool_choice=choice)["tool_choice"] == form


def test_some_tools_may_be_allowed() -> None:
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool()]}}
    assert sent(tools=[tool(), CUSTOM], tool_choice=allowed)["tool_choice"] == allowed


def allowing(mode: str, *tools: object) -> dict[str, object]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [*tools]}}


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ("whether", "names the tool 'whether', expected one of 'weather', 'grep'"),
        (tool("whether"), "names the tool 'whether'"),
        (tool("grep"), "names the tool 'grep'"),  # there, but not as a function
        (allowing("auto", tool("x")), "names the tool 'x'"),
        (allowing("none", tool()), "allowed_tools.mode is 'none', expected 'auto' or 'required'"),
        (allowing("auto"), "allowed_tools.tools is a list, expected a list with a tool in it"),
        ({"type": "allowed_tools"}, "allowed_tools is missing"),
        ({"type": "function", "function": {"name": ""}}, "function.name is ''"),
    ],
)
def test_a_choice_that_cannot_be_says_why(choice: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_all({"tools": [tool(), CUSTOM], "tool_choice": choice})


@pytest.mark.parametrize("params", [{"tool_choice": "auto"}, {"parallel_tool_calls": False}])
def test_what_needs_tools_is_kept_but_not_sent_without_them(params: dict[str, object]) -> None:
    assert check_all(params) == params
    with pytest.raises(UsageError, match="needs tools, and there are none; leave it out"):
        sent(**params)
