"""What goes wrong on purpose, what is refused as the real model refuses it, and the limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cellvoice.errors import UsageError
from cellvoice.local import LocalTransport
from cellvoice.local.asks import parse_ask
from cellvoice.local.engine import Engine
from cellvoice.local.faults import FAULT_NAMES, Fault, Faults, parse_fault
from cellvoice.local.limits import Limits
from cellvoice.local.refusals import Refusal
from cellvoice.local.service import Answer, Service
from cellvoice.local.streaming import ConnectionCut
from cellvoice.local.strict import check_strict, check_strict_name

Body = Callable[..., bytes]
CHAT = ("POST", "/v1/chat/completions", None)


class SlowTime:
    """A clock and a sleep that know each other."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def error_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.body, bytes)
    error: dict[str, Any] = json.loads(answer.body)["error"]
    return error


async def pieces_of(answer: Answer) -> tuple[list[bytes], bool]:
    """The events that came, and whether the connection was cut."""
    assert not isinstance(answer.body, bytes)
    events: list[bytes] = []
    try:
        async for piece in answer.body:
            events += piece.split(b"\n\n")[:-1]
    except ConnectionCut:
        return events, True
    return events, False


def faulty(engine: Engine, *faults: str) -> Service:
    return Service(engine, api_key=None, faults=[parse_fault(text) for text in faults])


@pytest.mark.parametrize(
    ("name", "status", "kind", "code"),
    [
        ("rate-limit", 429, "tokens", "rate_limit_exceeded"),
        ("quota", 429, "insufficient_quota", "insufficient_quota"),
        ("overloaded", 503, "service_unavailable_error", "server_is_overloaded"),
        ("server-error", 500, "server_error", None),
    ],
)
async def test_a_refusing_fault_has_the_services_body(
    engine: Engine, body: Body, name: str, status: int, kind: str, code: str | None
) -> None:
    answer = await faulty(engine, name).answer(*CHAT, body())
    error = error_of(answer)
    assert (answer.status, error["type"], error["code"], error["param"]) == (
        status,
        kind,
        code,
        None,
    )
    assert error["message"]


