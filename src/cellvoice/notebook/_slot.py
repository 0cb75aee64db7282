"""One output of one cell, shown now and replaced later, from any thread."""

from __future__ import annotations

import contextvars
import uuid
from collections.abc import Callable, Mapping
from typing import ParamSpec, Protocol, TypeVar

from IPython.display import publish_display_data

P = ParamSpec("P")
T = TypeVar("T")

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


class Output(Protocol):
    """Where something is shown, in whatever host."""

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something as if in the cell of this output."""
        ...

    def put(self, bundle: Mapping[str, object]) -> None:
        """Show a bundle in the place of the one before."""
        ...


class Slot:
    """An output under a display id, bound to the cell in which it was made.

    The context is taken when the slot is made: a thread that displays later would otherwise write
    into whichever cell runs then.
    """

    def __init__(self) -> None:
        self._display_id = uuid.uuid4().hex
        self._context = contextvars.copy_context()
        self._shown = False

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something as if in the slot's own cell."""
        # A context can be entered once at a time, and two threads may show at the same time.
        return self._context.copy().run(work, *args, **kwargs)

    def put(self, bundle: Mapping[str, object]) -> None:
        """Show a bundle, or put it in the place of the one before."""
        update, self._shown = self._shown, True
        self.run(
            publish_display_data,
            data=dict(bundle),
            metadata={},
            transient={"display_id": self._display_id},
            update=update,
        )
