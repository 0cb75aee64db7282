"""The folder that one session writes in: made when it is needed, locked, left when it must be."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

from cellvoice.errors import UsageError

from ._copy import copy_conversation, free_name
from ._layout import lines_bytes, make_folder
from ._lock import FolderLock, Holder, holder_of
from ._writer import Writer

__all__ = ["Home"]

# Who writes where in this process: a second session on a folder takes it over from the first.
_owners: weakref.WeakValueDictionary[Path, Home] = weakref.WeakValueDictionary()


class Home:
    """A session's folder, and the thread that writes in it.

    `news` is a sentence about a move that nobody was told of yet, or "". `own_bytes` is how long
    the lines are that this session knows: what is longer was written by somebody else since.
    """

    def __init__(self, parent: Path, name: str, *, ignored: bool = True) -> None:
        self._parent = parent
        self._ignored = ignored
        self._folder = parent / name
        self._lock: FolderLock | None = None
        self._become_this_process()
        self.news = ""
        self.own_bytes = 0

    @property
    def folder(self) -> Path:
        """Where the session writes; it exists once it was entered."""
        return self._folder

    @property
    def writer(self) -> Writer:
        """The thread that writes here."""
        if self._pid != os.getpid():
            # A forked child: thread and lock are its parent's, and so is whoever held `_entering`.
            self._become_this_process()
        return self._writer

    def enter(self) -> Path:
        """The folder, made and locked; another one if somebody else has it. Raises OSError."""
        with self._entering:
            if self._lock is None:
                make_folder(self._folder, self._parent, ignored=self._ignored)
                self._hold(self._lock_own() or self._move())
            return self._folder

    def stay(self) -> bool:
        """Lock the folder where it is; False if it is gone or somebody else has it by now."""
        with self._entering:
            if self._lock is None:
                try:
                    lock = self._lock_own() if self._folder.is_dir() else None
                except OSError:
                    lock = None
                if lock is None:
                    return False
                self._hold(lock)
            return True

    def take_over(self) -> Holder | None:
        """Lock a folder that exists, also one that another session of this process has.

        That one goes on elsewhere. Returns who else writes there, or None when it is locked.
        Raises OSError.
        """
        lock = FolderLock.take(self._folder)
        if lock is None:
            owner = _owners.get(self._folder.resolve())
            if owner is not None and owner._pid == os.getpid():
                # On its own thread, so that no job of it takes the lock back in between.
                lock = owner._writer.submit(owner._hand_over).result()
        if lock is None:
            return holder_of(self._folder) or Holder(None, "")
        self._hold(lock)
        return None

    def leave(self) -> None:
        """Let others write here. To enter again locks it again."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _become_this_process(self) -> None:
        self._pid, self._lock = os.getpid(), None
        self._writer, self._entering = Writer(), threading.RLock()

    def _hold(self, lock: FolderLock) -> None:
        self._lock = lock
        _owners[self._folder.resolve()] = self

    def _lock_own(self) -> FolderLock | None:
        """The lock, if nobody has it and nobody else has gone on here meanwhile."""
        lock = FolderLock.take(self._folder)
        if lock is not None and lines_bytes(self._folder) > self.own_bytes:
            lock.release()
            return None
        return lock

    def _hand_over(self) -> FolderLock | None:
        self.leave()
        return FolderLock.take(self._folder)

    def _move(self) -> FolderLock:
        """Go on in a folder of our own, because somebody else writes in this one, or has.

        With the turns that this session knows: those that came later have the same ids as ours.
        """
        old, holder = self._folder, holder_of(self._folder)
        new = self._parent / free_name(self._parent, f"{old.name}-{self._pid}")
        copy_conversation(old, new, lines_bytes=self.own_bytes)
        lock = FolderLock.take(new)
        if lock is None:
            raise UsageError(f"{new} was just made and is in use; ask again")
        self._folder = new
        self.news = (
            f"{holder or 'another session'} goes on with this conversation in {old}; "
            f"what is said here is written in {new}"
        )
        return lock
