"""The pad: what a bare `session` shows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cellvoice.protocol import ENGINE_MODEL, Event
from cellvoice.render import Place, conversation_html, is_marked_as, marks, text, version_ids
from cellvoice.session import Cell, Session, Turn, background_loop, size_words
from cellvoice.widgets import Answer

from ._cells import put_in_cell
from ._freezing import freeze_once
from ._live import Data, Live, open_live
from ._pad_money import money_state
from ._place import Here, place
from ._recording import Recording
from ._settings_panel import SettingsPanel, saved_settings, settings_state
from ._slot import Output, Slot

if TYPE_CHECKING:
    from cellvoice.render import Frozen

PAD_MIME = "application/vnd.cellvoice.pad.v1+json"

# A pad's output is written anew after every turn, with all its sound; beyond this the sound of
# further turns goes beside the notebook.
_SOUND_CAP_BYTES = 4_000_000

# No widget has this id, so the saved form is never taken for a live pad's.
_NO_PAD = ""
_HOW_TO_TALK = "Run this cell in JupyterLab to talk; here is the conversation so far."


def show_pad(session: Session, where: Here) -> None:
    """Show the pad, or without a page the conversation so far."""
    slot = Slot()
    conversation = Conversation(session, place(), where.hearing.warning)
    if not where.hearing.page:
        # JupyterLab draws the saved form when the file is opened there.
        slot.put(conversation.saved(_NO_PAD))
        return
    live, sentence = open_live("pad")
    if live is None:
        slot.put(conversation.bundle(sentence))
        return
    pad = Pad(session, live, slot, conversation, where.cell)
    slot.put({**live.widget_bundle(), **conversation.bundle(_HOW_TO_TALK)})
    background_loop().call_soon_threadsafe(pad.open)
    put_in_cell(where, pad)


def pad_state(session: Session, warning: str = "") -> dict[str, object]:
    """What the page shows around the conversation."""
    folder = session.journal_folder
    return {
        "model": ENGINE_MODEL if session.badge and not session.replays else session.model,
        "voice": session.voice if isinstance(session.voice, str) else "",
        "badge": session.badge,
        "notice": "; ".join(part for part in (warning, session.notice) if part),
        **money_state(session),
        "journal": "" if folder is None else _kept_in(folder, session.journal_bytes),
    }


def _kept_in(folder: Path, size_bytes: int) -> str:
    """Where the conversation is kept, and how much that is once there is something."""
    where = _as_seen_from_here(folder)
    return f"{where}, {size_words(size_bytes)}" if size_bytes else where


def _as_seen_from_here(folder: Path) -> str:
    """The folder from the kernel's own: a saved notebook need not tell where its author works."""
    try:
        return str(folder.resolve().relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(folder)


class Conversation:
    """The turns of a session in their frozen form, each made once."""

    def __init__(self, session: Session, where: Place, warning: str) -> None:
        self._session = session
        self._warning = warning
        self._place = where
        self._frozen: dict[str, Frozen] = {}
        self._sound_bytes = 0
        self._lock = threading.Lock()

    def add(self, turn: Turn) -> Frozen:
        """Freeze a turn that has ended."""
        # Threads meet here: a turn that ends, and the pad's own file.
        with self._lock:
            found = self._frozen.get(turn.id)
            if found is not None and not is_marked_as(found.card, turn):
                self._sound_bytes -= found.embedded_bytes
                found = None
            if found is None:
                left = max(0, _SOUND_CAP_BYTES - self._sound_bytes)
                where = replace(self._place, cap_bytes=min(self._place.cap_bytes, left))
                found = self._frozen[turn.id] = freeze_once(turn, where)
                self._sound_bytes += found.embedded_bytes
            return found

    def ended(self) -> list[Frozen]:
        """The session's turns that have ended, oldest first."""
        return [self.add(turn) for turn in list(self._session.turns) if turn.finish is not None]

    def bundle(self, sentence: str) -> dict[str, object]:
        """The conversation without script, as HTML and text."""
        return self._bundle(self.ended(), sentence)

    def state(self) -> dict[str, object]:
        """What stands around the turns."""
        around = pad_state(self._session, self._warning)
        return {**around, "settings": settings_state(self._session)}

    def saved(self, pad: str) -> dict[str, object]:
        """What a file keeps: the vendor form (`docs/architecture.md`) and its twins."""
        turns = self.ended()
        form = {
            "version": 1,
            "pad": pad,
            "session": self._session.id,
            "state": {**self.state(), "settings": saved_settings(self._session)},
            "turns": [found.card for found in turns],
        }
        # Of the same turns: the form finds its sounds in the HTML by their order.
        return {PAD_MIME: form, **self._bundle(turns, _HOW_TO_TALK)}

    def _bundle(self, turns: list[Frozen], sentence: str) -> dict[str, object]:
        pages = [str(found.bundle["text/html"]) for found in turns]
        lines = [text(found.card) for found in turns]
        return {
            "text/html": conversation_html(pages, badge=self._session.badge, sentence=sentence),
            "text/plain": "\n\n".join([*lines, sentence]),
        }


class Pad:
    """A shown pad: every turn of the session appears in it, wherever it was asked."""

    def __init__(
        self,
        session: Session,
        live: Live,
        slot: Output,
        conversation: Conversation,
        cell: Cell | None,
    ) -> None:
        self._session = session
        self._cell = cell
        self._live = live
        self._slot = slot
        self._conversation = conversation
        self._recording = Recording(live, session)
        SettingsPanel(live, session, self._settings_changed)
        # Without our JupyterLab renderer the output stays a widget, see `docs/architecture.md`.
        self._renders_here = False
        self._unwatch: Callable[[], None] = lambda: None
        self._follow_no_more: Callable[[], None] = lambda: None
        # The turns that the page has, by their ids.
        self._told: set[str] = set()
        self._shaping = asyncio.Lock()
        self._shape_is_told = True
        self._refreshing: asyncio.Future[None] | None = None
        self._following: asyncio.Future[None] | None = None
        self._writing = asyncio.Lock()
        self._stale = False
        self._closed = False
        live.requests["send"] = self._send
        live.hello_listener = self._hello

    def open(self) -> None:
        """Tell the page what there is, and then everything that comes. Called on the loop.

        There a turn that runs stands still meanwhile, so nothing of it is missed or told twice.
        """
        self._tell_state()
        for turn, _ in self._session.shown_turns():
            self.started(turn)
            if turn.finish is not None:
                self._live.ended(turn, self._conversation.add(turn).card)
        self._tell_turns()
        self._unwatch = self._session.watch(self)
        self._follow_no_more = self._session.when_reshaped(self._reshaped)

    @property
    def in_sight(self) -> bool:
        """Whether a page shows it."""
        return self._live.in_sight

    def close(self) -> None:
        """End a pad that another one replaces; what it was recording stays on disk."""
        self._closed = True
        self._unwatch()
        self._follow_no_more()
        self._recording.takes.keep()
        self._live.close()

    def started(self, turn: Turn) -> None:
        self._told.add(turn.id)
        self._live.started(turn)

    def event(self, turn: Turn, event: Event) -> None:
        self._live.event(turn, event)

    async def ended(self, turn: Turn) -> None:
        done = await asyncio.to_thread(self._conversation.add, turn)
        self._live.ended(turn, done.card)
        self._tell_state()
        await self._refresh()

    def _reshaped(self) -> None:
        # From whichever thread changed the conversation.
        background_loop().call_soon_threadsafe(self._follow_soon)

    def _follow_soon(self) -> None:
        self._shape_is_told = False
        self._following = asyncio.ensure_future(self._follow())

    async def _follow(self) -> None:
        """Show the conversation as it is now: turns are replaced, dropped, and come back."""
        async with self._shaping:
            if self._shape_is_told:
                return
            self._shape_is_told = True
            # One that runs, or waits for its turn, is told when it begins.
            back = [
                turn
                for turn, _ in self._session.shown_turns()
                if turn.finish is not None and turn.id not in self._told
            ]
            for turn in back:
                done = await asyncio.to_thread(self._conversation.add, turn)
                self.started(turn)
                self._live.ended(turn, done.card)
            if self._closed:
                return
            self._tell_turns()
            self._tell_state()
        await self._refresh()

    def _tell_turns(self) -> None:
        shown = self._session.shown_turns()
        self._told &= {turn.id for turn, _ in shown}
        turns = [{"turn": turn.id, **marks(*mark, version_ids(turn))} for turn, mark in shown]
        self._live.channel.emit("pad.turns", {"turns": turns})

    def _settings_changed(self) -> None:
        self._tell_state()
        self._refresh_soon()

    def _tell_state(self) -> None:
        self._live.channel.emit("pad.state", self._conversation.state())

    async def _send(self, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        said = self._recording.input(data)
        # The turn belongs to the pad's cell, not to the one that runs now.
        turn = self._session.start_turn(said, cell=self._cell)
        self._recording.sent(data, turn)
        self._live.turns[turn.id] = turn
        return {"turn": turn.id}, ()

    def _hello(self, page: str, hello: Mapping[str, object]) -> None:
        self._recording.hello(page)
        if hello.get("lab") is True and not self._renders_here:
            self._renders_here = True
            self._refresh_soon()

    def _refresh_soon(self) -> None:
        self._refreshing = asyncio.ensure_future(self._refresh())

    async def _refresh(self) -> None:
        """Put the conversation as it stands into the output, for whoever opens the file."""
        if not self._renders_here:
            return
        # One after the other: a bundle that took longer must not take the place of a newer one.
        self._stale = True
        async with self._writing:
            if not self._stale or self._closed:
                return
            self._stale = False
            saved = await asyncio.to_thread(self._conversation.saved, self._live.pad_id)
            if not self._closed:
                self._slot.put(saved)
