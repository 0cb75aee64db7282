"""What a session meets when it is used in a notebook."""

from __future__ import annotations

from collections.abc import Mapping

from IPython.display import publish_display_data

from cellvoice.errors import DeviceError
from cellvoice.render import bundle
from cellvoice.session import Cell, Session, Turn

from . import listen
from ._frozen_cards import answer_frozen_cards
from ._place import Here, here, place
from ._runs import follow_runs
from .live import CardView, is_shown, remember, static_bundle
from .pad import show_pad


class NotebookSurface:
    """The notebook as a session sees it; called on the thread of the verb."""

    def cell(self) -> Cell | None:
        where = here()
        return None if where is None else where.cell

    def open_turn(self, turn: Turn) -> CardView | None:
        where = here()
        return None if where is None else CardView(turn, where)

    def listen(self, session: Session, overrides: Mapping[str, object]) -> Turn:
        return listen.listen(session, overrides, _here_or_refuse())

    async def alisten(self, session: Session, overrides: Mapping[str, object]) -> Turn:
        return await listen.alisten(session, overrides, _here_or_refuse())

    def show(self, session: Session) -> None:
        show_pad(session, _here_or_refuse())

    def show_turn(self, turn: Turn) -> None:
        where = _here_or_refuse()
        if is_shown(turn, where.execution):
            return
        remember(turn, where.execution)
        shown = static_bundle(turn) if turn.finish is None else bundle(turn, place())
        publish_display_data(data=shown, metadata={})  # type: ignore[no-untyped-call]


def _here_or_refuse() -> Here:
    where = here()
    if where is None:
        raise DeviceError(
            "there is no notebook to show this in: run it in a cell, or use session.say(…) with "
            "text or a Clip"
        )
    return where


def surface() -> NotebookSurface | None:
    """The notebook of this process, or None when there is no Jupyter kernel."""
    where = here()
    if where is None:
        return None
    follow_runs(where)
    # A kernel that a page's messages can bring to a halt is not to be asked anything.
    if where.hearing.page and not where.hearing.warning:
        answer_frozen_cards()
    return NotebookSurface()
