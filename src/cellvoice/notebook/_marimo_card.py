"""A turn in a cell of marimo: its card, or its static form where nobody looks."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from cellvoice.protocol import Event
from cellvoice.render import bundle, frozen, marks, version_ids
from cellvoice.session import Turn, Waiting, background_loop

from ._live import Live, open_live
from ._marimo_cell import MarimoRun, marimo_module
from .live import static_bundle

if TYPE_CHECKING:
    from cellvoice.widgets import View

_PUT_TIMEOUT_S = 10.0


def open_in_marimo(view: View) -> tuple[Live | None, str]:
    """A live widget: marimo gives its module an address, and a kernel is busy when a card comes."""
    return open_live(view, whole=True)


def shown_html(shown: object) -> object:
    """Our HTML as an object that marimo shows as it is."""
    return marimo_module().Html(str(shown))


def static_card(turn: Turn) -> object:
    """A turn without a widget; with its sound once it has ended."""
    form = static_bundle(turn) if turn.finish is None else bundle(turn)
    return shown_html(form["text/html"])


class MarimoCard:
    """The widget of one turn. It stays, since marimo's file keeps no outputs to be frozen for.

    The page is told of the turn before it has said anything: while a cell runs, marimo lets
    nothing through from the page, but everything to it.
    """

    def __init__(self, turn: Turn, live: Live) -> None:
        self._turn = turn
        self._live = live
        turn.when_marked(lambda: background_loop().call_soon_threadsafe(self._mark))
        # An interrupt may come before the turn is asked, and then nobody else tells of its end.
        turn.when_ended(lambda: background_loop().call_soon_threadsafe(self._settle))

    @property
    def in_sight(self) -> bool:
        """Whether a page shows it."""
        return self._live.in_sight

    def close(self) -> None:
        """End the widget: its cell was run again or deleted, and the page has it no more."""
        self._live.close()

    def started(self, turn: Turn) -> None:
        self._live.started(turn)
        self._live.channel.speak_first()

    def event(self, turn: Turn, event: Event) -> None:
        self._live.event(turn, event)

    async def hears(self, waiting: Waiting) -> bool:
        """Never: neither a blocking call nor `await` in a cell lets the page's messages through."""
        return False

    async def ended(self, turn: Turn) -> None:
        self._live.ended(turn, await asyncio.to_thread(frozen, turn))

    def show_ended(self) -> None:
        """A turn that has ended before this was made."""
        background_loop().call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if self._turn.id not in self._live.turns:
            self._live.started(self._turn)
            self._live.ended(self._turn, frozen(self._turn))

    def _mark(self) -> None:
        turn = self._turn
        told = {"turn": turn.id, **marks(turn.stale, turn.version, version_ids(turn))}
        self._live.channel.emit("pad.turns", {"turns": [told]})


class MarimoExport:
    """A turn where nobody looks, as in `marimo export`: put into the output when it has ended.

    marimo writes outputs only from the kernel's thread, which waits for the turn, and from
    threads of its own kind.
    """

    def __init__(self, turn: Turn, run: MarimoRun) -> None:
        self._run = run
        self._html: object = ""
        self._made, self._put = threading.Event(), threading.Event()
        self._turn = turn
        marimo_module().Thread(target=self._show, daemon=True).start()

    def started(self, turn: Turn) -> None: ...

    def event(self, turn: Turn, event: Event) -> None: ...

    async def ended(self, turn: Turn) -> None:
        self._html = await asyncio.to_thread(static_card, turn)
        self._made.set()
        await asyncio.to_thread(self._put.wait, _PUT_TIMEOUT_S)

    def _show(self) -> None:
        self._made.wait()
        self._run.shown[self._turn.id] = self._html
        marimo_module().output.append(self._html)
        self._put.set()


def open_card(turn: Turn, run: MarimoRun) -> tuple[MarimoCard | None, object]:
    """A turn's card and what the cell is to show: its widget, or a sentence where it can't be."""
    live, sentence = open_in_marimo("card")
    if live is None:
        return None, shown_html(sentence)
    card = MarimoCard(turn, live)
    run.keep(card)
    return card, live.widget
