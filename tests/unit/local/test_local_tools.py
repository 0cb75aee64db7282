"""Tools: which are called, with what, and what is said about their results."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cellvoice.local.asks import parse_ask
from cellvoice.local.engine import Engine
from cellvoice.local.numerals import numerals
from cellvoice.local.refusals import Refusal
from cellvoice.local.wire import completion, stream

Json = dict[str, Any]
Ask = Callable[..., Json]
Called = list[tuple[str, Json]]


def function(name: str, description: str = "", **properties: Any) -> Json:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    inner = {"name": name, "description": description, "strict": True}
    return {
        "type": "function",
        "function": {**inner, "parameters": {**schema, "additionalProperties": False}},
    }


NUMBER, TEXT = {"type": "number"}, {"type": "string"}
MULTIPLY = function("multiply", "Multiply two numbers.", a=NUMBER, b=NUMBER)
ADD = function("add", "Add two numbers.", a=NUMBER, b=NUMBER)
WEATHER = function(
    "get_weather",
    "Get the current weather of a city.",
    city=TEXT,
    unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
LAMP = function("set_lamp", "Switch a light.", room=TEXT, state={"enum": ["on", "off"]})
TIMER = function("set_timer", "Start a timer.", minutes={"type": "integer"})
TOOLS = [MULTIPLY, ADD, WEATHER, LAMP, TIMER]


def request(question: str | list[Json], **fields: Any) -> bytes:
    turns = [{"role": "user", "content": question}] if isinstance(question, str) else question
    asked = {"model": "gpt-audio", "messages": turns, "temperature": 0, "tools": TOOLS}
    return json.dumps({k: v for k, v in {**asked, **fields}.items() if v is not ...}).encode()


@pytest.fixture
def choice(engine: Engine) -> Ask:
    def answered(question: str | list[Json], **fields: Any) -> Json:
        ask = parse_ask(request(question, **fields), engine.earlier)
        first: Json = json.loads(completion(engine, ask))["choices"][0]
        return first

    return answered


def calls(choice: Json) -> Called:
    found = choice["message"].get("tool_calls", [])
    assert choice["finish_reason"] == ("tool_calls" if found else "stop")
    assert all(call["id"].startswith("call_") for call in found)
    return [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in found]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what is 17 times 23", [("multiply", {"a": 17, "b": 23})]),
        ("What is 6 * 7?", [("multiply", {"a": 6, "b": 7})]),
        ("please add forty two and seven", [("add", {"a": 42, "b": 7})]),
        ("what is three times three", [("multiply", {"a": 3, "b": 3})]),
        ("what is the weather in Paris?", [("get_weather", {"city": "Paris", "unit": "celsius"})]),
        (
            "the weather in New York in fahrenheit",
            [("get_weather", {"city": "New York", "unit": "fahrenheit"})],
        ),
        ("turn off the light in the kitchen", [("set_lamp", {"room": "kitchen", "state": "off"})]),
        ("set a timer for twenty five minutes", [("set_timer", {"minutes": 25})]),
        (
            "weather in Paris and in London",
            [
                ("get_weather", {"city": "Paris", "unit": "celsius"}),
                ("get_weather", {"city": "London", "unit": "celsius"}),
            ],
        ),
        (
            "what is 3 plus 4, and what is 5 times 6?",
            [("add", {"a": 3, "b": 4}), ("multiply", {"a": 5, "b": 6})],
        ),
        ("hello", []),
        ("what is the capital of france", []),
        ("what is the median", []),
    ],
)
def test_a_question_calls_what_it_asks_for_with_its_own_values(
    choice: Ask, question: str, expected: Called
) -> None:
    assert calls(choice(question)) == expected


@pytest.mark.parametrize("temperature", [0, 0.4, 1.0])
def test_seventeen_times_twenty_three_is_called_and_said(choice: Ask, temperature: float) -> None:
    asked: list[Json] = [{"role": "user", "content": "what is 17 times 23"}]
    first = choice(asked, temperature=temperature, seed=2)
    assert calls(first) == [("multiply", {"a": 17, "b": 23})]
    call_id = first["message"]["tool_calls"][0]["id"]
    result = {"role": "tool", "tool_call_id": call_id, "content": "391"}
    answer = choice([*asked, first["message"], result], temperature=temperature, seed=2)
    assert calls(answer) == []
    assert "391" in answer["message"]["content"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ('{"temperature": 18, "sky": "cloudy"}', "the temperature is 18 and the sky is cloudy"),
        ("Error: no such city", "failed: Error: no such city"),
        ("It is sunny there.", "It is sunny there."),
        ("[1, 2]", "1 and 2"),
        ("", "gave nothing"),
        ("true", "true"),
    ],
)
def test_results_of_any_form_are_said(choice: Ask, result: str, said: str) -> None:
    call = {"id": "call_1", "type": "function"}
    call["function"] = {"name": "get_weather", "arguments": '{"city":"Paris"}'}  # type: ignore[assignment]
    turns = [
        {"role": "user", "content": "the weather in Paris"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]
    assert said in choice(turns)["message"]["content"]


def test_calls_that_may_not_be_made_together_are_made_one_after_the_other(choice: Ask) -> None:
    turns: list[Json] = [{"role": "user", "content": "weather in Paris and in London"}]
    cities = []
    for _ in range(2):
        answer = choice(turns, parallel_tool_calls=False)
        [(_, arguments)] = calls(answer)
        cities.append(arguments["city"])
        call_id = answer["message"]["tool_calls"][0]["id"]
        turns += [answer["message"], {"role": "tool", "tool_call_id": call_id, "content": "18"}]
    assert cities == ["Paris", "London"]
    assert calls(choice(turns, parallel_tool_calls=False)) == []


def named(name: str) -> Json:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("tool_choice", "names"),
    [
        ("none", []),
        ("auto", ["multiply"]),
        ("required", ["multiply"]),
        (named("set_timer"), ["set_timer"]),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named("add")]}}, []),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [named("add"), named("set_timer")]},
            },
            ["add"],
        ),
    ],
)
def test_every_form_of_tool_choice_is_obeyed(
    choice: Ask, tool_choice: object, names: list[str]
) -> None:
    answer = choice("what is 17 times 23", tool_choice=tool_choice)
    assert [name for name, _ in calls(answer)] == names


def test_what_must_be_called_is_called_though_nothing_fits(choice: Ask) -> None:
    [(name, arguments)] = calls(choice("hello", tool_choice="required"))
    tool = next(tool for tool in TOOLS if tool["function"]["name"] == name)
    Draft202012Validator(tool["function"]["parameters"]).validate(arguments)


def test_a_custom_tool_gets_text_of_its_grammar(choice: Ask) -> None:
    form = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "[0-9]+ [+*] [0-9]+"}}
    tool = {"type": "custom", "custom": {"name": "calculate", "format": form}}
    answer = choice("2 + 3", tools=[tool], tool_choice="required")
    [call] = answer["message"]["tool_calls"]
    assert call["custom"] == {"name": "calculate", "input": "2 + 3"}


@pytest.mark.parametrize("spoken", [False, True])
def test_streamed_calls_have_the_shapes_of_the_service(engine: Engine, spoken: bool) -> None:
    fields: Json = {"stream": True, "stream_options": {"include_usage": True}}
    if spoken:
        fields |= {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}
    ask = parse_ask(request("weather in Paris and in London", **fields), engine.earlier)
    lines = b"".join(frame.data for frame in stream(engine, ask)).decode().split("\n\n")
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line[6:7] == "{"]
    deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
    pieces = [piece for delta in deltas for piece in delta.get("tool_calls", [])]
    opened = [piece for piece in pieces if "id" in piece]
    assert [(piece["index"], piece["type"]) for piece in opened] == [
        (0, "function"),
        (1, "function"),
    ]
    assert all(piece["function"] == {"name": "get_weather", "arguments": ""} for piece in opened)
    assert all(set(piece) == {"index", "function"} for piece in pieces if "id" not in piece)
    texts = ["", ""]
    for piece in pieces:
        texts[piece["index"]] += piece["function"]["arguments"]
    assert [json.loads(text)["city"] for text in texts] == ["Paris", "London"]
    assert len(pieces) > 6  # in pieces, not at once
    finished = [e["choices"][0] for e in events if e["choices"]][-1]
    assert (finished["delta"], finished["finish_reason"]) == ({}, "tool_calls")
    assert events[-1]["usage"]["completion_tokens"] > 0
    assert deltas[0]["content"] is None


def test_arguments_that_do_not_fit_the_limit_are_cut(engine: Engine) -> None:
    ask = parse_ask(request("what is 17 times 23", max_completion_tokens=4), engine.earlier)
    reply = json.loads(completion(engine, ask))
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"tools": []}, "tools", "empty array"),
        ({"tools": "multiply"}, "tools", "expected an array"),
        ({"tools": [{"type": "magic"}]}, "tools[0].type", "Supported values"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "Missing"),
        ({"tools": [function("no spaces")]}, "tools[0].function.name", "pattern"),
        ({"tools": ..., "tool_choice": "auto"}, "tool_choice", "only allowed when 'tools'"),
        ({"tools": ..., "parallel_tool_calls": True}, "parallel_tool_calls", "only allowed"),
        ({"tool_choice": "sometimes"}, "tool_choice", "Supported values"),
        ({"tool_choice": named("divide")}, "tool_choice", "is not in 'tools'"),
        ({"tool_choice": 5}, "tool_choice", "a string or an object"),
        (
            {"tools": [function("f", x={"type": "object", "properties": {}})]},
            "tools[0].function.parameters",
            "In context=('properties', 'x'), 'additionalProperties' is required",
        ),
        (
            {"tools": [function("f", x={"not": {}})]},
            "tools[0].function.parameters",
            "'not' is not permitted",
        ),
    ],
)
def test_what_is_wrong_with_tools_is_said(
    engine: Engine, fields: Json, param: str, said: str
) -> None:
    with pytest.raises(Refusal) as caught:
        parse_ask(request("hello", **fields), engine.earlier)
    error = json.loads(caught.value.body())["error"]
    assert error["param"] == param
    assert said in error["message"]


def test_calls_and_results_have_to_belong_to_each_other(engine: Engine) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    user = {"role": "user", "content": "hi"}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "1"}
    parse_ask(request([user, asked, result]), engine.earlier)
    for turns, said in (
        ([user, asked], "did not have response messages: call_1"),
        ([user, asked, user], "did not have response messages: call_1"),
        ([user, result], "must be a response to a preceding message"),
        ([user, asked, result, result], "must be a response to a preceding message"),
    ):
        with pytest.raises(Refusal, match=said):
            parse_ask(request(turns), engine.earlier)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("twenty five", ["25"]),
        ("one hundred and five plus two", ["105", "2"]),
        ("two thousand three hundred and sixty five", ["2365"]),
        ("minus 3.5 degrees, but 5 minus 3", ["-3.5", "5", "3"]),
        ("three point one four", ["3.14"]),
        ("1,250 meters", ["1250"]),
        ("two three", ["2", "3"]),
        ("no number here", []),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(text: str, found: list[str]) -> None:
    assert [number.text for number in numerals(text)] == found
