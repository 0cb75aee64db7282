"""A network that fails is told in the same true words, whichever library met it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from cellvoice.client import Client, RetryPolicy, Timeouts
from cellvoice.errors import ConnectionFailed, ConnectTimeout, StreamBroken
from cellvoice.protocol import Event, Request, TextChunk

from .asking import events_of, failure_of
from .conftest import Connect
from .rig import Exchange, server_tls, serving, text_event, unused_port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_nobody_listening_is_told_in_the_system_s_plain_words(
    host: str, connect: Connect, request_to_speak: Request
) -> None:
    port = unused_port()
    error = await failure_of(connect(f"http://{host}:{port}/v1"), request_to_speak)
    assert type(error) is ConnectionFailed
    assert str(error) == (
        f"the server at {host}:{port} cannot be reached (connection refused); "
        "check the network and base_url, then ask again"
    )
    assert isinstance(error.__cause__, httpx.RequestError)


async def test_a_name_that_is_nowhere_is_one_sentence(
    connect: Connect, request_to_speak: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*args: object, **named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    error = await failure_of(connect("http://api.nowhere.example/v1"), request_to_speak)
    assert type(error) is ConnectionFailed
    assert str(error).startswith(
        "the server at api.nowhere.example cannot be reached (name or service not known); "
    )


async def test_a_server_that_hangs_up_without_an_answer_is_no_time_out(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.cut()
        raise ConnectionError

    async with serving(script) as rig:
        error = await failure_of(connect(rig.base_url), request_to_speak)
    assert type(error) is ConnectionFailed
    assert "ended the connection without an answer" in str(error)


async def test_an_answer_that_is_no_http_is_named(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.writer.write(b"220 mail.example ESMTP ready\r\n\r\n")
        await exchange.writer.drain()
        exchange.writer.close()
        raise ConnectionError

    async with serving(script) as rig:
        error = await failure_of(connect(rig.base_url), request_to_speak)
    assert type(error) is ConnectionFailed
    assert "answered with something that is not HTTP" in str(error)


async def test_a_connection_that_does_not_come_about_names_its_limit(
    connect: Connect, request_to_speak: Request
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # The queue of those who wait to be accepted is full, so further ones get no answer.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        client = connect(f"http://127.0.0.1:{port}/v1", timeout=Timeouts(connect_s=0.2))
        error = await failure_of(client, request_to_speak)
        for one in waiting:
            one.close()
    assert isinstance(error, ConnectTimeout) and isinstance(error, TimeoutError)
    assert "could not be reached within 0.2 s" in str(error)
    assert "Timeouts(connect_s=…)" in str(error)


@pytest.mark.parametrize("how", ["cut in a chunk", "reset"])
async def test_a_stream_that_breaks_gives_all_that_came_and_is_no_time_out(
    how: str, connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("word"))
        await seen.wait()
        if how == "reset":
            exchange.reset()
        else:
            exchange.writer.write(b"ffff\r\ndata: {")
            await exchange.writer.drain()
            exchange.writer.close()
        raise ConnectionError

    seen = asyncio.Event()
    events: list[Event] = []
    async with serving(script) as rig:
        with pytest.raises(StreamBroken, match="broke in the middle") as caught:
            async with connect(rig.base_url).stream(request_to_speak) as stream:
                async for event in stream:
                    events.append(event)
                    if isinstance(event, TextChunk):
                        seen.set()
    assert type(caught.value) is StreamBroken
    assert events[-1] == TextChunk("word")


async def test_a_certificate_that_is_not_trusted_names_what_to_set_and_is_not_asked_again(
    authority: Path, connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        raise AssertionError

    async with serving(script, server_tls(authority)) as rig:
        client = connect(rig.https_url, retry=RetryPolicy(2, sleep=_never))
        error = await failure_of(client, request_to_speak)
    assert type(error) is ConnectionFailed
    assert "has no certificate that this machine trusts (" in str(error)
    assert "SSL_CERT_FILE" in str(error)


async def test_the_environment_s_file_of_certificates_is_trusted(
    authority: Path,
    connect: Connect,
    request_unstreamed: Request,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("200 OK", b'{"choices":[]}')

    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "cert.pem"))
    async with serving(script, server_tls(authority)) as rig:
        assert await events_of(connect(rig.https_url), request_unstreamed)
        client = Client(rig.https_url)  # over the transport that is the default
        assert await events_of(client, request_unstreamed)
        await client.aclose()


async def test_https_to_a_server_without_it_is_named(
    connect: Connect, request_to_speak: Request
) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await failure_of(connect(f"https://localhost:{port}/v1"), request_to_speak)
    assert type(error) is ConnectionFailed
    assert "does not speak TLS as expected (" in str(error)


async def _never(wait_s: float) -> None:
    raise AssertionError("it was asked again")
