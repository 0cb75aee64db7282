"""One connection to an MCP server: opened and closed by a task of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO
from urllib.parse import urlsplit

from cellvoice.errors import ConnectionFailed, UsageError
from cellvoice.protocol import mask_keys

from ._mcp_results import McpToolError, value_of

if TYPE_CHECKING:
    import mcp as sdk

__all__ = ["Connection", "Place"]

_MAX_PAGES: Final = 50
_LAST_WORDS_LETTERS: Final = 300
_CONNECT_S: Final = 30.0
_INSTALL: Final = (
    "tools of an MCP server need the package mcp, which is not installed; install it with "
    "pip install 'cellvoice[mcp]'"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is; what may hold a secret is in no repr."""

    command: tuple[str, ...] = field(repr=False)
    url: str = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    cwd: str | None
    headers: Mapping[str, str] = field(repr=False)

    @property
    def said(self) -> str:
        """The server in a word or two: the program and its script, or the address."""
        if not self.command:
            return mask_keys(_address(self.url))
        program, *rest = self.command
        script = [Path(rest[0]).name] if rest and not rest[0].startswith("-") else []
        return mask_keys(" ".join([Path(program).name, *script]))


class Connection:
    """One connection. A task of its own opens and closes it, as the SDK's scopes demand."""

    def __init__(self, place: Place) -> None:
        # As the server lists them.
        self.listed: list[Any] = []
        self._place = place
        self._client: sdk.Client | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._live())

    @property
    def ended(self) -> bool:
        """Whether the connection is gone."""
        return self._task.done() or self._closing.is_set()

    async def until_ready(self, timeout_s: float) -> None:
        """Wait until the tools are known. Raises UsageError, ConnectionFailed."""
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), timeout_s)
        except TimeoutError as error:
            await self.close()
            raise ConnectionFailed(
                f"the MCP server {self._place.said} did not list its tools within {timeout_s:g} s; "
                "cv.mcp(…, timeout_s=…) waits longer"
            ) from error
        except asyncio.CancelledError:
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection, and with it the program. Waits until it has ended."""
        self._closing.set()
        if not self._ready.done():
            self._task.cancel()
        await asyncio.wait([self._task])

    async def call(self, name: str, arguments: dict[str, Any]) -> object:
        """Call a tool on the server. Raises McpToolError; cancelling tells the server."""
        assert self._client is not None, "it is ready before it is called"
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED

        try:
            return value_of(await self._client.call_tool(name, arguments))
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                self._closing.set()
                raise McpToolError(
                    f"the MCP server {self._place.said} ended before it answered"
                ) from error
            raise McpToolError(str(error)) from error

    async def _live(self) -> None:
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            try:
                async with AsyncExitStack() as stack:
                    self._client = await stack.enter_async_context(
                        await _client(self._place, said, stack)
                    )
                    self.listed = await _all_tools(self._client)
                    self._ready.set_result(None)
                    await self._closing.wait()
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (told below, to whoever opened it)
                if not self._ready.done():
                    self._ready.set_exception(_failure(self._place, error, _last_words(said)))
                    # Nobody waits for it any more if the start was given up.
                    self._ready.exception()


def _address(url: str) -> str:
    """The address without a name, a password or a query, any of which may be a secret."""
    try:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{place}{parts.path}"
    except ValueError:
        return "an address that is none"


async def _all_tools(client: sdk.Client) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


async def _client(place: Place, said: TextIO, stack: AsyncExitStack) -> sdk.Client:
    try:
        import httpx2  # what the SDK speaks HTTP with
        from mcp import Client, StdioServerParameters, stdio_client
        from mcp.client.streamable_http import streamable_http_client
    except ImportError as error:
        raise UsageError(_INSTALL) from error
    if place.command:
        program, *arguments = place.command
        parameters = StdioServerParameters(
            command=program, args=arguments, env=dict(place.env), cwd=place.cwd
        )
        return Client(stdio_client(parameters, errlog=said))
    # A server may hold a stream open while a tool runs; what limits a tool is its own time-out.
    timeout = httpx2.Timeout(_CONNECT_S, read=None)
    http = httpx2.AsyncClient(headers=dict(place.headers), timeout=timeout)
    await stack.enter_async_context(http)
    return Client(streamable_http_client(place.url, http_client=http))


def _failure(place: Place, error: BaseException, words: str) -> Exception:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, UsageError):
        return error
    if isinstance(error, asyncio.CancelledError):
        return ConnectionFailed(f"the start of the MCP server {place.said} was given up")
    why = f"{type(error).__name__}: {error}"
    if place.command:
        last = f" Its last words: {words}" if words else ""
        failed: Exception = UsageError(
            f"the MCP server {place.said} did not start ({why}); expected a program that speaks "
            f"the model context protocol on its standard input and output.{last}"
        )
    else:
        failed = ConnectionFailed(
            f"there is no MCP server at {place.said} ({mask_keys(why)}); expected the address of "
            "one that speaks streamable HTTP, such as http://127.0.0.1:8000/mcp"
        )
    failed.__cause__ = error
    return failed


def _last_words(said: TextIO) -> str:
    said.seek(0)
    return " ".join(mask_keys(said.read()).split())[-_LAST_WORDS_LETTERS:]
