"""What is asked again, after which wait, and what never is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cellvoice.client import Retry, RetryPolicy, Timeouts
from cellvoice.errors import (
    BillingError,
    CellvoiceError,
    ConnectionFailed,
    ConnectTimeout,
    RateLimited,
    RequestTooLarge,
    ServiceError,
)
from cellvoice.protocol import ErrorReceived, Request, StreamDone, error_from_response

from .asking import events_of, failure_of
from .conftest import Connect
from .rig import Exchange, serving, text_event

BILLING_CODES = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
)
TOO_LARGE = "Request too large for gpt-audio on tokens per min (TPM): Limit 30000, Requested 41232."


@dataclass
class Waits:
    """A clock that stands still: it writes down how long somebody wanted to sleep."""

    seconds: list[float] = field(default_factory=list)

    async def sleep(self, wait_s: float) -> None:
        self.seconds.append(wait_s)

    def policy(self, max_retries: int = 2, rand: float = 0.0) -> RetryPolicy:
        return RetryPolicy(max_retries, rand=lambda: rand, sleep=self.sleep)


def body_of(**error: object) -> bytes:
    return json.dumps({"error": error}).encode()


def refused(status: int, headers: dict[str, str] | None = None, **error: object) -> CellvoiceError:
    return error_from_response(status, body_of(**error), headers or {})


def wait_after(error: CellvoiceError, attempt: int = 1, **headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RetryPolicy(2, rand=lambda: 0.0).wait_s(attempt, error, named)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_later_is_asked_again(status: int) -> None:
    assert wait_after(refused(status, message="x")) == 0.5


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 415, 422, 302])
def test_what_will_not_pass_is_not(status: int) -> None:
    assert wait_after(refused(status, message="x")) is None


@pytest.mark.parametrize("code", BILLING_CODES)
def test_no_money_is_never_asked_again_whatever_a_header_says(code: str) -> None:
    error = refused(429, message="x", type="insufficient_quota", code=code)
    assert isinstance(error, BillingError)
    assert wait_after(error, x_should_retry="true", retry_after="1") is None


def test_a_request_that_is_too_large_is_never_asked_again() -> None:
    error = refused(429, message=TOO_LARGE, type="tokens", code="rate_limit_exceeded")
    assert isinstance(error, RequestTooLarge)
    assert wait_after(error) is None


@pytest.mark.parametrize(
    ("status", "wanted", "waits"),
    [(400, "true", 0.5), (400, "false", None), (500, "false", None), (500, "perhaps", 0.5)],
)
def test_the_service_s_own_wish_goes_first(status: int, wanted: str, waits: float | None) -> None:
    assert wait_after(refused(status, message="x"), x_should_retry=wanted) == waits


def test_a_connection_that_failed_is_tried_again() -> None:
    assert wait_after(ConnectionFailed("x")) == 0.5
    assert wait_after(ConnectTimeout("x")) == 0.5


def test_each_wait_is_twice_the_last_up_to_eight_seconds_less_a_quarter_by_chance() -> None:
    policy = RetryPolicy(9, rand=lambda: 0.0)
    least = RetryPolicy(9, rand=lambda: 1.0)
    error = refused(500, message="x")
    waits = [policy.wait_s(attempt, error, {}) for attempt in range(1, 11)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, None]
    assert least.wait_s(1, error, {}) == 0.375


def test_slow_down_is_asked_again_slowly() -> None:
    error = refused(429, message="x", type="rate_limit_error", code="slow_down")
    assert [wait_after(error, attempt) for attempt in (1, 2, 3)] == [5.0, 10.0, None]


NOW = datetime(2026, 11, 25, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "message", "told_s"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, "", 9.0),
        ({"retry-after": "0.25"}, "Please try again in 8s.", 0.25),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, "", 30.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=30), usegmt=True)}, "", None),
        ({"retry-after": "0"}, "", None),
        ({"retry-after": "-3"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "inf"}, "", None),
        ({"retry-after": "later"}, "Please try again in 644ms. Visit https://x.", 0.644),
        ({}, "Please try again in 1.2s.", 1.2),
        ({}, "Please try again in 6m0.5s.", 360.5),
        ({}, "Please try again in 1h2m.", 3720.0),
        ({}, "Please retry after 22 seconds.", 22.0),
        ({}, "Retry after 1 minute", 60.0),
        ({}, "try again in 2 days", None),
        ({"x-ratelimit-reset-requests": "50s"}, "", None),
    ],
)
def test_the_service_may_say_how_long_to_wait(
    headers: dict[str, str], message: str, told_s: float | None
) -> None:
    body = body_of(message=f"Rate limit reached. {message}", code="rate_limit_exceeded")
    error = error_from_response(429, body, headers, now_s=NOW.timestamp())
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == (None if told_s is None else pytest.approx(told_s))
    expected = told_s if told_s is not None else 0.5
    policy = RetryPolicy(2, rand=lambda: 0.0)
    waits = policy.wait_s(1, error, headers)
    assert waits == (None if expected > 120 else pytest.approx(expected))


def test_words_about_trying_again_count_only_where_the_limit_is_reached() -> None:
    error = refused(500, message="Please try again in 3s.")
    assert isinstance(error, ServiceError) and error.retry_after_s is None


@pytest.mark.parametrize(
    ("told", "said"), [("121", "2 min"), ("600", "10 min"), ("9000", "2 hours")]
)
def test_a_wait_of_more_than_two_minutes_is_told_in_place_of_waited(told: str, said: str) -> None:
    for status in (429, 503):
        error = refused(status, {"retry-after": told}, message="x")
        assert wait_after(error) is None
        assert f"ask again in {said}" in str(error)


async def test_a_busy_service_is_asked_again_and_each_wait_is_told_at_its_start(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        if len(rig.exchanges) < 3:
            status = ["503 Service Unavailable", "429 Too Many Requests"][len(rig.exchanges) - 1]
            code = ["server_is_overloaded", "rate_limit_exceeded"][len(rig.exchanges) - 1]
            await exchange.answer(status, body_of(message="x", code=code), retry_after_ms="600")
            return
        await exchange.start()
        await exchange.send(text_event("word") + b"data: [DONE]\n\n")
        await exchange.end()

    waits, told = Waits(), list[tuple[Retry, int]]()
    async with serving(script) as rig:
        client = connect(rig.base_url, retry=waits.policy())
        told_so_far = lambda retry: told.append((retry, len(waits.seconds)))  # noqa: E731
        async with client.stream(request_to_speak, on_retry=told_so_far) as stream:
            events = [event async for event in stream]
    assert events[-1] == StreamDone()
    assert waits.seconds == [0.6, 0.6]
    assert [slept for _, slept in told] == [0, 1]
    assert [retry.attempt for retry, _ in told] == [1, 2]
    assert told[1][0].sentence == "the service was busy (429); asking again after 0.6 s"
    assert len({exchange.body for exchange in rig.exchanges}) == 1
    assert rig.connections == 1


async def test_it_gives_up_after_two_more_and_says_what_the_last_one_said(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer(
            "500 Internal Server Error", body_of(message=f"no {len(rig.exchanges)}")
        )

    waits = Waits()
    async with serving(script) as rig:
        error = await failure_of(connect(rig.base_url, retry=waits.policy()), request_to_speak)
    assert waits.seconds == [0.5, 1.0]
    assert "no 3" in str(error)
    assert error.__context__ is None


async def test_a_connection_that_is_lost_without_an_answer_is_asked_again(
    connect: Connect, request_unstreamed: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        if len(rig.exchanges) == 1:
            exchange.cut()
            raise ConnectionError
        await exchange.answer("200 OK", b'{"choices":[]}')

    waits, told = Waits(), list[Retry]()
    async with serving(script) as rig:
        client = connect(rig.base_url, retry=waits.policy())
        async with client.stream(request_unstreamed, on_retry=told.append) as stream:
            assert [event async for event in stream]
    assert [retry.sentence for retry in told] == ["the connection failed; asking again after 0.5 s"]


@pytest.mark.parametrize("first", [b"", text_event("word"), b'data: {"error":{"code":503}}\n\n'])
async def test_nothing_is_asked_again_once_the_reply_has_begun(
    first: bytes, connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        if first:
            await exchange.send(first)
        exchange.cut()
        raise ConnectionError

    waits = Waits()
    async with serving(script) as rig:
        client = connect(rig.base_url, retry=waits.policy())
        if b"error" in first:
            (event,) = await events_of(client, request_to_speak)
            assert isinstance(event, ErrorReceived)
        else:
            await failure_of(client, request_to_speak)
    assert waits.seconds == []
    assert len(rig.exchanges) == 1


async def test_an_answer_that_never_comes_is_not_asked_for_again(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.until_hung_up()

    waits = Waits()
    async with serving(script) as rig:
        client = connect(rig.base_url, retry=waits.policy(), timeout=Timeouts(first_byte_s=0.1))
        await failure_of(client, request_to_speak)
    assert waits.seconds == []


async def test_a_cancel_during_the_wait_ends_at_once(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("503 Service Unavailable", b"{}", retry_after="119")

    waiting = asyncio.Event()
    async with serving(script) as rig, asyncio.timeout(10):
        client = connect(rig.base_url, retry=RetryPolicy())

        async def ask() -> None:
            async with client.stream(request_to_speak, on_retry=lambda _: waiting.set()):
                pass

        task = asyncio.create_task(ask())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(rig.exchanges) == 1


async def test_a_wait_longer_than_what_is_left_of_the_whole_is_not_begun(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("503 Service Unavailable", b"{}", retry_after="30")

    waits = Waits()
    async with serving(script) as rig:
        client = connect(rig.base_url, retry=waits.policy(), timeout=20)
        error = await failure_of(client, request_to_speak)
    assert isinstance(error, ServiceError) and "ask again in 30 s" in str(error)
    assert waits.seconds == []
