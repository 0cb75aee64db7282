"""Make room: whole conversations that are old, and files that belong to nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from cellvoice.errors import UsageError

from ._files import named_sounds
from ._layout import INDEX, LOCK, PAGE, RUNNING, SOUND, TAKES, TURNS, unlink_quietly
from ._listing import SavedSession, sessions, size_words
from ._lock import FolderLock
from ._story import read_story

__all__ = ["Pruned", "prune"]

_FOLDERS = (SOUND, RUNNING, TAKES)
_FILES = (TURNS, INDEX, PAGE, LOCK)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What `cv.prune` removed, or would remove, and what it left alone.

    `sessions` are whole conversations, `orphans` files that no line of a conversation names.
    """

    folder: Path
    dry_run: bool
    sessions: tuple[SavedSession, ...]
    orphans: tuple[Path, ...]
    freed_bytes: int
    kept: int
    in_use: tuple[SavedSession, ...]

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        return "".join(f"<div>{escape(line)}</div>" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        verb = "would remove" if self.dry_run else "removed"
        yield (
            f"{verb} {_counted(len(self.sessions), 'conversation')} and "
            f"{_counted(len(self.orphans), 'file')} that belonged to none, "
            f"{size_words(self.freed_bytes)}; {_counted(self.kept, 'conversation')} left in "
            f"{self.folder}"
        )
        for one in self.sessions:
            name, when, turns, _, size, *_ = one.row()
            yield f"  {one.id}  {name}  {when}  {turns} turns  {size}"
        for path in self.orphans:
            yield f"  {path.relative_to(self.folder)}"
        for one in self.in_use:
            yield f"  left alone: {one.id}, {one.used_by} writes in it"


def prune(
    keep: int | None = None,
    older_than_days: float | None = None,
    *,
    dry_run: bool = False,
    journal: str | os.PathLike[str] | None = None,
) -> Pruned:
    """Remove conversations for good, and files that belong to none; tell which.

    `keep` spares that many of the newest, `older_than_days` those that are younger; with both, a
    conversation goes only if neither spares it, and with neither, all stay. `dry_run` removes
    nothing and tells what would go. One that a process writes in is left alone, and so is every
    file that cellvoice did not make. Raises UsageError for a number that can't be.
    """
    _check(keep, older_than_days)
    found = sessions(journal)
    old = [one for at, one in enumerate(found) if _goes(at, one, keep, older_than_days)]
    gone: list[SavedSession] = []
    orphans: list[Path] = []
    in_use: list[SavedSession] = []
    freed_bytes = 0
    for one in found:
        lock = FolderLock.take(one.folder)
        if lock is None:
            in_use.append(one)
            continue
        try:
            if one in old:
                gone.append(one)
                freed_bytes += one.size_bytes
                if not dry_run:
                    _remove_folder(one.folder)
            else:
                lost = list(_orphans(one.folder))
                orphans += lost
                freed_bytes += sum(path.lstat().st_size for path in lost)
                if not dry_run:
                    for path in lost:
                        unlink_quietly(path)
        finally:
            lock.release()
    kept = len(found) - len(gone)
    return Pruned(
        found.folder, dry_run, tuple(gone), tuple(orphans), freed_bytes, kept, tuple(in_use)
    )


def _check(keep: object, older_than_days: object) -> None:
    if keep is not None and (not isinstance(keep, int) or isinstance(keep, bool) or keep < 0):
        raise UsageError(f"keep={keep!r}: expected how many conversations to keep, 0 or more")
    if older_than_days is not None and (
        not isinstance(older_than_days, (int, float)) or not older_than_days >= 0
    ):
        raise UsageError(f"older_than_days={older_than_days!r}: expected days, 0 or more")


def _goes(at: int, one: SavedSession, keep: int | None, older_than_days: float | None) -> bool:
    if keep is None and older_than_days is None:
        return False
    if keep is not None and at < keep:
        return False
    if older_than_days is None:
        return True
    return datetime.now(UTC) - one.made_at > timedelta(days=older_than_days)


def _orphans(folder: Path) -> Iterator[Path]:
    """Files of ours that no line names: left by a kill, or by lines that were lost."""
    try:
        story = read_story(folder, replies=False)
    except (UsageError, OSError):
        return  # what can't be read may still be somebody's only copy
    if story.problems:
        return  # a damaged line may name any of them
    owned = set(named_sounds(story))
    for path in _files_in(folder / SOUND):
        if path.suffix == ".part" or (path.suffix == ".flac" and path not in owned):
            yield path
    for path in _files_in(folder / RUNNING):
        turn = next(
            (t for name, t in story.turns.items() if path.name.startswith(f"{name}.")), None
        )
        if turn is None or turn.ended:
            yield path
    yield from (path for path in _files_in(folder) if path.suffix == ".part")


def _remove_folder(folder: Path) -> None:
    """Remove what cellvoice makes, and the folders if nothing else is in them."""
    # The lines last: what a stop in between leaves is still found, and goes the next time.
    for name in _FOLDERS:
        for path in _files_in(folder / name):
            unlink_quietly(path)
        _rmdir_quietly(folder / name)
    for path in _files_in(folder):
        if path.name in _FILES or path.suffix == ".part":
            unlink_quietly(path)
    _rmdir_quietly(folder)


def _files_in(folder: Path) -> list[Path]:
    # A link to a folder elsewhere is not ours to empty.
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() or path.is_symlink())


def _rmdir_quietly(folder: Path) -> None:
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            folder.rmdir()
    except OSError:
        pass  # somebody put something else in it


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
