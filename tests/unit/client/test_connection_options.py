"""How requests get there: headers, organisation, Azure, an own client, one connection."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import httpx
import pytest

from cellvoice.client import Client, ClientOptions
from cellvoice.errors import StreamBroken, UsageError
from cellvoice.protocol import Request, TextChunk

from .asking import events_of, failure_of
from .conftest import KEY, Connect, MakeTransport
from .rig import Exchange, serving, text_event

WHOLE = text_event("word") + b"data: [DONE]\n\n"
UNSTREAMED = b'{"choices":[{"index":0,"message":{"content":"word"},"finish_reason":"stop"}]}'


async def answer_as_asked(exchange: Exchange) -> None:
    if b'"stream":true' not in exchange.body:
        await exchange.answer("200 OK", UNSTREAMED)
        return
    await exchange.start()
    await exchange.send(WHOLE)
    await exchange.end()


async def test_own_headers_organisation_and_project_are_sent(
    connect: Connect, request_to_speak: Request
) -> None:
    async with serving(answer_as_asked) as rig:
        client = connect(
            rig.base_url, headers={"X-Team": "red"}, organization="org-1", project="proj_1"
        )
        await events_of(client, request_to_speak)
    (exchange,) = rig.exchanges
    names = ("x-team", "openai-organization", "openai-project")
    assert [exchange.header(name) for name in names] == ["red", "org-1", "proj_1"]
    assert exchange.head.lower().count("authorization:") == 1


@pytest.mark.parametrize("retries", [-1, 11, 1.5, True, "2"])
def test_a_number_of_retries_that_cannot_be_is_refused(retries: object) -> None:
    with pytest.raises(UsageError, match="max_retries"):
        ClientOptions.of(max_retries=retries)


@pytest.mark.parametrize("word", [5, "two\nlines", "ä"])
def test_an_organisation_that_cannot_be_is_refused(word: object) -> None:
    with pytest.raises(UsageError, match="organization"):
        ClientOptions.of(organization=word)


AZURE = "https://name.openai.azure.com/openai"


@pytest.mark.parametrize(
    ("base_url", "version", "posted_to"),
    [
        (f"{AZURE}/v1/", None, f"{AZURE}/v1/chat/completions"),
        (f"{AZURE}/v1", "preview", f"{AZURE}/v1/chat/completions?api-version=preview"),
        (
            f"{AZURE}/deployments/mine?api-version=2025-01-01-preview",
            None,
            f"{AZURE}/deployments/mine/chat/completions?api-version=2025-01-01-preview",
        ),
        (
            f"{AZURE}/deployments/mine/",
            "2025-01-01-preview",
            f"{AZURE}/deployments/mine/chat/completions?api-version=2025-01-01-preview",
        ),
        (
            "https://gateway.example/openai/deployments/mine",
            "2025-01-01-preview",
            "https://gateway.example/openai/deployments/mine/chat/completions"
            "?api-version=2025-01-01-preview",
        ),
    ],
)
async def test_azure_s_forms_are_posted_to_as_azure_wants(
    base_url: str, version: str | None, posted_to: str, request_to_speak: Request
) -> None:
    asked: list[tuple[str, str | None, str | None]] = []

    class Azure(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            headers = request.headers
            asked.append((str(request.url), headers.get("api-key"), headers.get("authorization")))
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=WHOLE)

    options = ClientOptions.of(azure_api_version=version)
    client = Client(base_url, KEY, Azure(), options=options)
    await events_of(client, request_to_speak)
    await client.aclose()
    assert asked == [(posted_to, KEY, None)]


@pytest.mark.parametrize(
    ("base_url", "lacks"),
    [(f"{AZURE}/deployments/mine", "api-version"), ("https://name.openai.azure.com", "path")],
)
def test_an_azure_address_that_lacks_something_names_it(base_url: str, lacks: str) -> None:
    with pytest.raises(UsageError, match=f"lacks its {lacks}.*azure_api_version="):
        Client(base_url, KEY)


async def test_an_own_client_is_used_as_it_is_and_left_open(
    make_transport: MakeTransport, request_to_speak: Request
) -> None:
    async with serving(answer_as_asked) as rig:
        own = httpx.AsyncClient(
            transport=make_transport(), headers={"X-Own": "yes"}, follow_redirects=True, timeout=0.1
        )
        client = Client(rig.base_url, KEY, options=ClientOptions.of(http_client=own))
        await events_of(client, request_to_speak)
        await client.aclose()
        assert not own.is_closed
        await own.aclose()
    assert rig.exchanges[0].header("x-own") == "yes"
    assert rig.exchanges[0].header("authorization") == f"Bearer {KEY}"


async def test_an_own_client_may_prove_itself_in_its_own_way(request_to_speak: Request) -> None:
    async with serving(answer_as_asked) as rig, httpx.AsyncClient(auth=("me", "secret")) as own:
        client = Client(rig.base_url, options=ClientOptions.of(http_client=own))
        await events_of(client, request_to_speak)
    assert (rig.exchanges[0].header("authorization") or "").startswith("Basic ")


async def test_an_own_client_and_a_transport_or_a_proxy_are_not_both_taken() -> None:
    async with httpx.AsyncClient() as own:
        with pytest.raises(UsageError, match="own client instead"):
            ClientOptions.of(http_client=own, proxy="http://proxy.example:3128")
        with pytest.raises(UsageError, match="one of them at most"):
            Client(transport=httpx.AsyncHTTPTransport(), options=ClientOptions.of(http_client=own))


async def test_one_connection_serves_all_whatever_the_answers_were(
    connect: Connect, request_to_speak: Request, request_unstreamed: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        if len(rig.exchanges) == 3:
            await exchange.answer("400 Bad Request", b'{"error":{"message":"no"}}')
        else:
            await answer_as_asked(exchange)

    async with serving(script) as rig:
        client = connect(rig.base_url)
        await events_of(client, request_to_speak)
        await events_of(client, request_unstreamed)
        await failure_of(client, request_to_speak)
        await events_of(client, request_unstreamed)
        await events_of(client, request_to_speak)
    assert (rig.connections, len(rig.exchanges)) == (1, 5)


async def test_the_connection_is_still_there_after_a_minute_of_thought(
    request_to_speak: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(answer_as_asked) as rig:
        client = Client(rig.base_url, KEY)
        await events_of(client, request_to_speak)
        monkeypatch.setattr(aiohttp.connector, "monotonic", lambda: time.monotonic() + 60)
        await events_of(client, request_to_speak)
        await client.aclose()
    assert (rig.connections, len(rig.exchanges)) == (1, 2)


@pytest.mark.parametrize("how", ["left", "cancelled", "cancelled before the head"])
async def test_the_connection_is_closed_at_once_when_nobody_wants_the_rest(
    how: str, connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        if how != "cancelled before the head":
            await exchange.start()
            await exchange.send(text_event("word"))
        begun.set()
        await exchange.until_hung_up()

    begun = asyncio.Event()
    async with serving(script) as rig, asyncio.timeout(10):
        client = connect(rig.base_url)
        if how == "left":
            async with client.stream(request_to_speak) as stream:
                async for event in stream:
                    if isinstance(event, TextChunk):
                        break
        else:
            task = asyncio.create_task(events_of(client, request_to_speak))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        # Waited for while the client is still open: its end would close everything.
        await rig.hung_up.wait()


async def test_after_a_broken_reply_the_next_one_comes_over_a_new_connection(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        if len(rig.exchanges) == 1:
            await exchange.start()
            await exchange.send(text_event("word"))
            exchange.cut()
            raise ConnectionError
        await answer_as_asked(exchange)

    async with serving(script) as rig:
        client = connect(rig.base_url)
        assert isinstance(await failure_of(client, request_to_speak), StreamBroken)
        assert TextChunk("word") in await events_of(client, request_to_speak)
    assert rig.connections == 2
