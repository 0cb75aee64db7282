"""A second folder for a conversation that somebody else goes on with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ._layout import RUNNING, SOUND, TURNS

__all__ = ["copy_conversation", "free_name"]


def free_name(parent: Path, name: str) -> str:
    """`name`, or the first of `name-2`, `name-3` … that no folder has."""
    found, number = name, 1
    while (parent / found).exists():
        number += 1
        found = f"{name}-{number}"
    return found


def copy_conversation(old: Path, new: Path) -> None:
    """Bring lines, sounds and running replies into a new folder. Raises OSError.

    Sounds are linked where the drive can do that, as nothing ever changes them. Recordings that
    were not sent stay where they are.
    """
    new.mkdir(parents=True, exist_ok=True)
    for inner in (SOUND, RUNNING):
        if (old / inner).is_dir():
            (new / inner).mkdir(exist_ok=True)
            for path in (old / inner).iterdir():
                if path.is_file() and not path.name.startswith("."):
                    _link_or_copy(path, new / inner / path.name, linked=inner == SOUND)
    if (old / TURNS).is_file():
        shutil.copyfile(old / TURNS, new / TURNS)


def _link_or_copy(old: Path, new: Path, *, linked: bool) -> None:
    if linked:
        try:
            os.link(old, new)
        except OSError:
            pass  # another drive, or one without links
        else:
            return
    shutil.copyfile(old, new)
