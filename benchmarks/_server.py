"""A server of prepared replies, in a process of its own; the model's name says which.

Every event of a stream is an HTTP chunk of its own, sent as fast as the client reads; those of a
model `paced-…` come 2 ms apart, as a service sends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import socket
import subprocess
import sys
from collections.abc import Iterator

from _replies import Body, body_for

__all__ = ["served"]

PAUSE_S = 0.002
READ_BYTES = 1024 * 1024
_MODEL = re.compile(rb'"model":\s*"([\w-]+)"')


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Run the server; gives its base address."""
    command, pipe = [sys.executable, __file__], subprocess.PIPE
    # Its input closes when this process ends, however it ends; that is the sign to end, too.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()


@functools.lru_cache(maxsize=4)
def _prepared(model: str) -> tuple[Body, list[bytes]]:
    body = body_for(model)
    if not body.streamed:
        return body, list(body.pieces)
    chunks = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in body.pieces]
    return body, [*chunks, b"0\r\n\r\n"]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            found = _MODEL.search(await _asked(reader))
            assert found is not None, "the request names no model"
            await _send(writer, found[1].decode())
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _asked(reader: asyncio.StreamReader) -> bytes:
    """The body of the next request, of known length or in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    if "content-length" in fields:
        return await reader.readexactly(int(fields["content-length"]))
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return bytes(body)


async def _send(writer: asyncio.StreamWriter, model: str) -> None:
    body, pieces = _prepared(model)
    kind, length = b"application/json", f"content-length: {len(pieces[0])}".encode()
    if body.streamed:
        kind, length = b"text/event-stream", b"transfer-encoding: chunked"
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\n" + length + b"\r\n\r\n")
    for piece in pieces:
        if model.startswith("paced"):
            await asyncio.sleep(PAUSE_S)
        writer.write(piece)
        await writer.drain()


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, limit=READ_BYTES)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
