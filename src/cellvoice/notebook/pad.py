"""The pad: what a bare `session` shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cellvoice.protocol import Event, usd_per_second
from cellvoice.render import Card, Place, conversation_html, freeze, text
from cellvoice.session import Cell, Session, Turn
from cellvoice.widgets import Answer

from ._live import Data, Live, open_live
from ._place import Here, place
from ._recording import Recording
from ._slot import WIDGET_MIME, Slot

if TYPE_CHECKING:
    from cellvoice.render import Frozen

_log = logging.getLogger(__name__)

PAD_MIME = "application/vnd.cellvoice.pad.v1+json"

_HOW_TO_TALK = "Run this cell in JupyterLab to talk; here is the conversation so far."


def show_pad(session: Session, where: Here) -> None:
    """Show the pad, or without a page the conversation so far."""
    slot = Slot()
    conversation = Conversation(session, place())
    if not where.hearing.page:
        slot.put(conversation.bundle(_HOW_TO_TALK))
        return
    live, sentence = open_live("pad")
    if live is None:
        slot.put(conversation.bundle(sentence))
        return
    pad = Pad(session, live, slot, conversation, where.cell)
    slot.put({**live.widget_bundle(), **conversation.bundle(_HOW_TO_TALK)})
    pad.open()


def pad_state(session: Session) -> dict[str, object]:
    """What the page shows around the conversation."""
    price = usd_per_second(session.model)
    folder = session.journal_folder
    return {
        "model": session.model,
        "voice": session.voice if isinstance(session.voice, str) else "",
        "badge": session.badge,
        "notice": session.notice,
        "price": {
            # The embedded engine costs nothing, whatever model it stands in for.
            "input_usd_per_s": price.input_usd if price and not session.badge else 0.0,
            "output_usd_per_s": price.output_usd if price and not session.badge else 0.0,
        },
        "cost_usd": float(session.cost),
        "journal": "" if folder is None else str(folder),
    }


class Conversation:
    """The turns of a session in their frozen form, each made once."""

    def __init__(self, session: Session, where: Place) -> None:
        self._session = session
        self._place = where
        self._frozen: dict[str, Frozen] = {}

    def add(self, turn: Turn) -> Frozen:
        """Freeze a turn that has ended."""
        found = self._frozen.get(turn.id)
        if found is None:
            found = self._frozen[turn.id] = freeze(turn, self._place)
        return found

    def ended(self) -> list[Frozen]:
        """The session's turns that have ended, oldest first."""
        return [self.add(turn) for turn in list(self._session.turns) if turn.finish is not None]

    def bundle(self, sentence: str) -> dict[str, object]:
        """The conversation without script, as HTML and text."""
        turns = self.ended()
        pages = [str(found.bundle["text/html"]) for found in turns]
        lines = [text(found.card) for found in turns]
        return {
            "text/html": conversation_html(pages, badge=self._session.badge, sentence=sentence),
            "text/plain": "\n\n".join([*lines, sentence]),
        }

    def form(self, pad: str) -> dict[str, object]:
        """The vendor form of a pad: see `docs/architecture.md`."""
        cards: list[Card] = [found.card for found in self.ended()]
        return {
            "version": 1,
            "pad": pad,
            "session": self._session.id,
            "state": pad_state(self._session),
            "turns": cards,
        }


class Pad:
    """A shown pad: every turn of the session appears in it, wherever it was asked."""

    def __init__(
        self,
        session: Session,
        live: Live,
        slot: Slot,
        conversation: Conversation,
        cell: Cell | None,
    ) -> None:
        self._session = session
        self._cell = cell
        self._live = live
        self._slot = slot
        self._conversation = conversation
        self._recording = Recording(live, session.takes_folder)
        # Without our JupyterLab renderer the output stays a widget, see `docs/architecture.md`.
        self._renders_here = False
        live.requests["send"] = self._send
        live.hello_listener = self._hello

    def open(self) -> None:
        """Tell the page what there is, and then everything that comes."""
        self._live.channel.emit("pad.state", pad_state(self._session))
        for turn in list(self._session.turns):
            self._live.started(turn)
            if turn.finish is not None:
                self._live.ended(turn, self._conversation.add(turn).card)
        self._session.watch(self)

    def started(self, turn: Turn) -> None:
        self._live.started(turn)

    def event(self, turn: Turn, event: Event) -> None:
        self._live.event(turn, event)

    async def ended(self, turn: Turn) -> None:
        done = await asyncio.to_thread(self._conversation.add, turn)
        self._live.ended(turn, done.card)
        self._live.channel.emit("pad.state", pad_state(self._session))
        await self._refresh()

    async def _send(self, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        said = self._recording.input(data)
        # The turn belongs to the pad's cell, not to the one that runs now.
        turn = self._session.start_turn(said, cell=self._cell)
        self._live.turns[turn.id] = turn
        return {"turn": turn.id}, ()

    def _hello(self, page: str, hello: Mapping[str, object]) -> None:
        self._recording.hello(page)
        if hello.get("lab") is True and not self._renders_here:
            self._renders_here = True
            self._refresh_task = asyncio.ensure_future(self._refresh())

    async def _refresh(self) -> None:
        """Put the conversation as it stands into the output, for whoever opens the file."""
        if not self._renders_here:
            return
        bundle = await asyncio.to_thread(self._conversation.bundle, _HOW_TO_TALK)
        bundle.pop(WIDGET_MIME, None)
        self._slot.put({PAD_MIME: self._conversation.form(self._live.model_id), **bundle})
