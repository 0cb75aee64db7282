"""Where a verb was called in marimo: the cell and its run, read on the calling thread.

marimo keeps which cell runs in modules that are private to it, so all that is used of them is here
and may be missing: without it a turn has no cell and is appended, as in a script, and what a cell
has shown stays alive until the kernel ends.
"""

from __future__ import annotations

import importlib
import sys
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cellvoice.session import Cell, background_loop, drop_cells, end_cell_run, was_interrupted

from ._cells import Lasting

_CONTEXT = "marimo._runtime.context"

# Kept on an object of marimo's that lives as long as its kernel: `marimo run` has one a visitor.
_OURS = "_cellvoice"


@dataclass(slots=True)
class _Kernel:
    """What is known of one kernel."""

    runs: dict[str, MarimoRun] = field(default_factory=dict)
    # Not every run names who asked for it; a kernel that a page has used once has a page.
    page: bool = False
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])


def marimo_module() -> Any:
    """marimo, where it runs. It is no dependency, so type checkers know nothing of it."""
    return importlib.import_module("marimo")


class MarimoRun:
    """One run of one cell, and what it shows; marimo says when the cell is run again or deleted.

    `page` tells whether somebody looks: `marimo export` runs cells for nobody.
    """

    def __init__(
        self, cell_id: str | None, *, page: bool, forget: Callable[[], object] = lambda: None
    ) -> None:
        self.execution = uuid.uuid4().hex
        self.cell = None if cell_id is None else Cell(cell_id, None, self.execution)
        self.page = page
        # What was put into the output, in its order, by the turn that it shows.
        self.shown: dict[str, object] = {}
        self._lasting: list[Lasting] = []
        self._forget = forget

    def keep(self, one: Lasting) -> None:
        """Close this when the cell is run again or deleted."""
        self._lasting.append(one)

    def create(self, context: object) -> None:
        """Part of what marimo expects of whatever lives as long as a cell's run."""

    def dispose(self, context: object, deletion: bool) -> bool:
        """The cell is about to be run again, or was deleted. Called on the kernel's thread."""
        self._forget()
        self.close()
        if deletion and self.cell is not None:
            drop_cells([self.cell.id])
        return True

    def close(self) -> None:
        """Close what it shows."""
        for one in self._lasting:
            background_loop().call_soon_threadsafe(one.close)
        self._lasting.clear()
        self.shown.clear()

    def ended(self, outcome: object) -> None:
        """The run has ended; one that broke off has not come to what it did not ask."""
        if self.cell is not None and outcome == "success" and not was_interrupted(self.execution):
            end_cell_run(self.cell.id, self.execution)


def marimo_run() -> MarimoRun | None:
    """The run of the cell that the calling thread is in, or None outside of marimo's kernel."""
    marimo = sys.modules.get("marimo")
    if marimo is None or not getattr(marimo, "running_in_notebook", lambda: False)():
        return None
    context = _context()
    kernel = _kernel(context)
    kernel.page = kernel.page or marimo.app_meta().request is not None
    cell_id = getattr(context, "cell_id", None)
    if not isinstance(cell_id, str):
        return MarimoRun(None, page=kernel.page)
    found = kernel.runs.get(cell_id)
    if found is None:
        # In `marimo run` all visitors have the same cells.
        own = cell_id if marimo.app_meta().mode == "edit" else f"{cell_id}@{kernel.name}"
        forget = partial(kernel.runs.pop, cell_id, None)
        found = MarimoRun(own, page=kernel.page, forget=forget)
        if _follow(found, context, cell_id):
            kernel.runs[cell_id] = found
    return found


def _kernel(context: Any) -> _Kernel:
    registry = getattr(context, "cell_lifecycle_registry", None)
    found = getattr(registry, _OURS, None)
    if isinstance(found, _Kernel):
        return found
    kernel = _Kernel()
    if registry is not None:
        setattr(registry, _OURS, kernel)
        # A visitor has gone, and nobody runs or deletes their cells any more.
        weakref.finalize(registry, _end, kernel).atexit = False
    return kernel


def _end(kernel: _Kernel) -> None:
    for run in list(kernel.runs.values()):
        run.close()


def _follow(run: MarimoRun, context: Any, cell_id: str) -> bool:
    """See the run's end, and the end of what it shows; False where marimo has no such thing."""
    try:
        context.cell_lifecycle_registry.add(run)
        # It belongs to one run of one cell, and nothing else tells that the run is over.
        work = partial(_ended, run, context, cell_id)
        weakref.finalize(context.execution_context, work).atexit = False
    except (AttributeError, TypeError):
        return False
    return True


def _ended(run: MarimoRun, context: Any, cell_id: str) -> None:
    try:
        run.ended(context.graph.cells[cell_id].run_result_status)
    except (AttributeError, KeyError):
        run.ended(None)


def _context() -> Any:
    try:
        return sys.modules[_CONTEXT].get_context()
    except Exception:  # noqa: BLE001 (private to marimo: whatever it raises, there is none)
        return None
