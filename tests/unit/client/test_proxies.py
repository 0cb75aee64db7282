"""Through a real proxy to names that are nowhere; and what never goes to one."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx
import pytest

from cellvoice.client import Client, ClientOptions, RetryPolicy, _network
from cellvoice.errors import ConnectionFailed, UsageError
from cellvoice.protocol import Request

from .asking import events_of, failure_of
from .conftest import KEY
from .proxy import ANSWER, Proxy, proxying
from .rig import Exchange, server_tls, serving, unused_port
from .test_secrets import all_that_is_shown

PLAIN = "http://api.nowhere.example/v1"
ENCRYPTED = "https://api.nowhere.example/v1"
PASSWORD = "hidden-proxy-password"
USER = f"me:{PASSWORD}@"
PROVEN = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()


@pytest.fixture(autouse=True, params=["aiohttp", "httpx"])
def _either_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "httpx":
        monkeypatch.setattr(_network, "AiohttpTransport", httpx.AsyncHTTPTransport)


def client_for(base_url: str, proxy: str | None = None) -> Client:
    options = ClientOptions.of(proxy=proxy)
    return Client(base_url, KEY, options=options, retry=RetryPolicy(0))


@pytest.mark.parametrize("named_by", ["proxy=", "HTTP_PROXY", "ALL_PROXY", "http_proxy"])
async def test_a_plain_address_is_asked_through_the_proxy(
    named_by: str, request_to_speak: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying(Proxy()) as proxy:
        if named_by != "proxy=":
            monkeypatch.setenv(named_by, proxy.url(USER))
        client = client_for(PLAIN, proxy.url(USER) if named_by == "proxy=" else None)
        assert await events_of(client, request_to_speak)
        await client.aclose()
    (asked,) = proxy.asked
    assert asked.line == f"POST {PLAIN}/chat/completions HTTP/1.1"
    assert asked.authorization == PROVEN


async def test_an_encrypted_address_is_asked_through_a_tunnel_that_sees_no_key(
    authority: Path, request_to_speak: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(ANSWER)
        await exchange.end()

    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "cert.pem"))
    async with (
        serving(script, server_tls(authority)) as rig,
        proxying(Proxy(tunnel_port=rig.port)) as proxy,
    ):
        client = client_for(ENCRYPTED, proxy.url(USER))
        assert await events_of(client, request_to_speak)
        assert await events_of(client, request_to_speak)
        await client.aclose()
    assert [asked.line for asked in proxy.asked] == ["CONNECT api.nowhere.example:443 HTTP/1.1"]
    assert proxy.asked[0].authorization == PROVEN
    assert rig.exchanges[0].header("authorization") == f"Bearer {KEY}"
    assert rig.exchanges[0].header("proxy-authorization") is None


async def test_a_proxy_that_refuses_is_named_without_its_password(
    request_to_speak: Request,
) -> None:
    async with proxying(Proxy(refuse_with="407 Proxy Authentication Required")) as proxy:
        client = client_for(ENCRYPTED, proxy.url(USER))
        error = await failure_of(client, request_to_speak)
        await client.aclose()
        port = proxy.port
    assert type(error) is ConnectionFailed
    assert str(error) == (
        f"the proxy at 127.0.0.1:{port}, on the way to the server at api.nowhere.example, got no "
        "further: the proxy refused (407); check the proxy's address, name and password, then "
        "ask again"
    )
    shown = all_that_is_shown(error) + repr(vars(client))
    assert PASSWORD not in shown and PROVEN not in shown and KEY not in shown


@pytest.mark.parametrize("base_url", [PLAIN, ENCRYPTED])
async def test_a_proxy_that_is_not_there_is_told_apart_from_the_server(
    base_url: str, request_to_speak: Request
) -> None:
    port = unused_port()
    client = client_for(base_url, f"http://{USER}127.0.0.1:{port}")
    error = await failure_of(client, request_to_speak)
    await client.aclose()
    assert type(error) is ConnectionFailed
    assert str(error).startswith(
        f"the proxy at 127.0.0.1:{port}, on the way to the server at api.nowhere.example, cannot "
        "be reached (connection refused); "
    )
    assert PASSWORD not in all_that_is_shown(error)


async def test_this_machine_is_never_asked_through_a_proxy(
    request_to_speak: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("200 OK", ANSWER, content_type="text/event-stream")

    nobody = f"http://127.0.0.1:{unused_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nobody)
    async with serving(script) as rig:
        for proxy in (None, nobody):
            client = client_for(rig.base_url, proxy)
            assert await events_of(client, request_to_speak)
            await client.aclose()
    assert len(rig.exchanges) == 2


async def test_names_that_the_environment_excepts_are_asked_directly(
    request_to_speak: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying(Proxy()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        monkeypatch.setenv("NO_PROXY", ".nowhere.example")
        client = client_for(PLAIN)
        error = await failure_of(client, request_to_speak)
        await client.aclose()
    assert isinstance(error, ConnectionFailed)
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS4"])
def test_a_socks_proxy_is_refused_with_a_way_out(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"{scheme}://{USER}127.0.0.1:1"
    with pytest.raises(UsageError, match="proxy=.*SOCKS.*http_client=") as caught:
        client_for(ENCRYPTED, proxy)
    assert PASSWORD not in all_that_is_shown(caught.value).replace(repr(proxy), "")
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(UsageError, match="ALL_PROXY.*SOCKS"):
        client_for(ENCRYPTED)


@pytest.mark.parametrize("proxy", [f"nonsense://{USER}h:1", f"http://{USER}", f"http://{USER}h:x"])
def test_a_proxy_that_is_no_address_is_refused_without_being_shown(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        client_for(ENCRYPTED)
    assert PASSWORD not in str(caught.value) and caught.value.__context__ is None
