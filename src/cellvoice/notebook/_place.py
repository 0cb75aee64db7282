"""Where a verb was called: kernel, cell, execution, notebook file. Read on the calling thread."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellvoice.render import Place
from cellvoice.session import Cell

from ._frontend import NO_PAGE, Hearing, KernelFacts, RequestFacts, hearing


@dataclass(frozen=True, slots=True)
class Here:
    """One execution of one cell, as the calling thread sees it."""

    # The execute request's id: the same for everything that one run of a cell shows.
    execution: str
    cell: Cell | None
    hearing: Hearing
    # Cells that were deleted since the execution before.
    deleted: tuple[str, ...] = ()


def kernel_shell() -> Any | None:
    """The IPython shell of a Jupyter kernel, or None in a script, a console or a bare IPython."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if shell is not None and getattr(shell, "kernel", None) is not None else None


def here() -> Here | None:
    """The cell that runs on this thread, or None outside of a notebook's kernel.

    A thread that outlives its cell would read the cell that runs then, so this is asked when a verb
    is called, and carried on.
    """
    shell = kernel_shell()
    if shell is None:
        return None
    parent = _shell_parent(shell)
    header, metadata = _mapping(parent.get("header")), _mapping(parent.get("metadata"))
    cell_id = metadata.get("cellId")
    heard = NO_PAGE
    if header.get("msg_type") == "execute_request":
        heard = hearing(kernel_facts(shell), RequestFacts(metadata, "subshell_id" in header))
    execution = str(header.get("msg_id") or "")
    cell = None
    if isinstance(cell_id, str):
        cell = Cell(cell_id, _execution_count(shell), execution or None)
    gone = metadata.get("deletedCells")
    deleted = tuple(one for one in gone if isinstance(one, str)) if isinstance(gone, list) else ()
    return Here(execution, cell, heard, deleted)


def _execution_count(shell: Any) -> int | None:
    count = getattr(shell, "execution_count", None)
    return count if isinstance(count, int) else None


def _shell_parent(shell: Any) -> Mapping[str, object]:
    try:
        return _mapping(shell.kernel.get_parent("shell"))
    except (AttributeError, LookupError, TypeError):
        # The call differs between majors of ipykernel; without a parent there is no page.
        return {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def kernel_facts(shell: Any) -> KernelFacts | None:
    """The kernel's version and whether it answers pages on a thread of their own."""
    try:
        installed = importlib.metadata.version("ipykernel")
    except importlib.metadata.PackageNotFoundError:
        return None
    # The numbers in front: "7.4.0.dev0" counts as 7.4.0.
    version = tuple(int(part) for part in re.findall(r"\d+", installed)[:3])
    return KernelFacts(version, bool(getattr(shell.kernel, "_supports_kernel_subshells", False)))


def place() -> Place:
    """Where sound too long for the notebook goes: beside the notebook that the server named."""
    named = os.environ.get("JPY_SESSION_NAME", "")
    shell = kernel_shell()
    if shell is not None:
        # VS Code puts the notebook's path into the user's names instead.
        named = str(shell.user_ns.get("__vsc_ipynb_file__") or named)
    path = Path(named) if named.endswith(".ipynb") else None
    # A server whose root is not this machine's root gives a path that leads nowhere here.
    return Place(path if path is not None and path.parent.is_dir() else None)
