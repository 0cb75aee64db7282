"""What stays alive in a cell after it has run, until the cell is run again or deleted."""

from __future__ import annotations

import weakref
from typing import Protocol

from cellvoice.session import background_loop

from ._place import Here


class Lasting(Protocol):
    """A pad, or a recorder whose cell did not wait."""

    @property
    def in_sight(self) -> bool:
        """Whether a page shows it."""
        ...

    def close(self) -> None:
        """End it; called on the background loop."""
        ...


# By cell, with the execution that showed them: one run of a cell may show several. Weak, because
# what has ended is to be forgotten; what lives is held by its widget.
_by_cell: dict[str, tuple[str, list[weakref.ref[Lasting]]]] = {}


def put_in_cell(where: Here, one: Lasting) -> None:
    """Note what a cell shows, and close what earlier runs of it have shown."""
    cell = where.cell.id if where.cell is not None else where.execution
    execution, shown = _by_cell.get(cell, ("", []))
    if execution == where.execution:
        shown.append(weakref.ref(one))
        return
    _by_cell[cell] = (where.execution, [weakref.ref(one)])
    _close(shown)


def close_deleted(where: Here) -> list[str]:
    """Close what deleted cells have shown, and return those cells.

    A cell that was cut and pasted is reported, too. It is not deleted if it is in sight again, or
    if it is the one that runs.
    """
    gone: list[str] = []
    for cell in where.deleted:
        _, shown = _by_cell.get(cell, ("", []))
        runs = where.cell is not None and where.cell.id == cell
        if not runs and not any(one.in_sight for one in map(_alive, shown) if one is not None):
            _by_cell.pop(cell, None)
            _close(shown)
            gone.append(cell)
    return gone


def _alive(one: weakref.ref[Lasting]) -> Lasting | None:
    return one()


def _close(shown: list[weakref.ref[Lasting]]) -> None:
    for one in map(_alive, shown):
        if one is not None:
            background_loop().call_soon_threadsafe(one.close)
