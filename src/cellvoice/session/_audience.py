"""Who looks at a turn. Nothing that a view does or fails to do changes the turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ParamSpec

from cellvoice.protocol import Event

from ._seams import HearingView

if TYPE_CHECKING:
    from ._seams import TurnView, Waiting
    from .turn import Turn

__all__ = ["Audience"]

P = ParamSpec("P")

_log = logging.getLogger("cellvoice.session")

# A view may wait for its page, a few seconds at most; one that hangs must not hang the turn.
_ENDED_TIMEOUT_S = 30.0


class Audience:
    """The turn's own view and those that watch the whole session. Loop thread only."""

    def __init__(
        self, turn: Turn, view: TurnView | None, watching: Callable[[], Iterable[TurnView]]
    ) -> None:
        self._turn = turn
        self._view = view
        self._watching = watching
        self._broken: set[int] = set()

    def _views(self) -> list[TurnView]:
        own = [self._view] if self._view is not None else []
        return [*own, *self._watching()]

    def started(self) -> None:
        for view in self._views():
            self._guard(view, view.started, self._turn)

    def event(self, event: Event) -> None:
        for view in self._views():
            if id(view) not in self._broken:
                self._guard(view, view.event, self._turn, event)

    async def hears(self, waiting: Waiting) -> bool:
        """Whether a person can decide about a call while a caller waits in that way.

        Only where the turn's own view says so: a page that another cell shows may be closed.
        """
        view = self._view
        if not isinstance(view, HearingView):
            return False
        try:
            return await view.hears(waiting)
        except Exception:  # noqa: BLE001 (a view's fault is not the turn's)
            _log.exception("a view of turn %s failed; nobody is waited for", self._turn.number)
            return False

    async def ended(self) -> None:
        await asyncio.gather(*(self._end(view) for view in self._views()))

    def _guard(
        self, view: TurnView, call: Callable[P, None], *args: P.args, **kw: P.kwargs
    ) -> None:
        try:
            call(*args, **kw)
        except Exception:  # noqa: BLE001 (a view's fault is not the turn's)
            # Once is enough: it would fail at every one of hundreds of events.
            self._broken.add(id(view))
            _log.exception("a view of turn %s failed; the turn goes on", self._turn.number)

    async def _end(self, view: TurnView) -> None:
        try:
            async with asyncio.timeout(_ENDED_TIMEOUT_S):
                await view.ended(self._turn)
        except Exception:  # noqa: BLE001 (a view's fault is not the turn's)
            _log.exception("a view of turn %s failed at its end", self._turn.number)
