"""Showing on cards that are long frozen what became of their turns: stale, or replaced."""

from __future__ import annotations

import asyncio
import logging

from cellvoice.render import Card, Place, is_marked_as
from cellvoice.session import Turn, background_loop

from ._freezing import freeze_once
from ._slot import Output

__all__ = ["keep_marked"]

_log = logging.getLogger(__name__)

# A card brings its sound along, and Jupyter's server drops what comes faster than 1 MB a second.
_BYTES_PER_S = 400_000
_SMALLEST_CARD_BYTES = 4_000

# Cards that wait to be shown anew. Loop thread only.
_waiting: dict[Turn, tuple[Output, Place]] = {}
_working: set[asyncio.Task[None]] = set()


def keep_marked(turn: Turn, slot: Output, where: Place, card: Card) -> None:
    """Show a turn again whenever its marks differ from the card, in the output where that is."""

    def show() -> None:
        background_loop().call_soon_threadsafe(_show_soon, turn, slot, where)

    turn.when_marked(show)
    # They may have changed while the card was made.
    if not is_marked_as(card, turn):
        show()


def _show_soon(turn: Turn, slot: Output, where: Place) -> None:
    _waiting[turn] = (slot, where)
    if not _working:
        task = asyncio.ensure_future(_show_all())
        _working.add(task)
        task.add_done_callback(_working.discard)


async def _show_all() -> None:
    while _waiting:
        turn = next(iter(_waiting))
        slot, where = _waiting.pop(turn)
        try:
            done = await asyncio.to_thread(freeze_once, turn, where)
            slot.put(done.bundle)
        except Exception:  # noqa: BLE001 (the other cards do not depend on this one)
            _log.exception("the marks of turn %s could not be shown", turn.number)
            continue
        await asyncio.sleep((done.embedded_bytes + _SMALLEST_CARD_BYTES) / _BYTES_PER_S)
