"""Following the runs of cells: what was deleted before one, and what it did not ask again."""

from __future__ import annotations

import logging
import weakref
from typing import Any

from cellvoice.session import drop_cells, end_cell_run, was_interrupted

from ._cells import close_deleted
from ._place import Here, here, kernel_shell

_log = logging.getLogger(__name__)

_followed: weakref.WeakSet[Any] = weakref.WeakSet()
# JupyterLab names deleted cells once, with the next execution; a cell asks where it is many times.
_seen_execution = ""


def follow_runs(where: Here) -> None:
    """See every run of a cell from this one on, also of cells that use no session."""
    _see(where)
    shell = kernel_shell()
    if shell is not None and shell not in _followed:
        _followed.add(shell)
        shell.events.register("pre_run_cell", _before)
        shell.events.register("post_run_cell", _after)


def _before(info: object) -> None:
    try:
        where = here()
        if where is not None:
            _see(where)
    except Exception:  # noqa: BLE001 (IPython would print it into every cell)
        _log.exception("deleted cells could not be followed")


def _after(result: Any) -> None:
    try:
        where = here()
        if where is None or where.cell is None:
            return
        # A cell that broke off has not come to what it did not ask.
        if result.success and not was_interrupted(where.execution):
            end_cell_run(where.cell.id, where.cell.run)
    except Exception:  # noqa: BLE001 (IPython would print it into every cell)
        _log.exception("the end of a cell could not be followed")


def _see(where: Here) -> None:
    global _seen_execution  # noqa: PLW0603
    if where.execution == _seen_execution:
        return
    _seen_execution = where.execution
    gone = close_deleted(where)
    if gone:
        drop_cells(gone)
