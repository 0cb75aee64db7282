"""A cassette in front of one client's network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx

__all__ = ["Over"]

_Opens = Callable[[], httpx.AsyncBaseTransport]


class Over(httpx.AsyncBaseTransport):
    """One client's way through a cassette. Its network is opened when it is needed."""

    def __init__(
        self,
        answer: Callable[[httpx.Request, _Opens], Awaitable[httpx.Response]],
        open_network: _Opens,
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self._answer = answer
        self._open = open_network
        self._settled = settled
        self._network: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, from the recording or by the network."""
        return await self._answer(request, self._opened)

    async def aclose(self) -> None:
        """Close the network, if it was opened, and wait for the disk."""
        await self._settled()
        network, self._network = self._network, None
        if network is not None:
            await network.aclose()

    def _opened(self) -> httpx.AsyncBaseTransport:
        if self._network is None:
            self._network = self._open()
        return self._network
