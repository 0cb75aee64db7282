"""One process writes in a folder; another one is told who does.

The lock is the operating system's own, so it ends with the process, however that ends. The file
says which process holds it, for a person and for the sentence that the second one gives.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import weakref
from dataclasses import dataclass
from pathlib import Path

from ._layout import LOCK

__all__ = ["FolderLock", "Holder", "holder_of"]

# Whoever only looks holds the lock for a moment, and must not be taken for somebody who writes.
_TRIES = 4
_PAUSE_S = 0.01
# Far behind what the file says, so that Windows, which locks bytes, lets it be read.
_LOCKED_BYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes in a folder, as far as the lock file tells."""

    pid: int | None
    host: str

    def __str__(self) -> str:
        where = f" on {self.host}" if self.host and self.host != socket.gethostname() else ""
        return f"process {self.pid}{where}" if self.pid else "another process"


class FolderLock:
    """The right to write in a folder, held until `release` or the end of the process."""

    def __init__(self, handle: int) -> None:
        # In a forked child this closes its copy only: the parent still has the lock.
        self._close = weakref.finalize(self, os.close, handle)
        self._close.atexit = False

    @classmethod
    def take(cls, folder: Path) -> FolderLock | None:
        """Lock a folder, which exists; None if somebody else has it. Raises OSError."""
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        if not _locked(handle):
            os.close(handle)
            return None
        told = {"pid": os.getpid(), "host": socket.gethostname()}
        try:
            os.truncate(folder / LOCK, 0)
            os.write(handle, json.dumps(told).encode() + b"\n")
        except OSError:
            pass  # a full disk: the lock holds all the same
        return cls(handle)

    def release(self) -> None:
        """Let others write; does nothing a second time."""
        self._close()


def holder_of(folder: Path) -> Holder | None:
    """Who writes in a folder now, or None. Raises nothing."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _locked(handle) else _holder(folder)
    finally:
        os.close(handle)


def _holder(folder: Path) -> Holder:
    try:
        told = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        return Holder(int(told["pid"]), str(told["host"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Holder(None, "")


def _locked(handle: int) -> bool:
    for attempt in range(_TRIES):
        if _try_lock(handle):
            return True
        if attempt + 1 < _TRIES:
            time.sleep(_PAUSE_S)
    return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a drive without locks: better to write than to refuse
        return True
