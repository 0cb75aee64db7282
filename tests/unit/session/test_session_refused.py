"""A service that refuses a parameter: asked again without it, or told what to do."""

from __future__ import annotations

from typing import Any

import pytest

from cellvoice.errors import ServiceError

from .conftest import MakeSession
from .rig import SHORTEST_AUDIO_ID, Reply, Service, event, recorded, refusal

NOT_SUPPORTED = "Unsupported parameter: '{}' is not supported with this model."


def unsupported(name: str, *, status: int = 400, param: str | None = "") -> Reply:
    """A refusal in the service's words; `param` "" repeats the name, None leaves it to them."""
    said = NOT_SUPPORTED.format(name)
    return refusal(status, message=said, param=name if param == "" else param)


@pytest.mark.parametrize(
    "reply",
    [
        unsupported("logprobs"),
        unsupported("top_logprobs"),
        unsupported("logprobs", param=None),
        unsupported("top_logprobs", param=None),
        unsupported("logprobs", status=403),
        refusal(403, message="You are not allowed to request logprobs from this model"),
        refusal(400, message="logprobs is not supported", param="model"),
    ],
)
def test_probabilities_that_are_refused_are_left_out_together(
    make_session: MakeSession, reply: Reply
) -> None:
    service = Service(reply, recorded())
    turn = make_session(service).say("Hello.", top_logprobs=3, seed=7)
    first, second = (asked.body for asked in service.asked)
    assert (first["logprobs"], first["top_logprobs"]) == (True, 3)
    assert set(first) - set(second) == {"logprobs", "top_logprobs"}
    assert second["seed"] == 7
    assert turn.finish == "complete" and turn.error is None
    assert turn.request is not None and turn.request.to_dict() == second
    (notice,) = [one for one in turn.notices if "asked again" in one]
    assert notice.startswith("asked again without logprobs and top_logprobs: the service refused")


@pytest.mark.parametrize("name", ["seed", "prompt_cache_key"])
@pytest.mark.parametrize("param", ["", None])
def test_what_an_answer_is_honest_without_is_left_out(
    make_session: MakeSession, name: str, param: str | None
) -> None:
    service = Service(unsupported(name, param=param), recorded())
    params: dict[str, Any] = {"seed": 7, "prompt_cache_key": "lesson", "temperature": 0.8}
    turn = make_session(service, **params).say("Hello.")
    assert turn.finish == "complete"
    assert set(service.asked[0].body) - set(service.asked[1].body) == {name}


def test_a_second_parameter_may_be_refused_as_well(make_session: MakeSession) -> None:
    service = Service(unsupported("seed"), unsupported("logprobs"), recorded())
    turn = make_session(service).say("Hello.", seed=7, logprobs=True)
    assert len(service.asked) == 3
    assert not {"seed", "logprobs"} & set(service.asked[2].body)
    assert sum("asked again" in notice for notice in turn.notices) == 2


def test_the_session_keeps_what_was_set(make_session: MakeSession) -> None:
    service = Service(unsupported("seed"), recorded())
    session = make_session(service, seed=7)
    session.say("one")
    session.say("two")
    assert session.parameters == {"seed": 7}
    assert "seed" in service.asked[2].body


def test_a_parameter_that_is_refused_twice_is_the_error(make_session: MakeSession) -> None:
    service = Service(unsupported("seed"), unsupported("seed"))
    session = make_session(service)
    with pytest.raises(ServiceError, match="'seed' is not supported") as caught:
        session.say("Hello.", seed=7)
    assert len(service.asked) == 2
    assert caught.value.turn is session.turns[0] and session.turns[0].finish == "failed"


def test_a_field_of_the_user_s_own_is_never_left_out(make_session: MakeSession) -> None:
    service = Service(unsupported("seed"))
    with pytest.raises(ServiceError, match="leave extra_body out"):
        make_session(service).say("Hello.", extra_body={"seed": 7})
    assert len(service.asked) == 1


def test_nothing_is_asked_again_after_a_byte_of_the_reply(make_session: MakeSession) -> None:
    said = {"message": NOT_SUPPORTED.format("logprobs"), "param": "logprobs", "type": "x"}
    service = Service(Reply([event({"error": said})]))
    with pytest.raises(ServiceError, match="in the middle of the reply"):
        make_session(service).say("Hello.", logprobs=True)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("params", "reply", "advice"),
    [
        (
            {"temperature": 1.5},
            unsupported("temperature"),
            r"leave temperature out \(session.configure\(temperature=None\)",
        ),
        (
            {"response_format": {"type": "json_object"}},
            refusal(
                400,
                message="Invalid parameter: 'response_format' of type 'json_object' is not "
                "supported with this model.",
            ),
            "leave response_format out .*; schema= asks models that can call functions",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "weather"}}]},
            refusal(400, message="Invalid schema", param="tools[0].function.parameters"),
            "leave tools out",
        ),
        (
            {"schema": {"type": "object", "properties": {}}},
            unsupported("tools"),
            "leave schema out",
        ),
        ({"n": 2}, unsupported("n", param=None), "leave n out"),
    ],
)
def test_what_may_not_be_left_out_is_the_error_with_what_to_do(
    make_session: MakeSession, params: dict[str, Any], reply: Reply, advice: str
) -> None:
    service = Service(reply)
    with pytest.raises(ServiceError, match=advice):
        make_session(service).say("Hello.", **params)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        refusal(400, message="The seed of this is elsewhere."),
        refusal(400, message="Invalid 'messages'.", param="messages"),
        refusal(422, message=NOT_SUPPORTED.format("seed"), param="seed"),
        refusal(400, message="Unknown parameter: 'logprobs'.", param="logprobs"),  # not sent
    ],
)
def test_other_refusals_stay_as_they_are(make_session: MakeSession, reply: Reply) -> None:
    service = Service(reply)
    with pytest.raises(ServiceError) as caught:
        make_session(service).say("Hello.", seed=7)
    assert len(service.asked) == 1 and "leave" not in str(caught.value)


def test_a_lost_sound_and_a_refused_parameter_are_both_repaired(make_session: MakeSession) -> None:
    lost = refusal(
        400, message=f"Assistant audio {SHORTEST_AUDIO_ID} not found.", code="audio_not_found"
    )
    service = Service(recorded(), unsupported("seed"), lost, recorded())
    session = make_session(service)
    session.say("one")
    turn = session.say("two", seed=7)
    assert turn.finish == "complete" and len(service.asked) == 4
    last = service.asked[3].body
    assert "seed" not in last and isinstance(last["messages"][1]["content"], str)
