"""A notebook that runs cells: the session sees it as it sees JupyterLab."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from cellvoice.session import Cell, Session, Turn, TurnView, drop_cells, end_cell_run


class Cells:
    """Cells by their ids; each run of one has a request id and a count of its own."""

    def __init__(self) -> None:
        self._counts = itertools.count(1)
        self._now: Cell | None = None

    @contextmanager
    def run(self, cell: str, *, fails: bool = False) -> Iterator[None]:
        """What happens inside is the code of one run of the cell."""
        count = next(self._counts)
        self._now = Cell(cell, count, f"request {count}")
        try:
            yield
        finally:
            ended, self._now = self._now, None
            if not fails:
                end_cell_run(ended.id, ended.run)

    def delete(self, *cells: str) -> None:
        drop_cells(cells)

    def cell(self) -> Cell | None:
        return self._now

    def open_turn(self, turn: Turn) -> TurnView | None:
        return None

    def listen(self, session: Session, overrides: Mapping[str, object]) -> Turn:
        """A recorder that nobody has spoken into yet."""
        return session.pending_turn(overrides)

    async def alisten(self, session: Session, overrides: Mapping[str, object]) -> Turn:
        return session.pending_turn(overrides)

    def show(self, session: Session) -> None:
        pass

    def show_turn(self, turn: Turn) -> None:
        pass


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> Cells:
    found = Cells()
    monkeypatch.setattr("cellvoice._compose.surface", lambda: found)
    monkeypatch.setattr(
        "cellvoice._compose.execution", lambda: found.cell() and found.cell().execution
    )
    return found


def asked(session: Session) -> list[Any]:
    """The inputs of the current turns."""
    return [turn.input[0] for turn in session.turns]
