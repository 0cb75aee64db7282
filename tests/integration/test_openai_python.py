"""openai-python, as it is, against the served engine: what programs for the service do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from cellvoice.local import EngineProcess

MULTIPLY: Any = {
    "type": "function",
    "function": {
        "name": "multiply",
        "description": "Multiply two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
SPOKEN: Any = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}


class Light(BaseModel):
    """What a light is to do."""

    room: str
    on: bool


@pytest.fixture(scope="module")
def client() -> Iterator[openai.OpenAI]:
    process = EngineProcess().start()
    with openai.OpenAI(base_url=process.base_url, api_key=process.api_key, max_retries=0) as client:
        yield client
    process.close()


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def test_an_object_is_parsed_into_its_class(client: openai.OpenAI) -> None:
    told = client.chat.completions.parse(
        model="gpt-audio",
        messages=[user("Turn on the light in the kitchen.")],
        response_format=Light,
        temperature=0,
    )
    assert told.choices[0].message.parsed == Light(room="kitchen", on=True)


@pytest.mark.parametrize("how", [{}, SPOKEN])
def test_a_tool_is_called_and_its_result_is_said(client: openai.OpenAI, how: Any) -> None:
    asked = [user("What is 17 times 23?")]
    first = client.chat.completions.create(
        model="gpt-audio", messages=asked, tools=[MULTIPLY], temperature=0, **how
    )
    assert first.choices[0].finish_reason == "tool_calls"
    (call,) = first.choices[0].message.tool_calls or []
    assert call.type == "function"
    arguments = json.loads(call.function.arguments)
    assert arguments == {"a": 17, "b": 23}
    result = {"role": "tool", "tool_call_id": call.id, "content": str(17 * 23)}
    answered = {"role": "assistant", "tool_calls": [call.model_dump()]}
    second = client.chat.completions.create(
        model="gpt-audio",
        messages=[*asked, answered, result],  # type: ignore[list-item]
        tools=[MULTIPLY],
        temperature=0,
        **how,
    )
    message = second.choices[0].message
    assert "391" in (message.audio.transcript if message.audio else message.content or "")


def test_the_pieces_of_a_streamed_call_join_to_its_arguments(client: openai.OpenAI) -> None:
    stream: Any = client.chat.completions.create(
        model="gpt-audio",
        messages=[user("What is 6 times 7?")],
        tools=[MULTIPLY],
        tool_choice="required",
        stream=True,
        temperature=0,
    )
    name, arguments, finish = "", "", None
    for chunk in stream:
        for choice in chunk.choices or []:
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or []:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    assert (name, json.loads(arguments), finish) == ("multiply", {"a": 6, "b": 7}, "tool_calls")


def test_probabilities_and_choices_come_typed(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="gpt-audio",
        messages=[user("What is the capital of France?")],
        logprobs=True,
        top_logprobs=3,
        n=2,
        seed=7,
    )
    assert [choice.index for choice in reply.choices] == [0, 1]
    for choice in reply.choices:
        assert choice.logprobs is not None
        tokens = choice.logprobs.content or []
        assert "".join(token.token for token in tokens) == choice.message.content
        assert all(token.logprob <= 0 and len(token.top_logprobs) == 3 for token in tokens)


def test_a_written_answer_is_streamed_with_its_end(client: openai.OpenAI) -> None:
    stream: Any = client.chat.completions.create(
        model="gpt-audio", messages=[user("Why is the sky blue?")], stream=True, temperature=0
    )
    chunks = [choice for chunk in stream for choice in chunk.choices or []]
    assert "scatters" in "".join(choice.delta.content or "" for choice in chunks)
    assert chunks[-1].finish_reason == "stop"


def test_a_schema_that_is_not_strict_enough_is_refused_by_name(client: openai.OpenAI) -> None:
    loose = json.loads(json.dumps(MULTIPLY))
    del loose["function"]["parameters"]["additionalProperties"]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="gpt-audio", messages=[user("What is 6 times 7?")], tools=[loose]
        )
    assert caught.value.code == "invalid_function_parameters"
    assert caught.value.param == "tools[0].function.parameters"


def test_one_model_can_be_looked_up(client: openai.OpenAI) -> None:
    assert client.models.retrieve("gpt-audio").id == "gpt-audio"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-0")
