"""What a person reads when there is no reply: who must act, and never the key."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml

from cellvoice.client import Client, RetryPolicy
from cellvoice.errors import (
    AuthError,
    BillingError,
    CellvoiceError,
    ProtocolError,
    QuotaError,
    ServiceError,
    UsageError,
)
from cellvoice.protocol import ErrorReceived, Request, StreamDone, TextChunk

from .asking import events_of, failure_of
from .conftest import Connect
from .rig import Exchange, serving, text_event

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
KEY = "sk-proj-abcdefghijklmnop1234"


async def refusal(request: Request, status: str, body: bytes, **headers: str) -> CellvoiceError:
    """The error that this answer of a server becomes."""

    async def script(exchange: Exchange) -> None:
        await exchange.answer(status, body, **headers)

    async with serving(script) as rig:
        client = Client(rig.base_url, KEY, retry=RetryPolicy(0))
        with pytest.raises(CellvoiceError) as caught:
            async with client.stream(request):
                pass
        await client.aclose()
    assert KEY not in str(caught.value)
    return caught.value


async def test_a_recorded_wrong_key_says_what_to_do_and_hides_the_key(
    request_to_speak: Request,
) -> None:
    entry = json.loads((RECORDED / "error.401-auth.json").read_text())["Entries"][0]
    body = json.dumps(entry["ResponseBody"]).encode()
    error = await refusal(request_to_speak, "401 Unauthorized", body, x_request_id="req_9")
    assert isinstance(error, AuthError)
    assert (error.status, error.code, error.request_id) == (401, "invalid_api_key", "req_9")
    assert "OPENAI_API_KEY" in str(error)
    assert "not-a-re" not in str(error) and "ized" not in str(error)
    assert "\n" not in str(error)


async def test_a_key_of_any_form_that_the_server_repeats_is_hidden(
    request_to_speak: Request,
) -> None:
    body = json.dumps({"error": {"message": f"the thing {KEY} is bad"}}).encode()
    error = await refusal(request_to_speak, "403 Forbidden", body)
    assert isinstance(error, ServiceError)
    assert "the thing *** is bad" in str(error)


async def test_no_key_says_that_there_is_none(request_to_speak: Request) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("401 Unauthorized", b"{}")

    async with serving(script) as rig:
        client = Client(rig.base_url)
        with pytest.raises(AuthError, match="there is none"):
            async with client.stream(request_to_speak):
                pass
        await client.aclose()
    assert rig.exchanges[0].header("authorization") is None


async def test_a_recorded_unknown_model_names_one_that_is_there(request_to_speak: Request) -> None:
    cassette = yaml.safe_load((RECORDED / "error.404-unknown-model.yaml").read_text())
    body = cassette["interactions"][0]["response"]["body"].encode()
    error = await refusal(request_to_speak, "404 Not Found", body)
    assert isinstance(error, ServiceError)
    assert (error.status, error.code) == (404, "model_not_found")
    assert "gpt-audio-1.5" in str(error)


async def test_a_recorded_wrong_parameter_is_named(request_to_speak: Request) -> None:
    cassette = yaml.safe_load((RECORDED / "error.400-unsupported-parameter.yaml").read_text())
    body = cassette["interactions"][0]["response"]["body"].encode()
    error = await refusal(request_to_speak, "400 Bad Request", body)
    assert isinstance(error, ServiceError)
    assert (error.status, error.code, error.param) == (400, "unsupported_parameter", "max_tokens")
    assert "max_completion_tokens" in str(error)


@pytest.mark.parametrize(
    "code", ["insufficient_quota", "credit_balance_exhausted", "project_spend_limit_exceeded"]
)
async def test_no_money_is_the_account_s_matter(code: str, request_to_speak: Request) -> None:
    error_json = {"message": "You exceeded your quota.", "type": "insufficient_quota", "code": code}
    body = json.dumps({"error": error_json}).encode()
    error = await refusal(request_to_speak, "429 Too Many Requests", body)
    assert isinstance(error, QuotaError)
    assert error.code == code
    assert "credit" in str(error)


async def test_a_rate_limit_says_to_wait(request_to_speak: Request) -> None:
    said = {
        "message": "Please try again in 644ms.",
        "type": "tokens",
        "code": "rate_limit_exceeded",
    }
    body = json.dumps({"error": said}).encode()
    error = await refusal(request_to_speak, "429 Too Many Requests", body)
    assert isinstance(error, QuotaError)
    assert "ask again in 644 ms" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>",
        b"<html><h1>502 Bad Gateway</h1>",
        b"Bad Gateway",
        b'{"error":"Bad Gateway"}',
        b'{"error":{"message":"Bad Gateway","code":502}}',
        b'{"detail":"Bad Gateway"}',
        b'[{"error":{"message":"Bad Gateway"}}]',
    ],
)
async def test_a_failure_may_come_in_any_form(body: bytes, request_to_speak: Request) -> None:
    error = await refusal(request_to_speak, "502 Bad Gateway", body, content_type="text/html")
    assert isinstance(error, ServiceError)
    assert error.status == 502
    assert "Bad Gateway" in str(error)
    assert "<" not in str(error)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"null", b"[]", b"{", b"x" * 500_000])
async def test_a_failure_without_words_is_still_one_sentence(
    body: bytes, request_to_speak: Request
) -> None:
    error = await refusal(request_to_speak, "500 Internal Server Error", body)
    assert isinstance(error, ServiceError)
    assert error.status == 500
    assert len(str(error)) < 1_000


async def test_a_web_page_in_place_of_a_reply_points_at_the_address(
    request_to_speak: Request,
) -> None:
    page = b"<html>Welcome!</html>"
    error = await refusal(request_to_speak, "200 OK", page, content_type="text/html")
    assert isinstance(error, ProtocolError)
    assert "base_url" in str(error)


async def test_a_redirect_is_not_followed(request_to_speak: Request) -> None:
    error = await refusal(request_to_speak, "302 Found", b"", location="http://127.0.0.1:1/")
    assert isinstance(error, ServiceError)
    assert error.status == 302
    assert "base_url" in str(error)


@pytest.mark.parametrize("base_url", ["", "api.openai.com/v1", "ftp://x/v1", "http://", 5, None])
def test_an_address_that_is_none_is_refused(base_url: object) -> None:
    with pytest.raises(UsageError, match=r"base_url=.*https://api\.openai\.com/v1"):
        Client(base_url)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ["me:hidden@x/v1", "x/v1?key=hidden", "x/v1#hidden"])
def test_an_address_with_a_secret_in_it_is_refused_without_being_shown(place: str) -> None:
    with pytest.raises(UsageError, match="api_key=") as caught:
        Client(f"https://{place}")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-abc def", "sk-abc\ndef", "sk-äöü"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        Client(api_key=key)
    assert "abc" not in str(caught.value) and "ä" not in str(caught.value)


WORDS_OF_THE_SERVICE = "One thing is so. Visit https://platform.openai.com/account to learn more."


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("401 Unauthorized", "invalid_api_key"),
        ("429 Too Many Requests", "insufficient_quota"),
        ("429 Too Many Requests", "rate_limit_exceeded"),
        ("404 Not Found", "model_not_found"),
        ("404 Not Found", None),
        ("400 Bad Request", None),
        ("302 Found", None),
        ("503 Service Unavailable", None),
    ],
)
async def test_a_refusal_is_one_sentence_around_the_service_s_words(
    status: str, code: str | None, request_to_speak: Request
) -> None:
    body = json.dumps({"error": {"message": WORDS_OF_THE_SERVICE, "code": code}}).encode()
    told = str(await refusal(request_to_speak, status, body))
    ours, quoted, after = re.split("[“”]", told)
    assert quoted.startswith("One thing is so")
    for part in (ours, after):
        assert re.search(r"[.!?]\s", part) is None
    assert f"({status[:3]})" in ours


@pytest.mark.parametrize("media", ["image/png", "audio/mpeg", "video/mp4"])
async def test_a_picture_or_a_sound_in_place_of_a_reply_is_named(
    media: str, request_to_speak: Request
) -> None:
    error = await refusal(request_to_speak, "200 OK", b"\x89PNG", content_type=media)
    assert isinstance(error, ProtocolError)
    assert media in str(error) and "base_url" in str(error)


@pytest.mark.parametrize("status", ["204 No Content", "205 Reset Content"])
async def test_nothing_in_place_of_a_reply_is_named(status: str, request_to_speak: Request) -> None:
    error = await refusal(request_to_speak, status, b"")
    assert isinstance(error, ProtocolError)
    assert f"answered with nothing ({status[:3]})" in str(error)


@pytest.mark.parametrize("media", ["text/plain", "application/octet-stream", ""])
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"upstream is away, key sk-proj-abcdefgh12345678", "“upstream is away, key ***”"),
        (b"  <!doctype html><title>Login</title>", "a web page"),
    ],
)
async def test_words_in_place_of_a_reply_are_shown(
    body: bytes, shown: str, media: str, request_to_speak: Request
) -> None:
    error = await refusal(request_to_speak, "200 OK", body, content_type=media)
    assert isinstance(error, ProtocolError)
    assert f"answered with {shown}" in str(error)


ONE_WORD = b'{"choices":[{"index":0,"message":{"content":"word"},"finish_reason":"stop"}]}'


EVENTS = text_event("word") + b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", ONE_WORD),
        *((media, body) for media in ("text/plain", "x/y", "") for body in (ONE_WORD, EVENTS)),
    ],
)
async def test_a_reply_whose_type_is_not_told_is_known_by_its_beginning(
    body: bytes, media: str, connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("200 OK", body, content_type=media)

    async with serving(script) as rig:
        events = await events_of(connect(rig.base_url), request_to_speak)
    assert TextChunk("word") in events and events[-1] == StreamDone()


@pytest.mark.parametrize(
    "body", [b'{"choices":[{"index":0,"message":{"content":"wo', b"", b"null", b"5"]
)
async def test_json_that_is_cut_is_an_error_and_not_a_reply(
    body: bytes, connect: Connect, request_unstreamed: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("200 OK", body)

    async with serving(script) as rig:
        error = await failure_of(connect(rig.base_url), request_unstreamed)
    assert isinstance(error, ProtocolError)


async def test_an_error_that_comes_as_a_success_is_an_error(
    connect: Connect, request_unstreamed: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("200 OK", b'{"error":{"code":402,"message":"no credit"}}')

    async with serving(script) as rig:
        events = await events_of(connect(rig.base_url), request_unstreamed)
    (told,) = [event.error for event in events if isinstance(event, ErrorReceived)]
    assert isinstance(told, BillingError)


async def test_an_error_body_is_read_no_further_than_it_is_of_use(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start("500 Internal Server Error", content_type="text/plain")
        while True:
            await exchange.send(b"x" * 10_000)

    async with serving(script) as rig, asyncio.timeout(10):
        error = await failure_of(connect(rig.base_url), request_to_speak)
        await rig.hung_up.wait()
    assert len(str(error)) < 1_000


async def test_an_error_body_that_is_cut_is_still_the_error(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start("403 Forbidden", content_type="text/plain")
        await exchange.send(b"not from this country")
        exchange.cut()
        raise ConnectionError

    async with serving(script) as rig:
        error = await failure_of(connect(rig.base_url), request_to_speak)
    assert isinstance(error, ServiceError) and "not from this country" in str(error)
