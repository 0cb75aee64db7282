"""The suite's own promise: a test that reaches for the network fails."""

from __future__ import annotations

import asyncio
import os
import socket

import httpx
import pytest


def test_a_name_out_there_is_not_looked_up() -> None:
    with pytest.raises(OSError, match="tests may not reach the network"):
        socket.getaddrinfo("api.openai.com", 443)


def test_an_address_out_there_is_not_connected_to() -> None:
    with socket.socket() as plain, pytest.raises(OSError, match="tests may not reach the network"):
        plain.connect(("203.0.113.7", 443))


async def test_httpx_and_asyncio_find_it_closed_too() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("https://api.openai.com/v1/models")
    with pytest.raises(OSError, match="tests may not reach the network"):
        await asyncio.open_connection("203.0.113.7", 443)


async def test_this_machine_stays_within_reach() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


def test_no_key_of_the_machine_is_seen() -> None:
    assert "OPENAI_API_KEY" not in os.environ
