"""What a session meets when it is used in marimo (docs/marimo.md)."""

from __future__ import annotations

from collections.abc import Mapping

from cellvoice.render import Frozen, Place, frozen, sentence_html
from cellvoice.session import Cell, Session, Turn, TurnView, background_loop

from ._marimo_card import MarimoExport, open_card, open_in_marimo, shown_html, static_card
from ._marimo_cell import MarimoRun, marimo_module, marimo_run
from ._marimo_listen import MarimoListening, Untouched
from .pad import Conversation, Pad

__all__ = ["MarimoSurface", "execution", "surface"]

_NO_PAGE = (
    "There is no browser to record in, so nothing was asked; ask with a file instead: "
    'session.say(cv.Clip.read("question.wav"))'
)
_OPEN_IT = "Open this notebook in marimo to talk; here is the conversation so far."


class MarimoSurface:
    """A cell of marimo as a session sees it; called on the thread of the verb."""

    def __init__(self, run: MarimoRun) -> None:
        self._run = run

    def cell(self) -> Cell | None:
        return self._run.cell

    def open_turn(self, turn: Turn) -> TurnView | None:
        if not self._run.page:
            return MarimoExport(turn, self._run)
        card, shown = open_card(turn, self._run)
        self._show(turn.id, shown)
        return card

    def listen(self, session: Session, overrides: Mapping[str, object]) -> Turn:
        """Show the recorder and return at once: the page is heard when the cell has ended."""
        turn = session.pending_turn(overrides)
        if not self._run.page:
            self._show(turn.id, shown_html(sentence_html(_NO_PAGE)))
            return turn
        live, sentence = open_in_marimo("listen")
        if live is None:
            self._show(turn.id, shown_html(sentence_html(sentence)))
            return turn
        listening = MarimoListening(session, turn, overrides, live)
        self._run.keep(listening)
        self._show(turn.id, live.widget)
        listening.open()
        return turn

    async def alisten(self, session: Session, overrides: Mapping[str, object]) -> Turn:
        return self.listen(session, overrides)

    def show(self, session: Session) -> None:
        marimo_module().output.append(self.display(session))

    def show_turn(self, turn: Turn) -> None:
        marimo_module().output.append(self.display_turn(turn))

    def display(self, session: Session) -> object:
        """The pad, or without a page the conversation so far."""
        live, sentence = open_in_marimo("pad") if self._run.page else (None, _OPEN_IT)
        if live is None:
            return shown_html(Conversation(session, Place(), "").bundle(sentence)["text/html"])
        pad = Pad(session, live, Untouched(), _Told(session, Place(), ""), self._run.cell)
        self._run.keep(pad)
        background_loop().call_soon_threadsafe(pad.open)
        return live.widget

    def display_turn(self, turn: Turn) -> object:
        """The turn's card. What marimo shows of a cell's last value takes the place of all that
        the cell has shown before, so the cards of its other turns are shown with it."""
        shown = self._run.shown
        if turn.id not in shown:
            shown[turn.id] = self._card_of(turn)
        cards = list(shown.values())
        return cards[0] if len(cards) == 1 else marimo_module().vstack(cards)

    def _card_of(self, turn: Turn) -> object:
        if not self._run.page or turn.finish is None:
            return static_card(turn)
        card, shown = open_card(turn, self._run)
        if card is not None:
            card.show_ended()
        return shown

    def _show(self, name: str, shown: object) -> None:
        self._run.shown[name] = shown
        marimo_module().output.append(shown)


class _Told(Conversation):
    """Turns for a page that asks the kernel for their sound; none is kept for a file."""

    def add(self, turn: Turn) -> Frozen:
        return Frozen(frozen(turn), None, {})


def surface() -> MarimoSurface | None:
    """The cell of marimo that the calling thread runs, or None outside of marimo's kernel."""
    run = marimo_run()
    return None if run is None else MarimoSurface(run)


def execution() -> str | None:
    """A name of the run of the cell that the calling thread is in, or None outside of one."""
    run = marimo_run()
    return None if run is None or run.cell is None else run.execution
