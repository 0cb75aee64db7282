"""`session.listen()`: record in the browser, send, and hear the reply in the same cell."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from cellvoice.audio import Clip
from cellvoice.errors import Stopped, UsageError
from cellvoice.protocol import Event
from cellvoice.session import Session, Turn, background_loop, run
from cellvoice.widgets import Answer

from ._frontend import HELLO_TIMEOUT_S
from ._live import Data, Live, open_live
from ._place import Here, place
from ._recording import Recording
from ._slot import Slot
from .live import freeze_into, remember, sentence_bundle
from .pad import pad_state

T = TypeVar("T")

_RUNNING = "Recording happens in the browser; run this cell in JupyterLab to talk."
_NO_PAGE = (
    "There is no browser to record in, so nothing was asked; ask with a file instead: "
    'session.say(cv.Clip.read("question.wav"))'
)
_NOT_HEARD = (
    f"This page did not answer within {HELLO_TIMEOUT_S:.0f} s, perhaps because its settings keep "
    "it from reaching a busy kernel; the turn is asked when you send"
)


def listen(session: Session, overrides: Mapping[str, object], where: Here) -> Turn:
    """Wait in the cell until something was sent, then for the reply; see `Session.listen`."""
    turn, listening = _open(session, overrides, where)
    if listening is None:
        return turn
    if not where.hearing.blocking:
        listening.late(where.hearing.reason)
        return turn
    try:
        sent = run(listening.sent())
    except KeyboardInterrupt:
        if not listening.asked:
            raise Stopped(run(listening.give_up())) from None
        turn.stop()
        sent = True
    if not sent:
        listening.late(_NOT_HEARD)
        return turn
    return session.wait(turn)


async def alisten(session: Session, overrides: Mapping[str, object], where: Here) -> Turn:
    """As `listen`, for `await` in a cell."""
    turn, listening = _open(session, overrides, where)
    if listening is None:
        return turn
    if not where.hearing.awaiting:
        listening.late(where.hearing.reason)
        return turn
    try:
        sent = await _on_background(listening.sent())
    except asyncio.CancelledError:
        if not listening.asked:
            await asyncio.shield(_on_background(listening.give_up()))
        raise
    if not sent:
        listening.late(_NOT_HEARD)
        return turn
    return await session.await_turn(turn)


async def _on_background(coroutine: Coroutine[Any, Any, T]) -> T:
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, background_loop()))


def _open(
    session: Session, overrides: Mapping[str, object], where: Here
) -> tuple[Turn, Listening | None]:
    turn = session.pending_turn(overrides)
    remember(turn, where.execution)
    slot = Slot()
    if not where.hearing.page:
        slot.put(sentence_bundle(_NO_PAGE))
        return turn, None
    live, sentence = open_live("listen")
    if live is None:
        slot.put(sentence_bundle(sentence))
        return turn, None
    return turn, Listening(session, turn, dict(overrides), live, slot)


class Listening:
    """The kernel's end of one shown recorder, until its turn has ended."""

    def __init__(
        self,
        session: Session,
        turn: Turn,
        overrides: Mapping[str, object],
        live: Live,
        slot: Slot,
    ) -> None:
        self._session = session
        self._turn = turn
        self._overrides = overrides
        self._live = live
        self._slot = slot
        self._place = place()
        self._recording = Recording(live, session)
        self._asked = asyncio.Event()
        self._closed = False
        live.requests["send"] = self._send
        live.hello_listener = lambda page, hello: self._recording.hello(page)
        slot.put({**live.widget_bundle(), **sentence_bundle(_RUNNING)})
        live.channel.emit("pad.state", pad_state(session))
        live.channel.emit("listen.state", {"phase": "ready", "sentence": ""})

    @property
    def asked(self) -> bool:
        """Whether something was sent, and the turn runs."""
        return self._asked.is_set()

    def late(self, reason: str) -> None:
        """The cell ends before anything was said; the page says why, and so does the cell."""
        self._live.channel.emit("listen.state", {"phase": "late", "sentence": reason})
        print(reason)  # noqa: T201 (it is meant for the cell's output)

    async def sent(self) -> bool:
        """Wait until something was sent; False when no page says hello in time."""
        if not await self._live.met():
            return False
        await self._asked.wait()
        return True

    async def give_up(self) -> str:
        """End the wait, keep what was recorded, and say where it lies."""
        self._closed = True
        kept = self._recording.takes.keep()
        sentence = "nothing was sent"
        if kept:
            sentence += f"; the recording is kept in {kept[-1]}"
        self._turn.give_up(sentence)
        self._live.channel.emit("listen.state", {"phase": "closed", "sentence": sentence})
        self._slot.put(sentence_bundle(f"Stopped: {sentence}."))
        self._live.close()
        return sentence

    def started(self, turn: Turn) -> None:
        self._live.started(turn)

    def event(self, turn: Turn, event: Event) -> None:
        self._live.event(turn, event)

    async def ended(self, turn: Turn) -> None:
        await freeze_into(turn, self._slot, self._place, self._live)

    async def _send(self, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        if self._closed or self.asked:
            raise UsageError("this was sent already; run the cell again to say something new")
        said = self._recording.input(data)
        self._slot.run(self._start, said)
        self._recording.takes.sent(data.get("take"))
        self._asked.set()
        return {"turn": self._turn.id}, ()

    def _start(self, said: str | Clip) -> None:
        self._session.start_turn(said, view=self, overrides=self._overrides, turn=self._turn)
