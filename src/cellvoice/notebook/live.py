"""A turn in its cell: live while it runs, frozen when it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from cellvoice.protocol import Event
from cellvoice.render import Place, frozen, html, sentence_html, text
from cellvoice.session import Turn, Waiting, background_loop

from ._freezing import freeze_once
from ._live import Live, open_live
from ._marks import keep_marked
from ._place import Here, place
from ._slot import Output, Slot

# Which run of which cell shows which turn; only the newest matter, older cells can't run any more.
_SHOWN_KEPT = 512
_shown: dict[str, str] = {}


def remember(turn: Turn, execution: str) -> None:
    """A card of this turn is in the output of this execution."""
    _shown[turn.id] = execution
    while len(_shown) > _SHOWN_KEPT:
        del _shown[next(iter(_shown))]


def is_shown(turn: Turn, execution: str) -> bool:
    """Whether the running cell shows this turn already."""
    return _shown.get(turn.id) == execution


class CardView:
    """One turn's output. Without a page nothing is shown until the frozen bundle is ready."""

    def __init__(self, turn: Turn, where: Here) -> None:
        self._slot = Slot()
        self._turn = turn
        self._place = place()
        self._live: Live | None = None
        self._hearing = where.hearing
        self._started = False
        remember(turn, where.execution)
        # An interrupt may come before the turn is asked, and then nobody else tells of its end.
        turn.when_ended(lambda: self._settle(turn))
        if not where.hearing.page:
            return
        self._live, sentence = open_live("card")
        if self._live is not None:
            self._slot.put({**self._live.widget_bundle(), **static_bundle(turn)})
        else:
            # The turn itself does not need the page: it runs, and is frozen in the place of this.
            self._slot.put(sentence_bundle(sentence))

    def started(self, turn: Turn) -> None:
        self._started = True
        if self._live is not None:
            self._live.started(turn)

    def event(self, turn: Turn, event: Event) -> None:
        if self._live is not None:
            self._live.event(turn, event)

    async def hears(self, waiting: Waiting) -> bool:
        """Whether the page can be heard while the cell waits; it has to prove it."""
        able = self._hearing.blocking if waiting == "blocking" else self._hearing.awaiting
        if self._live is None:
            # The cell goes on without its answer, and a file is not to lack the question.
            self._slot.put(static_bundle(self._turn))
            return False
        return able and await self._live.met()

    async def ended(self, turn: Turn) -> None:
        if self._live is not None and self._hearing.blocking:
            # A short reply is over before the page has drawn anything, and is to be heard.
            await self._live.met(patient=False)
        await freeze_into(turn, self._slot, self._place, self._live)

    def _settle(self, turn: Turn) -> None:
        if not self._started:
            last = freeze_into(turn, self._slot, self._place, self._live)
            asyncio.run_coroutine_threadsafe(last, background_loop())


async def freeze_into(turn: Turn, slot: Output, where: Place, live: Live | None) -> None:
    """Put the frozen bundle in the place of the widget, then close it; also when nobody looks."""
    try:
        # Compressing takes 12 ms a second of speech, which other turns must not wait for.
        done = await asyncio.to_thread(freeze_once, turn, where)
        if live is not None:
            live.ended(turn, done.card)
            await live.drained()
        slot.put(done.bundle)
        keep_marked(turn, slot, where, done.card)
    finally:
        if live is not None:
            live.close()


def static_bundle(turn: Turn) -> dict[str, object]:
    """A turn without its sound, for the hosts that show no widget while it runs."""
    card = frozen(turn)
    return {"text/html": html(card), "text/plain": text(card)}


def sentence_bundle(sentence: str) -> Mapping[str, object]:
    """One sentence as an output."""
    return {"text/html": sentence_html(sentence), "text/plain": sentence}
