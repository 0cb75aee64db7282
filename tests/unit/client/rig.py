"""A real HTTP server on this machine, that does exactly what a test tells it, byte by byte."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path


def text_event(text: str) -> bytes:
    """One event of a stream, with a piece of text."""
    chunk = {"id": "c1", "choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def server_tls(authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    return context


Script = Callable[["Exchange"], Awaitable[None]]


@dataclass
class Exchange:
    """One request, and the writing end of its answer."""

    head: str
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    async def start(self, status: str = "200 OK", **headers: str) -> None:
        """Begin an answer in HTTP chunks."""
        lines = {"content-type": "text/event-stream", "x-request-id": "req_1"}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        head = f"HTTP/1.1 {status}\r\n{text}transfer-encoding: chunked\r\n\r\n"
        self.writer.write(head.encode())
        await self.writer.drain()

    async def send(self, piece: bytes) -> None:
        self.writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await self.writer.drain()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def answer(self, status: str, body: bytes, **headers: str) -> None:
        """A whole answer with its length."""
        lines = {"content-type": "application/json", "content-length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.writer.write(f"HTTP/1.1 {status}\r\n{text}\r\n".encode() + body)
        await self.writer.drain()

    async def until_hung_up(self) -> None:
        """Wait for the client to close the connection; it sends nothing else."""
        await self.reader.read()
        raise ConnectionError

    def cut(self) -> None:
        """End the connection without a word."""
        self.writer.transport.abort()

    def reset(self) -> None:
        """End the connection so that the client is told of a reset, not of an end."""
        own: socket.socket = self.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Rig:
    """A server whose answers a test writes."""

    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    connections: int = 0
    # Set when the client has closed a connection.
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def https_url(self) -> str:
        """By name, because that is what certificates are made for."""
        return f"https://localhost:{self.port}/v1"


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Rig]:
    """Serve every request by `script`, on a free port, until the block ends."""
    rig = Rig()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        rig.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                exchange = Exchange(head, b"", reader, writer)
                exchange.body = await reader.readexactly(
                    int(exchange.header("content-length") or 0)
                )
                rig.exchanges.append(exchange)
                await script(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            rig.hung_up.set()
        except asyncio.CancelledError:
            # The test is over; asyncio would log a cancelled handler as a failure.
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    rig.port = server.sockets[0].getsockname()[1]
    try:
        yield rig
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
