"""Recording: the bytes pass at once, and a thread of their own writes them down."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx

from cellvoice.protocol.tape import taken_apart

from . import _exchange
from ._exchange import End, Exchange
from ._index import Index
from ._private import Mask, Piece, kept_headers
from ._store import Folder, write_whole
from ._told import told_by, whole

__all__ = ["Recorded", "Recording"]

_log = logging.getLogger("cellvoice.cassette")

_EVENT_STREAM: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class _Ended:
    how: End
    at_s: float
    error: str = ""


_Told = Exchange | Piece | _Ended | None


class Recording:
    """One exchange while it is recorded. What goes wrong on the disk is told by `failed`, later.

    After a crash the file has every line of the reply that had come, and no last line.
    """

    def __init__(
        self,
        folder: Folder,
        index: Index,
        path: Path,
        exchange: Exchange,
        mask: Mask,
        *,
        done: Callable[[Exchange], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._folder = folder
        self._index = index
        self._path = path
        self._mask = mask
        self._done = done
        self._failed = failed
        self._exchange = exchange
        self._encoding = ""
        self._news: queue.SimpleQueue[_Told] = queue.SimpleQueue()
        self._ended = False
        # A reply that nobody closes must not keep the process from ending; what came is written.
        self._thread = threading.Thread(target=self._write, name="cellvoice-cassette", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._ended

    def begin(self, response: httpx.Response, at_s: float) -> None:
        """The reply's head has come."""
        self._encoding = response.headers.get("content-encoding", "").replace("identity", "")
        self._news.put(
            replace(
                self._exchange,
                status=response.status_code,
                headers=kept_headers(response.headers),
                head_s=at_s,
            )
        )

    def add(self, at_s: float, data: bytes) -> None:
        """Some bytes have come."""
        self._news.put((at_s, data))

    def end(self, how: End, at_s: float, error: str = "") -> None:
        """There is no more. Only the first call counts."""
        if not self._ended:
            self._ended = True
            self._news.put(_Ended(how, at_s, error))

    def forget(self) -> None:
        """There was no answer: nothing is kept."""
        self._ended = True
        self._news.put(None)

    async def written(self) -> None:
        """Wait until all is on the disk."""
        await asyncio.to_thread(self._thread.join)

    def _write(self) -> None:
        try:
            self._write_down()
        except OSError as error:
            self._failed(error)
        except Exception:  # noqa: BLE001 (a fault in here must not end the process's thread unseen)
            _log.exception("an exchange was not recorded; its reply is not affected")

    def _write_down(self) -> None:
        exchange, pieces = self._exchange, list[Piece]()
        for sound in exchange.asked.stored_sounds():
            self._folder.keep(sound)
        lines = _Lines(self._mask)
        with self._path.open("ab", buffering=0) as spool:
            spool.write(_exchange.opening(exchange))
            while not isinstance(news := self._news.get(), _Ended):
                if news is None:
                    break
                if isinstance(news, Exchange):
                    exchange = news
                    spool.write(_exchange.started(exchange))
                    continue
                pieces.append(news)
                # A refusal is short and may quote a key; what is compressed can't be looked into.
                if exchange.status == httpx.codes.OK and not self._encoding:
                    for at_s, data in lines.take(*news):
                        spool.write(_exchange.piece(at_s, data))
        if news is None:
            self._path.unlink()
        else:
            self._finish(exchange, pieces, news)

    def _finish(self, exchange: Exchange, pieces: list[Piece], last: _Ended) -> None:
        refusal = exchange.status != httpx.codes.OK
        pieces = self._mask.pieces(_decompressed(pieces, self._encoding), refusal=refusal)
        body = b"".join(data for _, data in pieces)
        streamed = exchange.headers.get("content-type", "").startswith(_EVENT_STREAM)
        taken = taken_apart(body, streamed=streamed)
        how = last.how
        # A reader that has seen the end need not wait for the last byte.
        if how == "stopped" and exchange.status and (refusal or whole(body, streamed=streamed)):
            how = "complete"
        exchange = replace(
            exchange,
            arrivals=tuple((at_s, len(data)) for at_s, data in pieces),
            lines=taken.lines if body else (),
            end=how,
            end_s=last.at_s,
            error=last.error,
            told={} if refusal else told_by(body, streamed=streamed),
        )
        for sound in taken.sounds:
            self._folder.keep(sound)
        write_whole(self._path, _exchange.written(exchange))
        self._done(exchange)
        self._index.write()


class Recorded(httpx.AsyncByteStream):
    """A body that is passed on as it comes."""

    def __init__(
        self, body: httpx.AsyncByteStream, recording: Recording, since_s: Callable[[], float]
    ) -> None:
        self._body = body
        self._recording = recording
        self._since_s = since_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._body:
                self._recording.add(self._since_s(), data)
                yield data
        except httpx.RequestError as error:
            self._recording.end("cut", self._since_s(), type(error).__name__)
            raise
        self._recording.end("complete", self._since_s())

    async def aclose(self) -> None:
        """Close the connection, then wait for the disk: what has been told is also kept."""
        try:
            await self._body.aclose()
        finally:
            self._recording.end("stopped", self._since_s())
            await self._recording.written()


class _Lines:
    """Holds bytes back until their line is whole: a key must not hide in two pieces."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._held = bytearray()

    def take(self, at_s: float, data: bytes) -> list[Piece]:
        end = data.rfind(b"\n") + 1
        if not end:
            self._held += data
            return []
        lines = bytes(self._held) + data[:end]
        self._held = bytearray(data[end:])
        return [(at_s, data) for _, data in self._mask.pieces([(at_s, lines)], refusal=False)]


def _decompressed(pieces: list[Piece], encoding: str) -> list[Piece]:
    """What was compressed on the wire, as one piece: it could not be masked otherwise."""
    if not encoding or not pieces:
        return pieces
    body = b"".join(data for _, data in pieces)
    try:
        plain = httpx.Response(200, headers={"content-encoding": encoding}, content=body).content
    except httpx.DecodingError:
        plain = b""
    return [(pieces[-1][0], plain)]
