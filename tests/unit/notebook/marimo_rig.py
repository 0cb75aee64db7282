"""marimo as far as cells go: runs, outputs, and the context of the one that runs."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class NoContext(Exception):
    """As marimo's own, where no kernel is."""


@dataclass
class Execution:
    """What marimo makes for each run of a cell and lets go of at its end."""

    cell_id: str


@dataclass
class Html:
    """As `marimo.Html`."""

    text: str


@dataclass
class Stack:
    """As what `marimo.vstack` makes."""

    items: list[Any]


@dataclass
class Status:
    """A cell of the graph."""

    run_result_status: str | None = None


class Lifecycles:
    """What is told when a cell is run again or deleted."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._items: dict[str, list[Any]] = {}

    def add(self, item: Any) -> None:
        item.create(self._context)
        self._items.setdefault(str(self._context.cell_id), []).append(item)

    def dispose(self, cell_id: str, *, deletion: bool) -> None:
        for item in self._items.pop(cell_id, []):
            assert item.dispose(self._context, deletion) is True


class Context:
    """A kernel's context."""

    def __init__(self) -> None:
        self.execution_context: Execution | None = None
        self.cell_lifecycle_registry = Lifecycles(self)
        self.graph = types.SimpleNamespace(cells={})

    @property
    def cell_id(self) -> str | None:
        return None if self.execution_context is None else self.execution_context.cell_id


@dataclass
class Meta:
    """As what `marimo.app_meta()` gives."""

    request: object
    mode: str


@dataclass
class Marimo:
    """A kernel of marimo, with the page that asked for the runs or without one."""

    page: bool = True
    mode: str = "edit"
    private: bool = True
    context: Context = field(default_factory=Context)
    outputs: dict[str, list[Any]] = field(default_factory=dict)

    def run(self, cell_id: str, code: Callable[[], Any], *, fails: bool = False) -> Any:
        """Run a cell; its last value is shown in the place of what the cell has put out."""
        self.context.cell_lifecycle_registry.dispose(cell_id, deletion=False)
        status = self.context.graph.cells.setdefault(cell_id, Status())
        self.context.execution_context = Execution(cell_id)
        self.outputs[cell_id] = []
        value = code()
        status.run_result_status = "exception" if fails else "success"
        if hasattr(value, "_display_"):
            self.outputs[cell_id] = [value._display_()]
        self.context.execution_context = None
        return value

    def delete(self, cell_id: str) -> None:
        self.context.cell_lifecycle_registry.dispose(cell_id, deletion=True)

    def end(self) -> None:
        """The kernel ends, and what knew its cells goes with it."""
        self.context = Context()

    def append(self, shown: Any) -> None:
        # marimo knows the cell by its thread, or by that in which one of its own threads began.
        self.outputs[str(self.context.cell_id)].append(shown)

    def modules(self) -> dict[str, Any]:
        """What stands in `sys.modules` while it runs."""
        kernel = threading.get_ident()
        marimo = types.ModuleType("marimo")
        vars(marimo).update(
            running_in_notebook=lambda: threading.get_ident() == kernel,
            app_meta=lambda: Meta(object() if self.page else None, self.mode),
            output=types.SimpleNamespace(append=self.append),
            Html=Html,
            vstack=Stack,
            Thread=threading.Thread,
        )
        private = types.ModuleType("marimo._runtime.context")
        vars(private).update(get_context=self._get_context if self.private else _gone)
        return {"marimo": marimo, "marimo._runtime.context": private}

    def _get_context(self) -> Context:
        return self.context


def _gone() -> Context:
    raise NoContext
