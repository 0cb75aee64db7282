"""The traps of the wire that only a connection shows, over a real server on this machine."""

from __future__ import annotations

import ast
import asyncio
import json
from pathlib import Path

import pytest

import cellvoice
from cellvoice.client import Client
from cellvoice.errors import (
    AuthError,
    BillingError,
    RequestTooLarge,
    ServiceError,
    StreamBroken,
)
from cellvoice.protocol import AudioChunk, AudioExpiry, Reply, Request, StreamDone, fold

from .conftest import KEY
from .rig import Exchange, Script, serving

SHORTEST = (
    Path(__file__).parents[2] / "fixtures" / "recorded" / "gpt-audio-1.5.basic.shortest.sse"
).read_bytes()
SOURCES = Path(cellvoice.__file__).parent


async def reply_to(request: Request, script: Script) -> Reply:
    """The reply that a client folds from what a server does."""
    reply = Reply()
    async with serving(script) as rig, asyncio.timeout(20):
        client = Client(rig.base_url, KEY)
        try:
            async with client.stream(request) as stream:
                async for event in stream:
                    fold(reply, event)
        finally:
            await client.aclose()
    return reply


async def test_a_reply_that_only_ends_its_connection_is_whole(request_to_speak: Request) -> None:
    """2. End = `[DONE]` or EOF."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(SHORTEST.replace(b"data: [DONE]\n\n", b""))
        await exchange.end()

    reply = await reply_to(request_to_speak, script)
    assert (reply.text, reply.received_s, reply.done) == ("Hello", 0.55, True)


async def test_nobody_hangs_up_between_the_usage_and_the_expiry(request_to_speak: Request) -> None:
    """3. Do not stop at the usage event: the `expires_at` event comes after it."""
    before, after = SHORTEST.split(b'data: {"id"')[:-1], SHORTEST.split(b'data: {"id"')[-1]
    seen_usage = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(b'data: {"id"'.join(before))
        # The last event is sent only when the client has read all that comes before it.
        await seen_usage.wait()
        await exchange.send(b'data: {"id"' + after)
        await exchange.end()

    reply = Reply()
    async with serving(script) as rig, asyncio.timeout(20):
        client = Client(rig.base_url, KEY)
        async with client.stream(request_to_speak) as stream:
            async for event in stream:
                fold(reply, event)
                if reply.usage is not None:
                    seen_usage.set()
        await client.aclose()
    assert reply.expires_at == 1_780_697_172


def test_no_official_client_stands_between_the_bytes_and_the_events() -> None:
    """5. The official `.stream()` helpers crash on these streams; raw SSE only."""
    named = [
        (path.name, node.lineno)
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(name.name == "openai" for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "openai")
    ]
    assert named == []


async def test_stopping_closes_the_connection(request_to_speak: Request) -> None:
    """14. Abort = close the HTTP connection."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(SHORTEST[: SHORTEST.index(b'"data"')].rpartition(b"data: ")[0])
        await exchange.until_hung_up()

    async with serving(script) as rig, asyncio.timeout(20):
        client = Client(rig.base_url, KEY)
        async with client.stream(request_to_speak) as stream:
            async for _ in stream:
                break
        await rig.hung_up.wait()
        await client.aclose()


def refusing(status: str, **error: object) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.answer(status, json.dumps({"error": error}).encode())

    return script


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (BillingError, {"message": "Quota exceeded", "code": "insufficient_quota"}),
        (BillingError, {"message": "No credit", "code": "credit_balance_exhausted"}),
        (BillingError, {"message": "Limit", "code": "organization_spend_limit_exceeded"}),
        (BillingError, {"message": "Limit", "type": "insufficient_quota", "code": None}),
        (RequestTooLarge, {"message": "Request too large for x", "code": "rate_limit_exceeded"}),
    ],
    ids=["quota", "credit", "spend limit", "by type", "too large"],
)
async def test_what_can_never_pass_is_asked_once(
    kind: type[ServiceError], error: dict[str, object], request_to_speak: Request
) -> None:
    """18. Do not retry billing 429s or "Request too large"."""
    async with serving(refusing("429 Too Many Requests", **error)) as rig, asyncio.timeout(20):
        client = Client(rig.base_url, KEY)
        with pytest.raises(kind, match=str(error["message"])):
            async with client.stream(request_to_speak):
                pass
        await client.aclose()
    assert len(rig.exchanges) == 1


async def test_nothing_is_asked_again_after_a_byte_of_the_reply(request_to_speak: Request) -> None:
    """18. Never retry after bytes were received: a second POST may be billed twice."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(SHORTEST[:9_000])
        exchange.cut()

    reply = Reply()
    async with serving(script) as rig, asyncio.timeout(20):
        client = Client(rig.base_url, KEY)
        with pytest.raises(StreamBroken):
            async with client.stream(request_to_speak) as stream:
                async for event in stream:
                    fold(reply, event)
        await client.aclose()
    assert len(rig.exchanges) == 1
    assert reply.text == "Hello" and not reply.done


async def test_the_key_that_the_service_repeats_is_not_repeated_here(
    request_to_speak: Request,
) -> None:
    """19. 401 messages echo part of the key: mask before showing."""
    head, tail = KEY[:10], KEY[-4:]
    script = refusing(
        "401 Unauthorized",
        message=f"Incorrect API key provided: {head}{'*' * 12}{tail}. You can find your API key",
        code="invalid_api_key",
    )
    with pytest.raises(AuthError) as caught:
        await reply_to(request_to_speak, script)
    assert head not in str(caught.value) and tail not in str(caught.value)


async def test_a_letter_may_be_cut_between_two_packets(request_to_speak: Request) -> None:
    """21. UTF-8 split across reads."""
    body = 'data: {"choices":[{"index":0,"delta":{"content":"añ👋"}}]}\r\n\r\n'.encode()

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for place in range(len(body)):
            await exchange.send(body[place : place + 1])
        await exchange.send(b"data: [DONE]\r\n\r\n")
        await exchange.end()

    assert (await reply_to(request_to_speak, script)).content == "añ👋"


async def test_what_the_server_says_of_an_untried_parameter_is_told_in_its_words(
    request_to_speak: Request,
) -> None:
    """24. Report the server's answer verbatim."""
    words = "Invalid value for 'n': audio output supports only 1."
    with pytest.raises(cellvoice.CellvoiceError) as caught:
        await reply_to(request_to_speak, refusing("400 Bad Request", message=words, param="n"))
    assert words in str(caught.value)


async def test_the_end_is_told_after_everything_else(request_to_speak: Request) -> None:
    """2., 3. Whoever listens for the end has the sound, the usage and the expiry by then."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(SHORTEST)
        await exchange.end()

    async with serving(script) as rig, asyncio.timeout(20):
        client = Client(rig.base_url, KEY)
        async with client.stream(request_to_speak) as stream:
            events = [event async for event in stream]
        await client.aclose()
    assert isinstance(events[-1], StreamDone) and isinstance(events[-2], AudioExpiry)
    assert sum(len(event.pcm) for event in events if isinstance(event, AudioChunk)) == 26_400