async def test_a_rate_limit_passes_after_as_many_requests_as_it_was_told(
    engine: Engine, body: Body
) -> None:
    service = faulty(engine, "rate-limit:2")
    answers = [await service.answer(*CHAT, body(stream=False)) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after-ms"] == "200"
    assert "retry-after-ms" not in answers[2].headers


async def test_other_addresses_have_no_faults(engine: Engine) -> None:
    assert (await faulty(engine, "quota").answer("GET", "/v1/models", None, b"")).status == 200


async def test_a_cut_stream_ends_after_the_pieces_of_sound_it_was_told(
    engine: Engine, body: Body
) -> None:
    events, cut = await pieces_of(await faulty(engine, "cut@2").answer(*CHAT, body()))
    assert cut
    assert sum(b'"data":"' in event for event in events) == 2
    assert b'"data":"' in events[-1]
    assert b"[DONE]" not in events[-1]


async def test_a_cut_written_reply_ends_after_so_many_pieces_of_writing(
    engine: Engine, body: Body
) -> None:
    written = body(modalities=["text"], audio=...)
    events, cut = await pieces_of(await faulty(engine, "cut@2").answer(*CHAT, written))
    assert cut
    texts = [json.loads(event[6:])["choices"][0]["delta"]["content"] for event in events]
    assert len([text for text in texts if text]) == 2


async def test_a_stalled_stream_sends_nothing_more_and_then_breaks(
    engine: Engine, body: Body
) -> None:
    time = SlowTime()
    service = Service(
        engine, api_key=None, faults=[parse_fault("stall")], clock=time, sleep=time.sleep
    )
    events, cut = await pieces_of(await service.answer(*CHAT, body()))
    assert cut
    assert b'"data":"' in events[-1]
    assert time.now >= 3_600


async def test_a_malformed_event_is_followed_by_the_rest(engine: Engine, body: Body) -> None:
    events, cut = await pieces_of(await faulty(engine, "malformed").answer(*CHAT, body()))
    broken = [event for event in events if not is_json(event)]
    assert len(broken) == 1
    assert not cut
    assert events[-1] == b"data: [DONE]"


def is_json(event: bytes) -> bool:
    try:
        json.loads(event.removeprefix(b"data: "))
    except ValueError:
        return event == b"data: [DONE]"
    return True


async def test_an_error_in_the_stream_is_its_last_event_but_one(engine: Engine, body: Body) -> None:
    events, cut = await pieces_of(await faulty(engine, "error@2").answer(*CHAT, body()))
    assert not cut
    assert events[-1] == b"data: [DONE]"
    error = json.loads(events[-2].removeprefix(b"data: "))["error"]
    assert (error["type"], error["param"], error["code"]) == ("server_error", None, None)
    assert sum(b'"data":"' in event for event in events) == 2


async def test_slow_bytes_come_whole_and_no_faster_than_told(engine: Engine, body: Body) -> None:
    time = SlowTime()
    service = Service(
        engine, api_key=None, faults=[parse_fault("slow@50000")], clock=time, sleep=time.sleep
    )
    answer = await service.answer(*CHAT, body())
    assert not isinstance(answer.body, bytes)
    sizes = [len(piece) async for piece in answer.body]
    assert max(sizes) <= 2_500
    assert sum(sizes) <= 50_000 * time.now


async def test_a_fault_may_hit_the_first_stream_only(engine: Engine, body: Body) -> None:
    service = faulty(engine, "cut:1")
    assert (await pieces_of(await service.answer(*CHAT, body())))[1]
    assert not (await pieces_of(await service.answer(*CHAT, body())))[1]


async def test_a_client_in_this_process_sees_a_broken_connection(
    engine: Engine, body: Body
) -> None:
    transport = LocalTransport(engine, faults=[Fault("cut")])
    async with httpx.AsyncClient(transport=transport, base_url="http://engine/v1") as client:
        with pytest.raises(httpx.RemoteProtocolError, match="closed early"):
            await client.post("/chat/completions", content=body())


@pytest.mark.parametrize("text", ["", "cuts", "cut@", "cut:x", "rate-limit:-1", "cut@1@2"])
def test_an_unknown_fault_is_refused_with_the_names(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fault(text)
    assert all(name in str(caught.value) for name in FAULT_NAMES)


def test_faults_are_handed_out_in_their_order() -> None:
    faults = Faults([parse_fault("rate-limit:1"), parse_fault("server-error:1")])
    told = [faults.refusal() for _ in range(3)]
    assert [refusal and refusal.status for refusal in told] == [429, 500, None]
    assert faults.in_stream() is None


def strictly(body: bytes) -> dict[str, Any]:
    parse_ask(body, lambda _: None)  # the engine itself does it
    with pytest.raises(Refusal) as caught:
        parse_ask(body, lambda _: None, strict=True)
    assert caught.value.status == 400
    error: dict[str, Any] = json.loads(caught.value.body())["error"]
    return error


def test_sound_must_be_somewhere_for_the_real_model(body: Body) -> None:
    written = [{"role": "user", "content": "hello"}]
    error = strictly(body(messages=written, modalities=["text"], audio=...))
    assert (error["param"], error["code"]) == ("model", "invalid_value")
    assert error["message"] == (
        "This model requires that either input content or output modality contain audio."
    )
    assert parse_ask(body(messages=written), lambda _: None, strict=True).speaks
    assert not parse_ask(body(modalities=["text"]), lambda _: None, strict=True).speaks


@pytest.mark.parametrize(
    ("given", "param", "code", "starts"),
    [
        ({"logprobs": True}, "logprobs", "unsupported_parameter", "Unsupported parameter: 'log"),
        ({"top_logprobs": 3}, "top_logprobs", "unsupported_parameter", "Unsupported parameter: "),
        (
            {"response_format": {"type": "json_schema"}},
            None,
            None,
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with "
            "this model. Learn more about supported models at the Structured Outputs guide: ",
        ),
    ],
)
def test_the_real_model_gives_no_probabilities_and_no_json(
    given: dict[str, Any], param: str | None, code: str | None, starts: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check_strict(given, has_sound=True)
    error = json.loads(caught.value.body())["error"]
    assert (error["param"], error["code"]) == (param, code)
    assert error["message"].startswith(starts)


def test_asking_the_real_model_for_nothing_special_is_no_reason_to_refuse(body: Body) -> None:
    asked = body(logprobs=False, top_logprobs=None, response_format={"type": "text"})
    parse_ask(asked, lambda _: None, strict=True)


def test_a_model_of_which_nothing_is_known_is_refused_with_the_list() -> None:
    check_strict_name("gpt-audio")
    with pytest.raises(UsageError, match="'gpt-5'.*gpt-audio-mini"):
        check_strict_name("gpt-5")


def test_requests_beyond_the_limit_are_told_when_to_come_again() -> None:
    time = SlowTime()
    limits = Limits(time, requests_per_minute=2)
    limits.take("gpt-audio", 10)
    time.now = 20.5
    limits.take("gpt-audio", 10)
    headers = limits.headers()
    assert headers["x-ratelimit-limit-requests"] == "2"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["x-ratelimit-reset-requests"] == "1m0s"
    with pytest.raises(Refusal, match=r"Limit 2, Used 2, Requested 1\. .* in 39\.5s\.") as caught:
        limits.take("gpt-audio", 10)
    assert caught.value.status == 429
    assert caught.value.headers["retry-after-ms"] == "39500"
    time.now = 60.0
    limits.take("gpt-audio", 10)


def test_a_request_that_can_never_fit_is_told_so() -> None:
    limits = Limits(SlowTime(), tokens_per_minute=100)
    with pytest.raises(Refusal, match="Request too large for gpt-audio") as caught:
        limits.take("gpt-audio", 101)
    assert caught.value.headers == {}
    assert limits.headers()["x-ratelimit-remaining-tokens"] == "100"
    assert limits.headers()["x-ratelimit-reset-tokens"] == "0s"


async def test_the_service_counts_what_it_answers(engine: Engine, body: Body) -> None:
    service = Service(engine, api_key="key", requests_per_minute=1)
    spoken = await service.answer(*CHAT[:2], "Bearer key", body(stream=False))
    assert spoken.status == 200
    assert spoken.headers["x-ratelimit-remaining-requests"] == "0"
    assert int(spoken.headers["x-ratelimit-remaining-tokens"]) == 30_000_000 - 26  # 2.55 s
    assert {"openai-organization", "openai-project"} <= set(spoken.headers)
    refused = await service.answer(*CHAT[:2], "Bearer key", body())
    assert (refused.status, error_of(refused)["type"]) == (429, "requests")
    unknown = await service.answer("GET", "/v1/models", "Bearer other", b"")
    assert not any(name.startswith("x-ratelimit") for name in unknown.headers)
