"""A conversation as one file, and out of one again: a zip of its journal."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cellvoice.errors import UsageError

from ._resume import open_folder
from .journal import Journal, free_name, make_folder, parent_folder, read_story, saved_files

if TYPE_CHECKING:
    from .session import Session

__all__ = ["load", "save"]

_LINES = "turns.jsonl"
_PLAIN = frozenset({_LINES, "session.json", "index.md"})
_SOUND = re.compile(r"sound/[0-9a-f]{16}\.flac")
_RUNNING = re.compile(r"running/[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.(jsonl|pcm16)")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
# A day of speech as FLAC is about 2.6 GB; the lines of a thousand turns are some megabytes.
_LARGEST_BYTES = 4_000_000_000
_LARGEST_LINES_BYTES = 250_000_000
_MOST_FILES = 100_000
_PIECE_BYTES = 1 << 20


def save(session: Session, path: str | os.PathLike[str]) -> Path:
    """Write a session's turns and their sound into one file; a file that is there is replaced.

    Raises UsageError when there is nothing to save, OSError when the disk refuses.
    """
    target = Path(os.fspath(path)).expanduser().absolute()
    if not session.turns:
        raise UsageError("there is nothing to save: the conversation has no turns yet")
    with _folder_of(session) as folder:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                _write_zip(file, folder)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    return target


@contextmanager
def _folder_of(session: Session) -> Iterator[Path]:
    """A folder that has all turns: the journal, or one made for this where that lacks some."""
    journal = session._journal
    if journal is not None:
        journal.flush()
        if all(turn.written for turn in session.turns if turn.done):
            yield journal.folder
            return
    with tempfile.TemporaryDirectory(prefix="cellvoice-save-") as parent:
        copy = Journal(Path(parent), session.id)
        copy.about = session._about
        for turn in session._asking.all_turns():
            if turn.done and not copy.write(turn, own=False).done:
                raise OSError(f"turn {turn.number} can't be written in {parent}: is the disk full?")
        copy.write_outline(session._asking.outline())
        copy.close()
        yield copy.folder


def _write_zip(file: Any, folder: Path) -> None:
    with zipfile.ZipFile(file, "w") as whole:
        for name, content in saved_files(folder):
            # FLAC is compressed already.
            kind = zipfile.ZIP_STORED if name.endswith(".flac") else zipfile.ZIP_DEFLATED
            whole.writestr(name, content, compress_type=kind)


def load(
    kind: type[Session],
    path: str | os.PathLike[str],
    journal: object,
    settings: Mapping[str, Any],
) -> Session:
    """A session that goes on with a saved conversation, in a folder of the journal.

    Raises UsageError for a file that is no saved conversation, OSError.
    """
    source = Path(os.fspath(path)).expanduser()
    if journal is False:
        temporary = tempfile.TemporaryDirectory(
            prefix="cellvoice-load-", ignore_cleanup_errors=True
        )
        folder = _unpacked(source, Path(temporary.name))
        session = open_folder(kind, folder, settings, writes=False)
        # Its sound is read from there for as long as there is a session.
        weakref.finalize(session, temporary.cleanup)
        return session
    parent = parent_folder(journal)
    make_folder(parent, parent, ignored=bool(settings.get("gitignore", True)))
    return open_folder(kind, _unpacked(source, parent), settings)


def _unpacked(source: Path, parent: Path) -> Path:
    """A new folder below `parent` with what the file holds; nothing is left if it can't be read."""
    scratch = Path(tempfile.mkdtemp(dir=parent, prefix=".", suffix=".part"))
    try:
        _unpack(source, scratch)
        story = read_story(scratch, replies=False)
        name = story.id if _ID.fullmatch(story.id) else f"loaded-{secrets.token_hex(4)}"
        folder = parent / free_name(parent, name)
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    folder.chmod(0o755)  # mkdtemp makes folders that nobody else may read
    return folder


def _unpack(source: Path, folder: Path) -> None:
    if not source.is_file():
        raise UsageError(f"there is no file {str(source)!r} (in {Path.cwd()}) to load")
    try:
        with zipfile.ZipFile(source) as whole:
            members = _members(whole, source)
            for member in members:
                target = folder / member.filename
                target.parent.mkdir(exist_ok=True)
                with whole.open(member) as read, target.open("wb") as write:
                    shutil.copyfileobj(read, write, _PIECE_BYTES)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        # Encrypted, cut, or compressed in a way that nobody here knows.
        raise UsageError(
            f"{source.name} can't be read ({error}), expected a file that session.save() wrote; "
            "save it again"
        ) from error


def _members(whole: zipfile.ZipFile, source: Path) -> list[zipfile.ZipInfo]:
    """What belongs to a conversation; the rest is left in the file. Raises UsageError."""
    found: dict[str, zipfile.ZipInfo] = {}
    everything = whole.infolist()
    if len(everything) > _MOST_FILES:
        raise UsageError(
            f"{source.name} has {len(everything):,} files in it, expected at most {_MOST_FILES:,}"
        )
    for member in everything:
        name = member.filename
        if ".." in PurePosixPath(name.replace("\\", "/")).parts or name.startswith(("/", "\\")):
            raise UsageError(
                f"{source.name} has a file {name!r} in it, which leads out of its folder: it is "
                "no saved conversation, and nothing of it was unpacked"
            )
        if name in _PLAIN or _SOUND.fullmatch(name) or _RUNNING.fullmatch(name):
            if name in found:
                raise UsageError(f"{source.name} has {name!r} in it twice, expected it once")
            found[name] = member
    if _LINES not in found:
        raise UsageError(
            f"{source.name} has no {_LINES} in it, expected a file that session.save() wrote"
        )
    _refuse_too_large(found, source)
    return list(found.values())


def _refuse_too_large(members: Mapping[str, zipfile.ZipInfo], source: Path) -> None:
    # The sizes that a zip claims are what is read of it: zipfile stops there.
    total, lines = sum(member.file_size for member in members.values()), members[_LINES].file_size
    if total > _LARGEST_BYTES or lines > _LARGEST_LINES_BYTES:
        raise UsageError(
            f"{source.name} would take {total / 1e6:,.0f} MB, {lines / 1e6:,.0f} MB of them lines; "
            f"expected at most {_LARGEST_BYTES / 1e6:,.0f} MB, {_LARGEST_LINES_BYTES / 1e6:,.0f} "
            "MB of them lines: a conversation is not so large"
        )
