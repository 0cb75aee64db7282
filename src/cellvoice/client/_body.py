"""A request's body for httpx: in pieces where it is large, so that it is never whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx

from cellvoice.protocol import Request

__all__ = ["content_of"]

# Below this the pieces cost more than they save.
_WHOLE_BYTES = 65_536


def content_of(
    request: Request, on_sent: Callable[[], object] | None = None
) -> tuple[bytes | httpx.AsyncByteStream, int]:
    """What httpx is given to send, and its length in bytes.

    `on_sent` is called when the last piece was taken, if it goes in pieces.
    """
    length = request.content_length
    if length <= _WHOLE_BYTES:
        return request.body(), length
    return _Pieces(request, on_sent), length


class _Pieces(httpx.AsyncByteStream):
    """The body, written out anew each time it is sent."""

    def __init__(self, request: Request, on_sent: Callable[[], object] | None) -> None:
        self._request = request
        self._on_sent = on_sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._request.pieces():
            yield piece
        # Whoever asks for more than the last piece has sent that one.
        if self._on_sent is not None:
            self._on_sent()
