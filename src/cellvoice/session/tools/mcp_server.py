"""Servers of the model context protocol as a source of tools."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cellvoice.errors import UsageError
from cellvoice.session import _loop

from ._loops import on_the_loop
from ._mcp_connection import Connection, Place
from ._mcp_results import McpToolError
from .declare import Approve, Tool, described_tool

__all__ = ["McpServer", "mcp"]


def mcp(
    command: Sequence[str] | None = None,
    *,
    url: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    headers: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    prefix: str = "",
    approve: Approve | None = None,
    timeout_s: float = 30.0,
) -> McpServer:
    """A server of the model context protocol, to be given among `tools=`.

    `command` starts a program that speaks the protocol on its standard input and output; it sees
    PATH, HOME and the like and what `env` has, no other variable, so no key. `url` is that of a
    server that runs, asked with `headers`. `only` names the tools to take, `prefix` is put before
    their names, and `approve` is said of each; without it every tool is asked about that the server
    does not call read-only. `timeout_s` is for the start and the list of tools, in seconds.

    Nothing is started before the tools are asked for. `close()`, the end of a `with` block or of
    the process ends the program.
    """
    if (command is None) == (url is None):
        raise UsageError("cv.mcp takes either command=[…] or url=…, and only one of them")
    if command is not None and (isinstance(command, (str, bytes)) or not list(command)):
        raise UsageError(
            f"command={command!r}: expected a list, such as ['python', 'server.py'], for there is "
            "no shell that would take it apart"
        )
    words = tuple(str(word) for word in command or ())
    place = Place(words, url or "", dict(env or {}), str(cwd) if cwd else None, dict(headers or {}))
    taken = frozenset(only) if only is not None else None
    return McpServer(place, _Taking(taken, prefix, approve), timeout_s)


@dataclass(frozen=True, slots=True)
class _Taking:
    """Which of its tools are taken, and as what."""

    only: frozenset[str] | None
    prefix: str
    approve: Approve | None


class McpServer:
    """An MCP server and its tools; made by `cv.mcp`. It lives on the background loop."""

    def __init__(self, place: Place, taking: _Taking, timeout_s: float) -> None:
        self._place, self._taking, self._timeout_s = place, taking, timeout_s
        self._connection: Connection | None = None
        self._tools: tuple[Tool, ...] = ()
        self._closed_by_user = False
        # Made on the loop that it belongs to.
        self._opening: asyncio.Lock | None = None

    @property
    def running(self) -> bool:
        """Whether the server is started and answers, as far as is known."""
        return self._connection is not None and not self._connection.ended

    def tools(self) -> tuple[Tool, ...]:
        """The server's tools; starts it if it does not run, and waits for it.

        A tool that is called after its server has ended by itself starts it again. Raises
        UsageError if it cannot be started, ConnectionFailed if it does not answer.
        """
        self._closed_by_user = False
        if not self.running:
            _loop.run(self._opened())
        return self._tools

    async def atools(self) -> tuple[Tool, ...]:
        """`tools()` without blocking the caller's loop."""
        self._closed_by_user = False
        await on_the_loop(self._opened())
        return self._tools

    def close(self) -> None:
        """End the server and wait until its program has ended; does nothing if it does not run."""
        _loop.run(self._closed())

    async def aclose(self) -> None:
        """`close()` without blocking the caller's loop."""
        await on_the_loop(self._closed())

    def __enter__(self) -> McpServer:
        self.tools()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> McpServer:
        await self.atools()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        if not self.running:
            return f"<McpServer {self._place.said}, not running>"
        names = ", ".join(tool.name for tool in self._tools)
        return f"<McpServer {self._place.said}: {names}>"

    async def _opened(self) -> Connection:
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._connection is None or self._connection.ended:
                connection = Connection(self._place)
                await connection.until_ready(self._timeout_s)
                try:
                    self._tools = self._taken(connection.listed)
                except BaseException:
                    await connection.close()
                    raise
                self._connection = connection
            return self._connection

    async def _closed(self) -> None:
        self._closed_by_user = True
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _call(self, name: str, arguments: dict[str, Any]) -> object:
        if self._closed_by_user:
            raise McpToolError(f"the MCP server {self._place.said} was closed")
        return await (await self._opened()).call(name, arguments)

    def _taken(self, listed: list[Any]) -> tuple[Tool, ...]:
        only = self._taking.only
        names = {one.name for one in listed}
        missing = sorted(only - names) if only is not None else []
        if missing:
            there = ", ".join(sorted(names)) or "none"
            raise UsageError(
                f"the MCP server {self._place.said} has no tool {missing[0]!r}; it has: {there}"
            )
        return tuple(self._tool(one) for one in listed if only is None or one.name in only)

    def _tool(self, one: Any) -> Tool:
        async def run(**arguments: Any) -> object:
            return await on_the_loop(self._call(one.name, arguments))

        read_only = one.annotations is not None and one.annotations.read_only_hint is True
        made = described_tool(
            f"{self._taking.prefix}{one.name}",
            one.description or one.title or "",
            one.input_schema,
            run,
            writes=not read_only,
        )
        return replace(made, approve=self._taking.approve)
