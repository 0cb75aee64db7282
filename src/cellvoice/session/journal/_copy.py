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


def copy_conversation(old: Path, new: Path, *, lines_bytes: int | None = None) -> None:
    """Bring lines, the first so many bytes if given, and what they name into a new folder.

    Sounds are linked where the drive can do that, as nothing ever changes them. Recordings that
    were not sent stay where they are. Raises OSError.
    """
    new.mkdir(parents=True, exist_ok=True)
    lines = b""
    if (old / TURNS).is_file():
        with (old / TURNS).open("rb") as file:
            lines = file.read(-1 if lines_bytes is None else lines_bytes)
        (new / TURNS).write_bytes(lines)
    for inner in (SOUND, RUNNING):
        if (old / inner).is_dir():
            (new / inner).mkdir(exist_ok=True)
            for path in (old / inner).iterdir():
                # A running reply is named by its turn, a sound by the line that has it.
                named = inner == RUNNING or path.name.encode() in lines
                if named and path.is_file() and not path.name.startswith("."):
                    _link_or_copy(path, new / inner / path.name, linked=inner == SOUND)


def _link_or_copy(old: Path, new: Path, *, linked: bool) -> None:
    if linked:
        try:
            os.link(old, new)
        except OSError:
            pass  # another drive, or one without links
        else:
            return
    shutil.copyfile(old, new)
