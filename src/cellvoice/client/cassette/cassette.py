"""A recording of questions and answers that stands in for the network."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import httpx

from cellvoice.errors import UsageError
from cellvoice.protocol.asked import Asked

from ._exchange import Exchange
from ._index import Index, exchanges_in, table
from ._matching import Answers, miss
from ._over import Over
from ._private import Mask
from ._recording import Recorded, Recording
from ._replaying import recorded_with, replayed
from ._store import Folder, Zip, pack, store_at
from ._timing import Clocks, Pace, Timing, checked_timing

__all__ = ["Cassette"]

_log = logging.getLogger("cellvoice.cassette")

Mode = Literal["replay", "record", "auto"]
_MODES: Final = ("replay", "record", "auto")


class Cassette(httpx.AsyncBaseTransport):
    """Recorded traffic at a path: a folder, or the same packed as one zip file.

    `mode` "replay" answers from the recording alone, without a key and without a network, and
    raises CassetteMiss for a request that is not in it; "record" asks and records everything;
    "auto" replays what is recorded and asks and records the rest. `timing` is how replies are
    played: "real", "instant", or how many times faster than they came.

    "record" refuses a path that has a recording, unless `overwrite` is set: then the old one is
    removed when the first request is made. `transport` is what is asked in place of the network.
    Nothing is read or written before the first request. Raises UsageError for arguments that can't
    be, and before anything is sent if the recording can't be read or made.

    Leaving a reply early closes it, as on the wire; a cancel ends the wait for its next piece.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mode: Mode = "replay",
        *,
        timing: Timing = "real",
        overwrite: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        if mode not in _MODES:
            raise UsageError(f"mode={mode!r}: expected 'replay', 'record' or 'auto'")
        if not os.fspath(path):
            raise UsageError("a cassette is at a path, got an empty one; expected such as 'lesson'")
        self._store = store_at(Path(path).expanduser().absolute())
        self._name = Path(path).name
        self._mode: Mode = mode
        self._speed = checked_timing(timing)
        self._clocks = clocks or Clocks()
        self._overwrite = overwrite
        self._transport: httpx.AsyncBaseTransport | None = transport
        self._lock = threading.Lock()
        self._opened: Answers | None = None
        self._index: Index | None = None
        self._fault: OSError | None = None
        self._running: weakref.WeakSet[Recording] = weakref.WeakSet()

    def __repr__(self) -> str:
        return f"Cassette({self._name!r}, mode={self._mode!r})"

    @property
    def path(self) -> Path:
        """The folder, or the zip file."""
        return self._store.path

    @property
    def mode(self) -> Mode:
        """What is done with a request: "replay", "record" or "auto"."""
        return self._mode

    @property
    def recorded(self) -> bool:
        """Whether there is a recording at the path."""
        return self._store.exists()

    @property
    def badge(self) -> str:
        """What stands in for the service when replaying, else "". Raises UsageError."""
        if self._mode != "replay":
            return ""
        exchanges = self._answers().exchanges
        answered = next((one for one in exchanges if one.told), None)
        first = answered or next(iter(exchanges), None)
        return recorded_with(self._name, first) if first else f"replayed from {self._name}"

    @property
    def notice(self) -> str:
        """What the user should know before asking, in a sentence."""
        if self._mode == "replay":
            return f"{self.badge}: nothing is sent and nothing is paid"
        verb = "is recorded" if self._mode == "record" else "that is not recorded yet is recorded"
        return f"what is asked and answered {verb} in {self._name}, with its sound"

    def clock(self) -> float:
        """The time in Unix seconds by which a conversation should go.

        When replaying it is the moment at which the next exchange was asked: a spoken answer can
        be named by its id for an hour only, and that hour is the recording's. Otherwise it is now.
        """
        if self._mode == "record" or (self._mode == "auto" and not self.recorded):
            return self._clocks.now()
        answers = self._answers()
        at = answers.next_at()
        if at is None and self._mode == "replay":
            at = answers.end_at
        return self._clocks.now() if at is None else at

    def rewind(self) -> None:
        """Begin anew: requests that were recorded several times are answered from the first."""
        with self._lock:
            if self._opened is not None:
                self._opened.rewind()

    def pack(self, path: str | os.PathLike[str]) -> None:
        """Write the recording as one zip file, to be replayed as it is. Raises UsageError."""
        target = Path(path).expanduser()
        if target.suffix.lower() != ".zip":
            raise UsageError(f"cannot pack to {target.name!r}, expected a name that ends in .zip")
        self._needs_recording()
        try:
            pack(self._store, target)
        except OSError as error:
            raise UsageError(f"{target} can't be written ({error.strerror or error})") from error

    def check(self) -> None:
        """See that there is something to replay, if that is all it is to do. Raises UsageError."""
        if self._mode == "replay":
            self._needs_recording()

    def describe(self) -> str:
        """The recording as a table. Raises UsageError if there is none."""
        self._needs_recording()
        return table(exchanges_in(self._store))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; what is to be asked goes to the cassette's own `transport`."""
        return await self._answer(request, self._own_network)

    async def settled(self) -> None:
        """Wait until every reply that has ended is on the disk.

        A reply that is closed has waited already; a question that was cancelled has not.
        """
        for recording in [one for one in self._running if one.ended]:
            await recording.written()

    async def aclose(self) -> None:
        """Close the connections, and wait for the disk."""
        await self.settled()
        if self._transport is not None:
            await self._transport.aclose()

    def over(
        self, open_network: Callable[[], httpx.AsyncBaseTransport]
    ) -> httpx.AsyncBaseTransport:
        """This cassette before a network, which is opened when it is needed and not before."""
        return Over(self._answer, open_network, self.settled)

    def _own_network(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport()
        return self._transport

    async def _answer(
        self, request: httpx.Request, network: Callable[[], httpx.AsyncBaseTransport]
    ) -> httpx.Response:
        pace, asked_at = Pace(self._speed, self._clocks), self._clocks.now()
        body = await request.aread()
        path = request.url.path
        asked = await asyncio.to_thread(Asked.of, request.method, path, body)
        if self._mode != "record":
            found = await asyncio.to_thread(self._find, asked)
            if found is not None:
                words = recorded_with(self._name, found)
                return await replayed(found, self._store, request, pace, words)
        mask = Mask(request.headers.multi_items())
        recording = await asyncio.to_thread(self._begin, asked, asked_at, mask)
        return await self._ask(request, network(), recording)

    def _find(self, asked: Asked) -> Exchange | None:
        answers = self._answers()
        with self._lock:
            found = answers.find(asked)
        if found is None and self._mode == "replay":
            raise miss(self._name, asked, answers.exchanges)
        return found

    async def _ask(
        self, request: httpx.Request, network: httpx.AsyncBaseTransport, recording: Recording
    ) -> httpx.Response:
        start_s = self._clocks.monotonic()

        def since_s() -> float:
            return self._clocks.monotonic() - start_s

        try:
            response = await network.handle_async_request(request)
        except asyncio.CancelledError:
            recording.end("stopped", since_s())
            raise
        except BaseException:
            # No answer came, so there is nothing to replay; the question may be asked again.
            recording.forget()
            await recording.written()
            raise
        recording.begin(response, since_s())
        assert isinstance(response.stream, httpx.AsyncByteStream)
        # A new one: that of a transport which has the whole body at hand would not be read again.
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=Recorded(response.stream, recording, since_s),
            extensions=response.extensions,
            request=request,
        )

    def _begin(self, asked: Asked, asked_at: float, mask: Mask) -> Recording:
        """Start the file of an exchange. Raises UsageError, so that nothing is sent for nothing."""
        answers, folder = self._answers(), self._store
        fault, self._fault = self._fault, None
        if fault is not None:
            raise UsageError(self._unwritable(fault)) from fault
        assert isinstance(folder, Folder)
        index = self._index = self._index or Index(folder)
        try:
            number, path = folder.claim()
        except OSError as error:
            raise UsageError(self._unwritable(error)) from error

        def done(exchange: Exchange) -> None:
            with self._lock:
                answers.add(exchange)

        def failed(error: OSError) -> None:
            self._fault = error
            # Nobody may ask again, so it is not left to the next request alone.
            _log.error("%s lacks an exchange, its reply is not affected: %s", self._name, error)

        exchange = Exchange(number, asked_at, mask.asked(asked))
        recording = Recording(folder, index, path, exchange, mask, done=done, failed=failed)
        self._running.add(recording)
        return recording

    def _answers(self) -> Answers:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> Answers:
        """Read what is recorded, and see that what is to be written can be."""
        if self._mode == "replay":
            self._needs_recording()
            return Answers(exchanges_in(self._store))
        if isinstance(self._store, Zip):
            raise UsageError(
                f"{self._name} is packed and can't be added to; unpack it and name the folder"
            )
        if self._mode == "auto" or not self.recorded:
            return Answers(exchanges_in(self._store))
        if not self._overwrite:
            raise UsageError(
                f"{self._name} has a recording; delete the folder or take another name, add to it "
                "with mode='auto', or pass overwrite=True to record it anew"
            )
        self._overwrite = False
        try:
            self._store.clear()
        except OSError as error:
            raise UsageError(self._unwritable(error)) from error
        return Answers(())

    def _needs_recording(self) -> None:
        if not self.recorded:
            raise UsageError(
                f"there is no recording at {str(self.path)!r}; copy the cassette's folder or zip "
                f"file there, or make one with cv.Cassette({self._name!r}, mode='record')"
            )

    def _unwritable(self, error: OSError) -> str:
        return (
            f"{self._name} can't be recorded ({error.strerror or error}), so nothing was sent; "
            "make room or take a folder that can be written"
        )
