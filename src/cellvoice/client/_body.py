"""A request's body for httpx: in pieces where it is large, so that it is never whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from cellvoice.protocol import Request

__all__ = ["content_of"]

# Below this the pieces cost more than they save.
_WHOLE_BYTES = 65_536


def content_of(request: Request) -> tuple[bytes | httpx.AsyncByteStream, int]:
    """What httpx is given to send, and its length in bytes."""
    length = request.content_length
    if length <= _WHOLE_BYTES:
        return request.body(), length
    return _Pieces(request), length


class _Pieces(httpx.AsyncByteStream):
    """The body, written out anew each time it is sent."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._request.pieces():
            yield piece
