"""The kernel's end of the channel between kernel and browser (`docs/architecture.md`).

Everything happens on one event loop, the background one. Calls from other threads, and messages,
which arrive on the main thread or on a subshell's, only put work there; so a busy cell never
stands in the way, and no two threads ever send at the same time.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence

from cellvoice.errors import CellvoiceError
from cellvoice.protocol import mask_keys

from ._log import Event, EventLog, checked_buffers
from ._pages import Message, Pages
from .code import PageCode

_log = logging.getLogger(__name__)

# The server drops messages past 1,000 a second without a word. Streamed pieces are joined until the
# next flush, and no more than a handful leave in each: never more than 200 a second.
FLUSH_INTERVAL_S = 0.040
SENT_PER_FLUSH = 8
# A page that keeps up is sent no more than 30, however fast a stream comes: each message costs the
# page, and the server in between, more than the bytes in it. The first flush of a second may have
# waited already.
SENT_PER_S = 28

# When to begin anew with a page that was told everything unasked: it may not have been ready yet.
SPEAK_AGAIN_S = (0.2, 0.3, 0.5, 1.0, 2.0, 4.0)

Send = Callable[[Message, list[bytes]], None]
Answer = tuple[Mapping[str, object], Sequence[bytes]]
OnEvent = Callable[[str, str, Mapping[str, object], tuple[bytes, ...]], None]
OnRequest = Callable[[str, Mapping[str, object], tuple[bytes, ...]], Awaitable[Answer]]


class UnknownRequest(CellvoiceError):
    """The page asked for something that this side does not know."""


class Channel:
    """One widget's channel: a log of events for all pages, and an ordered inbox for each page.

    `send` hands one message to the widget. `on_event(page, name, …)` and `on_request` are called on
    `loop`; a request is answered exactly once: with what `on_request` returns, with the error
    that it raises, or as cancelled when the channel is closed first. `code` is the module that a
    page may ask for before it can say anything else.
    """

    def __init__(
        self,
        send: Send,
        *,
        loop: asyncio.AbstractEventLoop,
        on_event: OnEvent,
        on_request: OnRequest,
        on_hello: Callable[[str, Mapping[str, object]], None] = lambda page, hello: None,
        code: PageCode | None = None,
        flush_interval_s: float = FLUSH_INTERVAL_S,
    ) -> None:
        self._send = send
        self._loop = loop
        self._on_event = on_event
        self._on_request = on_request
        self._on_hello = on_hello
        self._flush_interval_s = flush_interval_s
        self._code = code
        self._code_asked = False
        self._log = EventLog()
        self._sent = 0
        self._pages = Pages()
        self._open: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._resting = True
        self._speaks_first = False
        self._closed = False
        # A future of the loop could not be waited for by another thread.
        self._heard = threading.Event()
        self._first_hello: asyncio.Future[None] | None = None
        self._undrained: list[asyncio.Future[None]] = []

    # From any thread

    def emit(self, name: str, data: Mapping[str, object], buffers: Sequence[bytes] = ()) -> None:
        """Tell every page, now and later. Streamed pieces of a turn may be joined on the way."""
        event = Event(name, data, tuple(buffers))
        self._on_loop(lambda: self._add(event))

    def receive(self, content: object, buffers: Sequence[object]) -> None:
        """Take a message of a page; returns at once, whatever thread it is."""
        self._on_loop(lambda: self._take(content, buffers))

    def speak_first(self, pauses_s: Sequence[float] = SPEAK_AGAIN_S) -> None:
        """Tell a page that can't be heard yet, and again after each pause until it is.

        For hosts that keep back what a page says while a cell runs. A page passes over what it
        knows, and asks for the rest as soon as it is heard.
        """
        self._on_loop(lambda: self._speak(list(pauses_s)))

    @property
    def heard(self) -> bool:
        """Whether a page has ever said hello."""
        return self._heard.is_set()

    def close(self) -> None:
        """Send what waits, answer open requests as cancelled, then fall silent."""
        self._on_loop(self._close)

    # On the loop

    async def hello(self) -> None:
        """Wait for the first page to say hello."""
        if self._heard.is_set():
            return
        if self._first_hello is None:
            self._first_hello = self._loop.create_future()
        await asyncio.shield(self._first_hello)

    async def drained(self) -> None:
        """Wait until every event so far was sent; returns at once while there is no page."""
        if self._all_sent or not self._pages or self._closed:
            return
        sent: asyncio.Future[None] = self._loop.create_future()
        self._undrained.append(sent)
        await sent

    def _on_loop(self, work: Callable[[], None]) -> None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self._loop:
            work()
            return
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError:
            # The loop ended with the process or before a fork; there is nobody left to tell.
            _log.debug("a message was dropped: the background loop has ended")

    def _add(self, event: Event) -> None:
        if self._closed:
            return
        self._log.add(event)
        self._flush_soon()

    def _speak(self, pauses_s: list[float]) -> None:
        if self._closed or self.heard:
            return
        self._speaks_first = True
        self._rewind(0)
        if pauses_s:
            self._loop.call_later(pauses_s[0], lambda: self._speak(pauses_s[1:]))

    def _flush_soon(self) -> None:
        """At once after a pause, else when the interval is over."""
        if self._resting:
            self._resting = False
            self._flush_now()

    def _flush_now(self) -> None:
        self._flush = None
        if self._closed:
            return
        sent = self._send_code() + self._send_acks() + self._send_events(SENT_PER_FLUSH)
        if self._all_sent or not self._pages:
            self._tell_drained()
        if sent:
            self._flush = self._loop.call_later(self._pause_s(sent), self._flush_now)
        else:
            self._resting = True

    def _pause_s(self, sent: int) -> float:
        """How long to wait after so many messages; a page that is far behind need not."""
        if self._log.last - self._sent > SENT_PER_FLUSH:
            return self._flush_interval_s
        return max(self._flush_interval_s, sent / SENT_PER_S)

    @property
    def _all_sent(self) -> bool:
        return self._sent == self._log.last and not self._log.waiting

    def _tell_drained(self) -> None:
        waiting, self._undrained = self._undrained, []
        for sent in waiting:
            if not sent.done():
                sent.set_result(None)

    def _send_code(self) -> int:
        """Once, however often it was asked for while the kernel did not hear."""
        if not self._code_asked or self._code is None:
            return 0
        self._code_asked = False
        self._post({"kind": "code", "name": self._code.name}, [self._code.zipped])
        return 1

    def _send_acks(self) -> int:
        acks = self._pages.acks()
        for ack in acks:
            self._post(ack)
        return len(acks)

    def _send_events(self, limit: int) -> int:
        """Send the next events of the log; while no page is there they wait, and may be joined."""
        if not self._pages and not self._speaks_first:
            return 0
        if self._sent == self._log.last:
            # Not before: until they have numbers, pieces that wait are joined.
            self._log.number_waiting()
        sent = 0
        while self._sent < self._log.last and sent < limit:
            self._send_next(self._sent + 1)
            sent += 1
        return sent

    def _send_next(self, number: int) -> None:
        event = self._log.at(number)
        if event is None:
            self._sent = self._log.gap_end(number)
            self._post({"kind": "gap", "seq": number, "upto": self._sent})
            return
        self._sent = number
        self._post(
            {"kind": "event", "seq": number, "name": event.name, "data": dict(event.data)},
            list(event.buffers),
        )

    def _post(self, message: Message, buffers: list[bytes] | None = None) -> None:
        try:
            self._send({"v": 1, **message}, buffers or [])
        except Exception:  # noqa: BLE001 (whatever a comm raises)
            # A closed comm or a kernel that shuts down: the turn itself must not suffer from it.
            _log.warning("a message could not be sent to the page", exc_info=True)

    def _take(self, content: object, buffers: Sequence[object]) -> None:
        if self._closed or not isinstance(content, Mapping):
            return
        page, kind = content.get("page"), content.get("kind")
        if content.get("v") == 1 and kind == "code":
            self._code_asked = True
            self._flush_soon()
            return
        if content.get("v") != 1 or not isinstance(page, str) or not 0 < len(page) <= 64:
            _log.warning("a message without version 1 and a page was ignored")
            return
        if kind == "hello":
            self._take_hello(page, content)
        elif kind == "resend":
            self._rewind(_count(content.get("from"), 1) - 1)
            self._repeat_answers(page)
        elif kind in ("event", "request"):
            self._take_numbered(page, kind, content, buffers)
        else:
            _log.warning("a message of unknown kind was ignored")

    def _take_hello(self, page: str, content: Mapping[str, object]) -> None:
        self._pages.at(page)
        self._post({"kind": "welcome", "page": page})
        self._rewind(_count(content.get("have"), 0))
        if not self._heard.is_set():
            self._heard.set()
            if self._first_hello is not None and not self._first_hello.done():
                self._first_hello.set_result(None)
        self._guarded(lambda: self._on_hello(page, content))

    def _rewind(self, have: int) -> None:
        """Send again what follows `have`. All pages see it; those that know it pass over it."""
        self._sent = min(self._sent, max(have, 0))
        self._flush_soon()

    def _take_numbered(
        self, name: str, kind: str, content: Mapping[str, object], buffers: Sequence[object]
    ) -> None:
        page = self._pages.at(name)
        if page.accept(_count(content.get("seq"), 0)):
            what, data = content.get("name"), content.get("data")
            what = what if isinstance(what, str) else ""
            data = data if isinstance(data, Mapping) else {}
            if kind == "event":
                self._guarded(lambda: self._on_event(name, what, data, checked_buffers(buffers)))
            elif isinstance(request := content.get("id"), str):
                answer = self._on_request(what, data, checked_buffers(buffers))
                self._start_answer(name, request, answer)
        self._flush_soon()

    def _guarded(self, work: Callable[[], None]) -> None:
        """One message that can't be handled must not take the next ones with it."""
        try:
            work()
        except Exception:  # noqa: BLE001 (whatever a handler raises)
            _log.warning("a message of the page could not be handled", exc_info=True)

    def _start_answer(self, page: str, request: str, answer: Awaitable[Answer]) -> None:
        task = self._loop.create_task(self._answer(page, request, answer))
        self._open[page, request] = task

    async def _answer(self, page: str, request: str, answer: Awaitable[Answer]) -> None:
        try:
            data, buffers = await answer
            self._give(page, request, "result", data, buffers)
        except asyncio.CancelledError:
            self._give(page, request, "cancelled", {})
            raise
        except CellvoiceError as error:
            failure = {"name": type(error).__name__, "message": mask_keys(str(error))}
            self._give(page, request, "error", failure)
        except Exception as error:  # noqa: BLE001 (every request gets an answer)
            _log.exception("a request of the page failed")
            sentence = "something went wrong in the kernel; its log has the details"
            self._give(page, request, "error", {"name": type(error).__name__, "message": sentence})

    def _give(
        self,
        page: str,
        request: str,
        kind: str,
        data: Mapping[str, object],
        buffers: Sequence[bytes] = (),
    ) -> None:
        """The one answer to a request; a second one is not given."""
        if self._open.pop((page, request), None) is None:
            return
        message: Message = {"kind": kind, "page": page, "id": request, "data": dict(data)}
        self._pages.at(page).keep(request, message, list(buffers))
        self._post(message, list(buffers))

    def _repeat_answers(self, page: str) -> None:
        """The page misses something; it passes over answers that it has."""
        for message, buffers in self._pages.at(page).kept():
            self._post(message, buffers)

    def _close(self) -> None:
        if self._closed:
            return
        if self._pages:
            self._send_acks()
            while self._send_events(SENT_PER_FLUSH):
                pass
        for (page, request), task in list(self._open.items()):
            # The widget is closed right after this, so the task's own answer would come too late.
            self._give(page, request, "cancelled", {})
            task.cancel()
        self._closed = True
        # Whoever still holds the channel must not hold the sound of its turns with it.
        self._log = EventLog()
        self._pages = Pages()
        self._resting = True
        self._tell_drained()
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None


def _count(value: object, otherwise: int) -> int:
    """A number of a message; anything that is none counts as `otherwise`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return otherwise
    return value
