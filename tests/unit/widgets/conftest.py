"""A page with a script, on a line that loses, doubles and overtakes; time is turned by hand."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from cellvoice.widgets import Answer, Channel
from cellvoice.widgets.code import PageCode

Message = dict[str, Any]
Line = Callable[[], list[float]]

RESEND_AFTER_S = 0.5
WINDOW = 32


class HandClock:
    """Runs what is due, in order, without waiting; asyncio's own work is done in between."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def later(self, delay_s: float, work: Callable[[], None]) -> Callable[[], None]:
        cancelled = False

        def run() -> None:
            if not cancelled:
                work()

        def cancel() -> None:
            nonlocal cancelled
            cancelled = True

        self._count += 1
        heapq.heappush(self._due, (self.now_s + delay_s, self._count, run))
        return cancel

    async def run(self, for_s: float) -> None:
        until_s = self.now_s + for_s
        while self._due and self._due[0][0] <= until_s:
            self.now_s, _, work = heapq.heappop(self._due)
            work()
            await settle()
        self.now_s = until_s
        await settle()


async def settle() -> None:
    """Let the tasks that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


class HandLoop:
    """The part of an event loop that a channel uses, with the clock's time."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self._real = asyncio.get_running_loop()

    def time(self) -> float:
        return self._clock.now_s

    def call_later(self, delay_s: float, work: Callable[[], None]) -> Any:
        cancel = self._clock.later(delay_s, work)

        class Handle:
            def cancel(self) -> None:
                cancel()

        return Handle()

    def call_soon_threadsafe(self, work: Callable[[], None]) -> None:
        self._clock.later(0.0, work)

    def create_task(self, coroutine: Any) -> Any:
        return self._real.create_task(coroutine)

    def create_future(self) -> Any:
        return self._real.create_future()


def steady() -> list[float]:
    return [0.005]


def nowhere() -> list[float]:
    return []


def rough(dice: random.Random, loss: float = 0.2, double: float = 0.2) -> Line:
    """Each message may be lost, doubled, and overtaken by later ones."""

    def line() -> list[float]:
        if dice.random() < loss:
            return []
        copies = 2 if dice.random() < double else 1
        return [dice.uniform(0.001, 0.12) for _ in range(copies)]

    return line


