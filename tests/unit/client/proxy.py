"""A real proxy on this machine: it answers for plain addresses, and tunnels to one server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from .rig import text_event

ANSWER = text_event("word") + b"data: [DONE]\n\n"


@dataclass
class Asked:
    """One request to the proxy: its first line, and what proves who asks."""

    line: str
    authorization: str | None


@dataclass
class Proxy:
    """What it was asked for. `tunnel_port` is where every CONNECT leads, whatever it names."""

    tunnel_port: int = 0
    refuse_with: str | None = None
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    def url(self, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, or one tunnel."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
        }
        self.asked.append(Asked(line, headers.get("proxy-authorization")))
        if self.refuse_with is not None:
            writer.write(f"HTTP/1.1 {self.refuse_with}\r\ncontent-length: 0\r\n\r\n".encode())
        elif line.startswith("CONNECT"):
            await self._tunnel(reader, writer)
        else:
            await reader.readexactly(int(headers["content-length"]))
            about = f"content-type: text/event-stream\r\ncontent-length: {len(ANSWER)}"
            writer.write(f"HTTP/1.1 200 OK\r\n{about}\r\n\r\n".encode() + ANSWER)
        await writer.drain()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_connection("127.0.0.1", self.tunnel_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = asyncio.create_task(_copy(there, writer))
        await _copy(reader, away)
        await back


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()
    target.close()


@asynccontextmanager
async def proxying(proxy: Proxy) -> AsyncIterator[Proxy]:
    """Run a proxy on a free port until the block ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(
            asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError
        ):
            await proxy.handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
