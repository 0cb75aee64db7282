"""A session's client on the background loop, made again when the loop or the address changes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace

from cellvoice.client import Client, Hidden, Secret
from cellvoice.errors import CellvoiceError, ConnectionFailed, EngineError, StreamBroken
from cellvoice.protocol import ListedModel

from . import _loop, _seams
from ._settings import Destination

__all__ = ["Wire"]


class Wire:
    """One client and one lock, both of one loop: turns of a session go one after the other."""

    def __init__(self, to: Destination) -> None:
        self._to = to
        self.listed: Mapping[str, ListedModel] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()
        self._client: Client | None = None
        self._engine: _seams.Endpoint | None = None
        self._hidden: Hidden = Hidden(())
        if to.kind == "service":
            # Made now, so that an unusable address or key is told before anything is asked.
            self._make_for_service()

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
            if found != self._engine:
                await self._drop()
                self._make_for_engine(found)
                # Otherwise the engine would end first, and with it the turns, as cut.
                _loop.shut_down_first()
        elif self._client is None:
            self._make_for_service()
        _loop.on_shutdown(self, self.aclose)
        assert self._client is not None
        return self._client

    async def models(self) -> tuple[ListedModel, ...]:
        """What the server says it has; from then on `listed` knows it. Loop thread only."""
        client = await self.client()
        found = await client.models()
        self.listed = {model.id: model for model in found}
        return found

    def blamed(self, error: ConnectionFailed | StreamBroken) -> CellvoiceError:
        """The error as the user gets it: the embedded engine is no network that can be checked."""
        # An engine whose time ran out has not ended, and the sentence already says what to do.
        if self._to.kind != "engine" or isinstance(error, TimeoutError):
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

    def hide(self, text: str) -> str:
        """The text without the session's key and other secrets."""
        return self._hidden.in_text(text)

    def _make_for_service(self) -> None:
        to = self._to
        self._client = Client(
            to.base_url, to.key, to.transport, options=to.options, cassette=to.cassette
        )
        self._hidden = self._client.hidden

    def _make_for_engine(self, at: _seams.Endpoint) -> None:
        # An engine that does not answer is started anew by the next turn, not asked again.
        options = replace(self._to.options, max_retries=0, http_client=None)
        self._client = Client(
            at.base_url, Secret(at.api_key), options=options, cassette=self._to.cassette
        )
        self._hidden = self._client.hidden
        self._engine = at

    def _adopt(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None:
            # After a fork the old connections belong to the parent, and only it may close them.
            self._client = None
            self._engine = None
        self._loop = loop
        self._lock = asyncio.Lock()

    async def _drop(self) -> None:
        client, self._client, self._engine = self._client, None, None
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
