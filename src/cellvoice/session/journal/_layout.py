"""Where everything lies in a journal, and how a file gets there whole.

cellvoice_journal/            the journals of one working folder
    .gitignore                keeps git out of it
    <session id>/             one conversation
        turns.jsonl           what happened, a line each; nothing in it is ever changed
        sound/<hash>.flac     every sound, named by its content
        running/<turn id>.*   the reply that is being received
        takes/                recordings that were not sent yet
        session.json          what the lines say, to look things up; made again from them
        index.md              the same for a person
        lock                  held by the process that writes here
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cellvoice.errors import UsageError

__all__ = [
    "FORMAT_VERSION",
    "INDEX",
    "LOCK",
    "PAGE",
    "RUNNING",
    "SOUND",
    "TAKES",
    "TURNS",
    "flushed",
    "folder_bytes",
    "lines_bytes",
    "make_folder",
    "parent_folder",
    "unlink_quietly",
    "write_whole",
]

FORMAT_VERSION = 1
TURNS = "turns.jsonl"
INDEX = "session.json"
PAGE = "index.md"
LOCK = "lock"
SOUND = "sound"
RUNNING = "running"
TAKES = "takes"

_FOLDER = "cellvoice_journal"


def parent_folder(choice: object) -> Path:
    """The folder that `journal=` names: a path, or the usual one for None and True."""
    if choice is None or choice is True:
        return Path.cwd() / _FOLDER
    if isinstance(choice, (str, os.PathLike)) and os.fspath(choice):
        return Path(os.fspath(choice)).expanduser().absolute()
    raise UsageError(f"journal={choice!r}: expected a folder, or False to write nothing")


def make_folder(folder: Path, parent: Path, *, ignored: bool) -> None:
    """Make a folder below `parent`, and keep git out of a parent that is made for it."""
    # A folder that was there before is the user's: what git sees of it is theirs to say.
    if not parent.exists():
        parent.mkdir(parents=True, exist_ok=True)
        if ignored:
            (parent / ".gitignore").write_text("*\n", encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is either whole and on the disk, or not there. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        unlink_quietly(Path(temporary))
        raise


def flushed(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network drives refuse it for folders
    finally:
        os.close(handle)


def unlink_quietly(path: Path) -> None:
    """Remove a file if it is there and may be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass


def lines_bytes(folder: Path) -> int:
    """How long a folder's lines are, in bytes; 0 if there are none."""
    try:
        return (folder / TURNS).stat().st_size
    except OSError:
        return 0


def folder_bytes(folder: Path) -> int:
    """The size of everything in a folder, in bytes."""
    total = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(inner, name)).st_size  # noqa: PTH118 (os.walk's own form, for speed)
            except OSError:
                continue  # gone meanwhile
    return total
