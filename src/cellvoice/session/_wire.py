"""A session's client on the background loop, made again when the loop or the address changes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from cellvoice.client import Client
from cellvoice.errors import CellvoiceError, ConnectionFailed, EngineError, StreamBroken

from . import _loop, _seams
from ._settings import Destination

if TYPE_CHECKING:
    import httpx

__all__ = ["Wire"]


class Wire:
    """One client and one lock, both of one loop: turns of a session go one after the other."""

    def __init__(self, to: Destination, transport: httpx.AsyncBaseTransport | None) -> None:
        self._to = to
        self._transport = transport
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()
        self._client: Client | None = None
        self._address: _seams.Endpoint | None = None
        if to.kind == "service":
            # Made now, so that an unusable address or key is told before anything is asked.
            self._make(self._known())

    def __repr__(self) -> str:
        return f"Wire({self._client!r})"

    def lock(self) -> asyncio.Lock:
        """The turn-taking of the running loop. Loop thread only."""
        self._adopt()
        return self._lock

    async def client(self) -> Client:
        """The client for the next request; starts the embedded engine if that is what answers.

        Raises EngineError when the engine can't be started.
        """
        self._adopt()
        if self._to.kind == "engine":
            found = await asyncio.to_thread(_seams.engine)
            # An engine that was started again listens elsewhere.
            if found != self._address:
                await self._drop()
                self._make(found)
                # Otherwise the engine would end first, and with it the turns, as cut.
                _loop.shut_down_first()
        elif self._client is None:
            self._make(self._known())
        _loop.on_shutdown(self, self.aclose)
        assert self._client is not None
        return self._client

    def blamed(self, error: ConnectionFailed | StreamBroken) -> CellvoiceError:
        """The error as the user gets it: the embedded engine is no network that can be checked."""
        if self._to.kind != "engine":
            return error
        kept = "what came is kept, " if isinstance(error, StreamBroken) else ""
        return EngineError(
            f"the embedded engine ended before the reply was complete; {kept}"
            "ask again and it is started anew"
        )

    def warm_soon(self) -> None:
        """Start the embedded engine without waiting for it; what goes wrong, the turn will say."""
        if self._to.kind == "engine":
            warming = asyncio.to_thread(_seams.engine)
            future = asyncio.run_coroutine_threadsafe(warming, _loop.background_loop())
            future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _known(self) -> _seams.Endpoint:
        return _seams.Endpoint(self._to.base_url, self._to.key.reveal() if self._to.key else "")

    def _make(self, at: _seams.Endpoint) -> None:
        self._client = Client(
            base_url=at.base_url, api_key=at.api_key or None, transport=self._transport
        )
        self._address = at

    def _adopt(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None:
            # After a fork the old connections belong to the parent, and only it may close them.
            self._client = None
            self._address = None
        self._loop = loop
        self._lock = asyncio.Lock()

    async def _drop(self) -> None:
        client, self._client, self._address = self._client, None, None
        if client is not None:
            with contextlib.suppress(Exception):
                await client.aclose()

    async def aclose(self) -> None:
        """Close the connections. A later turn opens them again. Loop thread only."""
        _loop.on_shutdown(self, None)
        await self._drop()

    def close_soon(self) -> None:
        """Close the connections without waiting, from any thread."""
        loop = self._loop
        if loop is None or self._client is None or not loop.is_running():
            return
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: loop.create_task(self.aclose()))
