"""What the session asks of the rooms above it, and the one name by which it finds them."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, cast, runtime_checkable

from cellvoice.errors import DeviceError
from cellvoice.protocol import Event

if TYPE_CHECKING:
    from .session import Session
    from .turn import Turn

__all__ = [
    "Cell",
    "DisplayingSurface",
    "Endpoint",
    "Surface",
    "TurnView",
    "Waiting",
    "cell",
    "cell_id",
    "engine",
    "execution",
    "html_page",
    "markdown_text",
    "page",
    "surface",
    "turn_file",
    "view",
]

_log = logging.getLogger("cellvoice.session")


@dataclass(frozen=True, slots=True)
class Cell:
    """The notebook cell a turn is bound to: its id in the file, and which run of it (`In [n]`).

    `execution` is the id of the request that runs it, which no two runs share.
    """

    id: str
    execution_count: int | None = None
    execution: str | None = field(default=None, repr=False, compare=False)

    @property
    def run(self) -> str:
        """A name for this run of the cell."""
        return self.execution if self.execution is not None else f"{self.execution_count}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a compatible server listens. The key is in no repr."""

    base_url: str
    api_key: str

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r})"


# How the caller of a turn waits for it: on its thread, or in a coroutine of its own loop.
Waiting = Literal["blocking", "awaiting"]


class TurnView(Protocol):
    """How one turn is shown. Called on the background loop; what it raises is logged, no more."""

    def started(self, turn: Turn) -> None: ...

    def event(self, turn: Turn, event: Event) -> None: ...

    async def ended(self, turn: Turn) -> None:
        """Awaited before those who wait for the turn are woken."""
        ...


@runtime_checkable
class HearingView(TurnView, Protocol):
    """A view through which a person may decide about a call of a tool."""

    async def hears(self, waiting: Waiting) -> bool:
        """Whether the person can be heard while somebody waits for the turn in that way."""
        ...


class Surface(Protocol):
    """Where a verb was called. Called on the caller's thread."""

    def cell(self) -> Cell | None: ...

    def open_turn(self, turn: Turn) -> TurnView | None: ...

    def listen(self, session: Session, overrides: Mapping[str, object]) -> Turn: ...

    async def alisten(self, session: Session, overrides: Mapping[str, object]) -> Turn: ...

    def show(self, session: Session) -> None: ...

    def show_turn(self, turn: Turn) -> None: ...


@runtime_checkable
class DisplayingSurface(Surface, Protocol):
    """A surface of a host that asks for what it is to show, and shows it by itself."""

    def display(self, session: Session) -> object: ...

    def display_turn(self, turn: Turn) -> object: ...


class _Composition(Protocol):
    def surface(self) -> Surface | None: ...

    def execution(self) -> str | None: ...

    def engine(self) -> Endpoint: ...

    def engine_tokens(self, text: str) -> Sequence[int]: ...

    def html_page(self, session: Session) -> str: ...

    def markdown_text(self, session: Session) -> str: ...

    def turn_file(self, turn: Turn) -> str: ...


def _composition() -> _Composition:
    # By name, because this room lies below the ones that are joined there.
    return cast("_Composition", importlib.import_module("cellvoice._compose"))


def surface() -> Surface | None:
    """The notebook that the caller runs in, or None in a plain script."""
    try:
        return _composition().surface()
    except Exception:  # noqa: BLE001 (what is only shown must not stop what is asked)
        _log.exception("the notebook's display could not be set up; turns go on without it")
        return None


def page() -> Surface:
    """The notebook that the caller runs in. Raises DeviceError where there is none."""
    found = surface()
    if found is None:
        raise DeviceError(
            "there is no notebook page to record in here; record a file and send it with "
            "session.say(Clip.read('question.wav'))"
        )
    return found


def cell(where: Surface | None) -> Cell | None:
    """The calling cell, or None outside a notebook."""
    try:
        return where.cell() if where is not None else None
    except Exception:  # noqa: BLE001 (where a turn was asked is worth less than the turn)
        _log.exception("the calling cell could not be told")
        return None


def cell_id(where: Surface | None) -> str | None:
    """The id of the calling cell, or None outside a notebook."""
    found = cell(where)
    return found.id if found is not None else None


def view(where: Surface | None, turn: Turn) -> TurnView | None:
    """How the turn is shown where it was asked, or None if it is not."""
    try:
        return where.open_turn(turn) if where is not None else None
    except Exception:  # noqa: BLE001 (what is only shown must not stop what is asked)
        _log.exception("turn %s can't be shown; it is asked all the same", turn.number)
        return None


def execution() -> str | None:
    """Which run of which cell the caller is in, or None outside a notebook."""
    return _composition().execution()


def engine() -> Endpoint:
    """The embedded engine, started if need be; EngineError if it can't be."""
    return _composition().engine()


def engine_tokens(text: str) -> Sequence[int]:
    """The ids of a text's tokens for the embedded engine."""
    return _composition().engine_tokens(text)


def html_page(session: Session) -> str:
    """The conversation as one HTML page, sound included."""
    return _composition().html_page(session)


def markdown_text(session: Session) -> str:
    """The conversation as Markdown."""
    return _composition().markdown_text(session)


def turn_file(turn: Turn) -> str:
    """One turn as the JSON of a `.turn.json` file, sound included."""
    return _composition().turn_file(turn)
