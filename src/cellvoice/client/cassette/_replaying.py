"""Replaying: the recorded bytes, in the recorded pieces, when they came or at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import httpx

from cellvoice.client._replayed import REPLAYED, RecordingStopped
from cellvoice.protocol.tape import put_together
from cellvoice.protocol.taped_sound import StoredSound, sound_bytes

from ._exchange import Exchange
from ._store import Folder, Zip
from ._timing import Pace

__all__ = ["recorded_with", "replayed"]

_CUTS: Final = {
    error.__name__: error
    for error in (
        httpx.CloseError,
        httpx.PoolTimeout,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        httpx.WriteError,
    )
}


async def replayed(
    exchange: Exchange, store: Folder | Zip, request: httpx.Request, pace: Pace, words: str
) -> httpx.Response:
    """The recorded response. Raises RecordingStopped if it was stopped before it began."""
    body = await asyncio.to_thread(_body, exchange, store)
    if exchange.status is None:
        await pace.until(exchange.end_s)
        raise _end_of(exchange, request)
    await pace.until(exchange.head_s)
    return httpx.Response(
        exchange.status,
        headers=pace.headers(exchange.headers),
        stream=_Replayed(exchange, body, request, pace),
        extensions={REPLAYED: words},
        request=request,
    )


def recorded_with(name: str, exchange: Exchange) -> str:
    """ "replayed from lesson, recorded 2026-11-25 with gpt-audio"."""
    day = datetime.fromtimestamp(exchange.asked_at, UTC).date()
    who = exchange.told.get("engine") or exchange.model or "an unknown model"
    return f"replayed from {name}, recorded {day} with {who}"


def _body(exchange: Exchange, store: Folder | Zip) -> bytes:
    known: dict[str, bytes] = {}

    def sound(name: str) -> bytes:
        if name not in known:
            known[name] = sound_bytes(StoredSound(name, store.read(f"sound/{name}")))
        return known[name]

    return put_together(exchange.lines, sound)


class _Replayed(httpx.AsyncByteStream):
    def __init__(self, exchange: Exchange, body: bytes, request: httpx.Request, pace: Pace) -> None:
        self._exchange = exchange
        self._body = body
        self._request = request
        self._pace = pace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        start = 0
        for at_s, size in self._exchange.arrivals:
            await self._pace.until(at_s)
            yield self._body[start : start + size]
            start += size
        await self._pace.until(self._exchange.end_s)
        if self._exchange.end != "complete":
            raise _end_of(self._exchange, self._request)


def _end_of(exchange: Exchange, request: httpx.Request) -> Exception:
    if exchange.end == "stopped":
        return RecordingStopped("the reply was stopped here when it was recorded")
    kind = _CUTS.get(exchange.error, httpx.RemoteProtocolError)
    return kind("the recorded reply was cut here", request=request)
