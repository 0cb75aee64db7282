"""Warnings that name the line of the user's that caused them."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

from cellvoice.protocol import PARAMS, current_names

__all__ = ["by_current_names"]

_HERE = str(Path(__file__).parents[1]) + os.sep


def by_current_names(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with old names replaced; warns of each at the caller's line.

    Raises UsageError if an old and a new name are both given and disagree.
    """
    renamed = current_names(settings)
    for name, value in settings.items():
        param = PARAMS.get(name)
        if param is not None and param.renamed_to is not None and value is not None:
            warnings.warn(
                f"{name} is the old name of {param.renamed_to} and is sent as that; "
                f"write {param.renamed_to}={value!r}",
                DeprecationWarning,
                stacklevel=_levels_to_the_caller(),
            )
    return renamed


def _levels_to_the_caller() -> int:
    """How far up, from the function that asks, the first frame outside of cellvoice is."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, level = frame.f_back, level + 1
    return level
