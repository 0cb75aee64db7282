"""`session.listen()` in marimo: a recorder that is heard once its cell has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from cellvoice.render import frozen
from cellvoice.session import Session, Turn

from ._live import Live
from .listen import Listening
from .pad import pad_state

P = ParamSpec("P")
T = TypeVar("T")

_LATE = (
    "marimo lets nothing through from the page while a cell runs: the turn is asked when you send, "
    "so run the cells that read it after that"
)


class Untouched:
    """An output that stays as it is: the widget in it shows what comes."""

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return work(*args, **kwargs)

    def put(self, bundle: Mapping[str, object]) -> None: ...


class MarimoListening(Listening):
    """The kernel's end of a recorder in marimo. It becomes the card of its turn, and stays."""

    def __init__(
        self, session: Session, turn: Turn, overrides: Mapping[str, object], live: Live
    ) -> None:
        super().__init__(session, turn, dict(overrides), live, Untouched())

    def open(self) -> None:
        """Tell the page what there is; the cell ends before anything can be said."""
        self._late = True
        self._live.channel.emit("pad.state", pad_state(self._session))
        self._live.channel.emit("listen.state", {"phase": "late", "sentence": _LATE})

    def close(self) -> None:
        """End a recorder whose cell was run again or deleted, and its widget."""
        super().close()
        self._live.close()

    async def ended(self, turn: Turn) -> None:
        self._live.ended(turn, await asyncio.to_thread(frozen, turn))

    def _leave(self, sentence: str) -> None:
        """The page says it by itself."""
