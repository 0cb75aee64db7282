"""Where a verb was called in marimo: the cell and its run, read on the calling thread.

marimo keeps which cell runs in modules that are private to it, so all that is used of them is here
and may be missing: without it a turn has no cell and is appended, as in a script, and what a cell
has shown stays alive until the kernel ends.
"""

from __future__ import annotations

import importlib
import sys
import threading
import uuid
import weakref
from typing import Any

from cellvoice.session import Cell, background_loop, drop_cells, end_cell_run, was_interrupted

from ._cells import Lasting

_CONTEXT = "marimo._runtime.context"

# By thread and cell: in `marimo run` every visitor has a kernel of the same cells in a thread.
_runs: dict[tuple[int, str], MarimoRun] = {}
# The threads whose kernel a page has asked for something.
_with_page: set[int] = set()


def marimo_module() -> Any:
    """marimo, where it runs. It is no dependency, so type checkers know nothing of it."""
    return importlib.import_module("marimo")


class MarimoRun:
    """One run of one cell, and what it shows; marimo says when the cell is run again or deleted.

    `page` tells whether somebody looks: `marimo export` runs cells for nobody.
    """

    def __init__(self, cell_id: str | None, *, page: bool) -> None:
        self.execution = uuid.uuid4().hex
        self.cell = None if cell_id is None else Cell(cell_id, None, self.execution)
        self.page = page
        # What was put into the output, in its order, by the turn that it shows.
        self.shown: dict[str, object] = {}
        self._lasting: list[Lasting] = []

    def keep(self, one: Lasting) -> None:
        """Close this when the cell is run again or deleted."""
        self._lasting.append(one)

    def create(self, context: object) -> None:
        """Part of what marimo expects of whatever lives as long as a cell's run."""

    def dispose(self, context: object, deletion: bool) -> bool:
        """The cell is about to be run again, or was deleted. Called on the kernel's thread."""
        for key in [key for key, run in _runs.items() if run is self]:
            del _runs[key]
        for one in self._lasting:
            background_loop().call_soon_threadsafe(one.close)
        self._lasting.clear()
        self.shown.clear()
        if deletion and self.cell is not None:
            drop_cells([self.cell.id])
        return True

    def ended(self, outcome: object) -> None:
        """The run has ended; one that broke off has not come to what it did not ask."""
        if self.cell is not None and outcome == "success" and not was_interrupted(self.execution):
            end_cell_run(self.cell.id, self.execution)


def marimo_run() -> MarimoRun | None:
    """The run of the cell that the calling thread is in, or None outside of marimo's kernel."""
    marimo = sys.modules.get("marimo")
    if marimo is None or not getattr(marimo, "running_in_notebook", lambda: False)():
        return None
    here = threading.get_ident()
    # Not every run names who asked for it; a kernel that a page has used once has a page.
    if marimo.app_meta().request is not None:
        _with_page.add(here)
    page = here in _with_page
    context = _context()
    cell_id = getattr(context, "cell_id", None)
    if not isinstance(cell_id, str):
        return MarimoRun(None, page=page)
    found = _runs.get((here, cell_id))
    if found is None:
        alone = marimo.app_meta().mode == "edit"
        found = MarimoRun(cell_id if alone else f"{cell_id}@{here}", page=page)
        if _follow(found, context, cell_id):
            _runs[here, cell_id] = found
    return found


def _follow(run: MarimoRun, context: Any, cell_id: str) -> bool:
    """See the run's end, and the end of what it shows; False where marimo has no such thing."""
    try:
        context.cell_lifecycle_registry.add(run)
        # It belongs to one run of one cell, and nothing else tells that the run is over.
        over = weakref.finalize(
            context.execution_context, lambda: run.ended(_outcome(context, cell_id))
        )
        over.atexit = False
    except (AttributeError, TypeError):
        return False
    return True


def _outcome(context: Any, cell_id: str) -> object:
    try:
        return context.graph.cells[cell_id].run_result_status
    except (AttributeError, KeyError):
        return None


def _context() -> Any:
    try:
        return sys.modules[_CONTEXT].get_context()
    except Exception:  # noqa: BLE001 (private to marimo: whatever it raises, there is none)
        return None
