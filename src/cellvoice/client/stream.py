"""One reply as it arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

import httpx

from cellvoice.errors import ServiceError, StreamBroken
from cellvoice.protocol import (
    CompletionParser,
    ErrorReceived,
    Event,
    RawLog,
    StreamParser,
)

from ._failures import stream_broken
from ._replayed import REPLAYED

__all__ = ["EventStream"]

# After the last event only the end of the HTTP body is missing; it is nearly always there already.
_LAST_BYTES_S = 0.25


class EventStream:
    """The events of one reply, to be iterated once, inside `async with client.stream(…)`.

    Every event that arrived is given before StreamBroken is raised for a cut connection. An error
    that the service sends in the middle comes as `ErrorReceived`; it is not raised.
    """

    def __init__(
        self,
        response: httpx.Response,
        *,
        streamed: bool,
        choices: int = 1,
        log: RawLog | None = None,
    ) -> None:
        self._response = response
        self._chunks = _body_bytes(response)
        self._parser = StreamParser(log=log) if streamed else CompletionParser(choices, log=log)
        self._ready: deque[Event] = deque()
        self._ended = False
        self._cut: StreamBroken | None = None

    @property
    def request_id(self) -> str | None:
        """What the service's support asks for, or None if the server gave none."""
        return self._response.headers.get("x-request-id") or None

    @property
    def status(self) -> int:
        """The HTTP status, 200 unless the server is unusual."""
        return self._response.status_code

    @property
    def replayed(self) -> str:
        """What was recorded where and when, if this reply is played from a cassette, else ""."""
        return str(self._response.extensions.get(REPLAYED, ""))

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        ready = self._ready
        while not ready:
            if self._ended:
                if self._cut is not None:
                    raise self._cut
                raise StopAsyncIteration
            await self._take_more()
        event = ready.popleft()
        if isinstance(event, ErrorReceived) and isinstance(event.error, ServiceError):
            event.error.request_id = event.error.request_id or self.request_id
        return event

    async def _take_more(self) -> None:
        parser = self._parser
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._end(None)
            return
        except httpx.RequestError as error:
            self._end(error)
            return
        self._ready.extend(parser.feed(chunk))
        # A server may keep the connection open after the last event; nobody waits for that.
        self._ended = parser.done or parser.failed

    def _end(self, error: httpx.RequestError | None) -> None:
        self._ended = True
        parser = self._parser
        self._ready.extend(parser.finish(cut=error is not None))
        if not parser.failed and (error is not None or not parser.complete):
            self._cut = stream_broken(error, self._url)
            self._cut.__cause__ = error

    @property
    def _url(self) -> httpx.URL:
        return self._response.request.url

    async def drain(self) -> None:
        """Read the end of a finished reply, so that the connection can be used again."""
        if not self._ended or self._cut is not None:
            return
        with contextlib.suppress(TimeoutError, httpx.RequestError):
            async with asyncio.timeout(_LAST_BYTES_S):
                await anext(self._chunks, None)


def _body_bytes(response: httpx.Response) -> AsyncIterator[bytes]:
    # Compression is not asked for; without it httpx's own way of reading adds only cost.
    if "content-encoding" in response.headers:
        return response.aiter_bytes()
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return aiter(response.stream)
