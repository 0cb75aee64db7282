"""The engine inside this process, behind httpx: no socket, but streamed as it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx

from .engine import Engine
from .faults import Fault
from .service import Service
from .streaming import Body, ConnectionCut, Pace

__all__ = ["LocalTransport"]


class LocalTransport(httpx.AsyncBaseTransport):
    """Answers requests in this process.

    `httpx.ASGITransport` would be shorter, but it hands the body over only when it is whole, so
    nothing would stream. Leaving a response early stops the engine.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        *,
        api_key: str | None = None,
        pace: Pace = "fast",
        strict: bool = False,
        faults: Sequence[Fault] = (),
    ) -> None:
        self._own = engine is None
        self._engine = engine or Engine()
        self._service = Service(
            self._engine, api_key=api_key, pace=pace, strict=strict, faults=faults
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; what goes wrong is an HTTP error, as on the wire."""
        body = await request.aread()
        answer = await self._service.answer(
            request.method, request.url.path, request.headers.get("authorization"), body
        )
        headers = dict(answer.headers)
        if isinstance(answer.body, bytes):
            return httpx.Response(answer.status, headers=headers, content=answer.body)
        return httpx.Response(answer.status, headers=headers, stream=_Body(answer.body))

    async def aclose(self) -> None:
        """End the engine's parts, if this transport made the engine."""
        if self._own:
            self._engine.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, body: Body) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._body:
                yield piece
        except ConnectionCut as error:
            raise httpx.RemoteProtocolError(f"the connection was closed early: {error}") from error

    async def aclose(self) -> None:
        await self._body.aclose()
