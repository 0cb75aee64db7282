"""Cells, magics, live and frozen display, the pad, listening."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._surface import NotebookSurface, surface

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["NotebookSurface", "load_ipython_extension", "surface"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext cellvoice`: adds `%%voice` and `%voice`."""
    from .magics import load_ipython_extension as load

    load(shell)