@dataclass
class ScriptedPage:
    """The page's half of the contract in docs/architecture.md."""

    name: str
    clock: HandClock
    to_kernel: Line
    deliver: Callable[[Message, list[bytes]], None]
    lab: bool = False
    have: int = 0
    welcomed: bool = False
    closed: bool = False
    events: list[tuple[str, Mapping[str, Any], list[bytes]]] = field(default_factory=list)
    answers: dict[str, list[Message]] = field(default_factory=dict)
    received: int = 0
    queue: list[tuple[Message, list[bytes]]] = field(default_factory=list)
    next_seq: int = 1

    def open(self) -> None:
        if self.welcomed or self.closed:
            return
        self._post({"kind": "hello", "have": self.have, "lab": self.lab})
        self.clock.later(0.25, self.open)

    def close(self) -> None:
        self.closed = True

    def emit(self, name: str, data: Mapping[str, Any], *buffers: bytes) -> None:
        self._enqueue({"kind": "event", "name": name, "data": data}, list(buffers))

    def request(self, name: str, data: Mapping[str, Any], *buffers: bytes) -> str:
        request = f"{self.name}.{self.next_seq}"
        self.answers[request] = []
        self._enqueue({"kind": "request", "id": request, "name": name, "data": data}, list(buffers))
        self.clock.later(2.0, lambda: self._probe(request))
        return request

    def take(self, message: Message, buffers: list[bytes]) -> None:
        if self.closed:
            return
        self.received += 1
        assert message["v"] == 1
        kind = message["kind"]
        if kind == "event":
            self._event(message, buffers)
        elif kind == "gap":
            self._gap(message)
        elif kind == "code" or message["page"] != self.name:
            return
        elif kind == "welcome":
            self.welcomed = True
        elif kind == "ack":
            self.queue = [sent for sent in self.queue if sent[0]["seq"] > message["seq"]]
        else:
            self.answers[message["id"]].append(message)

    def _event(self, message: Message, buffers: list[bytes]) -> None:
        if message["seq"] == self.have + 1:
            self.have += 1
            self.events.append((message["name"], message["data"], buffers))
        elif message["seq"] > self.have + 1:
            self._post({"kind": "resend", "from": self.have + 1})

    def _gap(self, message: Message) -> None:
        if message["seq"] > self.have + 1:
            self._post({"kind": "resend", "from": self.have + 1})
        else:
            self.have = max(self.have, message["upto"])

    def _probe(self, request: str) -> None:
        if not self.answers[request] and not self.closed:
            self._post({"kind": "resend", "from": self.have + 1})
            self.clock.later(2.0, lambda: self._probe(request))

    def _enqueue(self, content: Message, buffers: list[bytes]) -> None:
        message = {**content, "seq": self.next_seq}
        self.next_seq += 1
        self.queue.append((message, buffers))
        if len(self.queue) <= WINDOW:
            self._post(message, buffers)
        if len(self.queue) == 1:
            self.clock.later(RESEND_AFTER_S, self._again)

    def _again(self) -> None:
        if self.closed or not self.queue:
            return
        for message, buffers in self.queue[:WINDOW]:
            self._post(message, buffers)
        self.clock.later(RESEND_AFTER_S, self._again)

    def _post(self, content: Message, buffers: list[bytes] | None = None) -> None:
        message = {"v": 1, "page": self.name, **content}
        for delay_s in self.to_kernel():
            self.clock.later(delay_s, lambda: self.deliver(message, buffers or []))


CODE = PageCode.of(b"a zipped module")


class Rig:
    """A channel and its pages."""

    def __init__(self, clock: HandClock, to_page: Line, to_kernel: Line) -> None:
        self.clock = clock
        self.to_page = to_page
        self.to_kernel = to_kernel
        self.pages: list[ScriptedPage] = []
        self.sent: list[tuple[float, Message]] = []
        self.modules: list[bytes] = []
        self.heard: list[tuple[str, str, Mapping[str, Any], tuple[bytes, ...]]] = []
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.answer: Callable[[str, Mapping[str, Any]], Any] = default_answer
        self.channel = Channel(
            self._send,
            loop=HandLoop(clock),  # type: ignore[arg-type]
            on_event=lambda *event: self.heard.append(event),
            on_request=self._answer,
            code=CODE,
        )

    def page(self, name: str, *, mute: bool = False, **options: Any) -> ScriptedPage:
        to_kernel = nowhere if mute else self.to_kernel
        page = ScriptedPage(name, self.clock, to_kernel, self.channel.receive, **options)
        self.pages.append(page)
        page.open()
        return page

    def _send(self, message: Message, buffers: list[bytes]) -> None:
        self.sent.append((self.clock.now_s, message))
        if message["kind"] == "code":
            self.modules += buffers
        for page in self.pages:
            for delay_s in self.to_page():
                self.clock.later(delay_s, lambda page=page: page.take(message, buffers))

    async def _answer(self, name: str, data: Mapping[str, Any], buffers: Any) -> Answer:
        self.asked.append((name, data))
        answer: Answer = await self.answer(name, data)
        return answer


async def default_answer(name: str, data: Mapping[str, Any]) -> Answer:
    return {"name": name}, [b"sound"]


@pytest.fixture
async def rig() -> Rig:
    """A channel on a line that loses nothing."""
    return Rig(HandClock(), steady, steady)


@pytest.fixture
def make_rig() -> Callable[[int], Rig]:
    """A channel on a rough line; the same seed gives the same run."""

    def make(seed: int) -> Rig:
        dice = random.Random(seed)
        return Rig(HandClock(), rough(dice), rough(dice))

    return make
