"""`session.listen()`: record in the browser, send, and hear the reply in the same cell."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from cellvoice.audio import Clip
from cellvoice.errors import Stopped, UsageError
from cellvoice.protocol import Event
from cellvoice.session import Session, Turn, Waiting, background_loop, run
from cellvoice.widgets import Answer

from ._cells import put_in_cell
from ._frontend import HELLO_TIMEOUT_S
from ._live import Data, Live, open_live
from ._place import Here, place
from ._recording import Recording
from ._slot import Output, Slot
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
    try:
        listening.show(where)
        if not where.hearing.blocking:
            listening.late(where.hearing.reason)
            return turn
        heard = run(listening.sent())
    except KeyboardInterrupt:
        sentence = run(listening.give_up())
        if sentence is not None:
            raise Stopped(sentence) from None
        return session.interrupted(turn)
    if not heard:
        listening.late(_NOT_HEARD)
        return turn
    return session.wait(turn)


async def alisten(session: Session, overrides: Mapping[str, object], where: Here) -> Turn:
    """As `listen`, for `await` in a cell."""
    turn, listening = _open(session, overrides, where)
    if listening is None:
        return turn
    listening.show(where)
    if not where.hearing.awaiting:
        listening.late(where.hearing.reason)
        return turn
    try:
        heard = await _on_background(listening.sent())
    except asyncio.CancelledError:
        if await asyncio.shield(_on_background(listening.give_up())) is None:
            # Sent in the same moment: the turn is stopped as any other.
            turn.stop()
            await session.await_turn(turn)
        raise
    if not heard:
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
        slot: Output,
    ) -> None:
        self._session = session
        self._turn = turn
        self._overrides = overrides
        self._live = live
        self._slot = slot
        self._place = place()
        self._recording = Recording(live, session)
        self._asked = False
        self._late = False
        self._closed = False
        # Something was sent, or the turn was given up.
        self._settled = asyncio.Event()
        live.requests["send"] = self._send
        live.hello_listener = lambda page, hello: self._recording.hello(page)
        turn.when_ended(
            lambda: background_loop().call_soon_threadsafe(self._close_unasked),
        )

    @property
    def in_sight(self) -> bool:
        """Whether a page shows it."""
        return self._live.in_sight

    def show(self, where: Here) -> None:
        """Put the recorder into the cell, in the place of those of earlier runs."""
        self._slot.put({**self._live.widget_bundle(), **sentence_bundle(_RUNNING)})
        self._live.channel.emit("pad.state", pad_state(self._session))
        self._live.channel.emit("listen.state", {"phase": "ready", "sentence": ""})
        put_in_cell(where, self)

    def late(self, reason: str) -> None:
        """The cell ends before anything was said; the page says why, and so does the cell."""
        self._late = True
        self._live.channel.emit("listen.state", {"phase": "late", "sentence": reason})
        print(reason)  # noqa: T201 (it is meant for the cell's output)

    async def sent(self) -> bool:
        """Wait until something was sent or nothing can be; False when no page says hello."""
        if not await self._live.met():
            return self._settled.is_set()
        await self._settled.wait()
        return True

    async def give_up(self) -> str | None:
        """End the wait, keep what was recorded, and say where it lies; None if it was sent."""
        if self._asked:
            return None
        kept = self._recording.takes.keep()
        sentence = "nothing was sent"
        if kept:
            sentence += f"; the recording is kept in {kept[-1]}"
        self._turn.give_up(sentence)
        self._close_unasked()
        return sentence

    def close(self) -> None:
        """End a recorder whose cell was run again or deleted."""
        self._turn.give_up("its cell was run again or deleted before anything was sent")

    def _close_unasked(self) -> None:
        """Leave a sentence in the place of a recorder that will never send anything."""
        if self._asked or self._closed:
            return
        self._closed = True
        self._recording.takes.keep()
        sentence = "; ".join(self._turn.notices)
        self._live.channel.emit("listen.state", {"phase": "closed", "sentence": sentence})
        self._leave(sentence)
        self._settled.set()

    def _leave(self, sentence: str) -> None:
        self._slot.put(sentence_bundle(f"Stopped: {sentence}."))
        self._live.close()

    def started(self, turn: Turn) -> None:
        self._live.started(turn)

    def event(self, turn: Turn, event: Event) -> None:
        self._live.event(turn, event)

    async def hears(self, waiting: Waiting) -> bool:
        """Whether the page is heard while the cell waits: what it sent was."""
        return self._asked and not self._late

    async def ended(self, turn: Turn) -> None:
        await freeze_into(turn, self._slot, self._place, self._live)

    async def _send(self, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        if self._closed or self._asked:
            raise UsageError("this recorder is done; run the cell again to say something new")
        said = self._recording.input(data)
        self._slot.run(self._start, said)
        self._asked = True
        self._recording.sent(data, self._turn)
        self._settled.set()
        return {"turn": self._turn.id}, ()

    def _start(self, said: str | Clip) -> None:
        self._session.start_turn(said, view=self, overrides=self._overrides, turn=self._turn)
