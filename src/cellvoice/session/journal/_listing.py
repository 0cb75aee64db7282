"""The conversations that a journal has, each with what tells it from the others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, overload

from cellvoice.errors import UsageError

from ._index import entry_of
from ._layout import FORMAT_VERSION, INDEX, TURNS, folder_bytes, parent_folder
from ._lock import Holder, holder_of
from ._story import Story, is_journal, read_story

__all__ = ["SavedSession", "SavedSessions", "find_session", "sessions", "size_words"]

_COLUMNS = ("name", "when", "turns", "seconds", "size", "model", "id")


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A conversation in a journal. `Session.resume(saved)` goes on with it.

    `seconds` is how long all its sound plays, `size_bytes` what it takes on disk, `used_by` the
    process that writes in it now, or None.
    """

    id: str
    name: str
    made_at: datetime
    turns: int
    seconds: float
    size_bytes: int
    model: str
    cost_usd: float
    folder: Path
    used_by: Holder | None = None

    def __fspath__(self) -> str:
        return str(self.folder)

    def row(self) -> tuple[str, ...]:
        """What a table shows of it."""
        return (
            self.name or "—",
            f"{self.made_at.astimezone():%Y-%m-%d %H:%M}",
            str(self.turns),
            f"{self.seconds:.1f}",
            size_words(self.size_bytes),
            self.model,
            f"{self.id} (in use by {self.used_by})" if self.used_by else self.id,
        )


class SavedSessions(Sequence[SavedSession]):
    """What `cv.sessions()` gives: the newest first, by place or by name."""

    def __init__(self, folder: Path, found: Sequence[SavedSession]) -> None:
        self.folder = folder
        self._found = tuple(found)

    @overload
    def __getitem__(self, at: int | str) -> SavedSession: ...
    @overload
    def __getitem__(self, at: slice) -> SavedSessions: ...
    def __getitem__(self, at: int | str | slice) -> SavedSession | SavedSessions:
        if isinstance(at, slice):
            return SavedSessions(self.folder, self._found[at])
        return self._found[at] if isinstance(at, int) else self.named(at)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[SavedSession]:
        return iter(self._found)

    def __repr__(self) -> str:
        if not self._found:
            return f"no conversations in {self.folder}"
        rows = [_COLUMNS, *(one.row() for one in self._found)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, self._summary()])

    def _repr_html_(self) -> str:
        if not self._found:
            return f"<div>{escape(repr(self))}</div>"
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in one.row())}</tr>"
            for one in self._found
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<div>{escape(self._summary())}</div>"
        )

    def named(self, name: str) -> SavedSession:
        """The one with this id or name, the newest if several have the name, or a part of one.

        Raises UsageError when there is none, or more than one that a part fits.
        """
        for exact in (
            [one for one in self if one.id == name],
            [one for one in self if one.name == name],
        ):
            if exact:
                return exact[0]
        partly = [one for one in self if name in one.id or name in one.name] if name else []
        if len(partly) == 1:
            return partly[0]
        if partly:
            some = ", ".join(f"{one.id} ({one.name or 'no name'})" for one in partly[:5])
            raise UsageError(f"{name!r} fits {len(partly)} conversations: {some}; say more of it")
        there = ", ".join(one.name or one.id for one in self._found[:5]) or "none at all"
        raise UsageError(
            f"there is no conversation {name!r} in {self.folder}, the newest there are: {there}; "
            "cv.sessions(journal=…) looks in another folder"
        )

    def _summary(self) -> str:
        total = sum(one.size_bytes for one in self._found)
        count = "1 conversation" if len(self) == 1 else f"{len(self)} conversations"
        return f"{count}, {size_words(total)} in {self.folder}"


def sessions(journal: str | os.PathLike[str] | None = None) -> SavedSessions:
    """The conversations in a journal's folder, the newest first; the usual folder without one."""
    parent = parent_folder(journal)
    folders = [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
    found = [_saved(folder) for folder in folders if is_journal(folder)]
    return SavedSessions(parent, sorted(found, key=lambda one: one.made_at, reverse=True))


def find_session(wanted: object, journal: object) -> Path:
    """The folder that a name, a part of one, a path or a SavedSession means. UsageError."""
    if isinstance(wanted, os.PathLike):
        return Path(os.fspath(wanted)).expanduser().absolute()
    if not isinstance(wanted, str) or not wanted.strip():
        raise UsageError(
            f"cannot resume {wanted!r}: expected a name, an id, a part of one, or a folder"
        )
    as_path = Path(wanted).expanduser()
    if len(as_path.parts) > 1 and is_journal(as_path):
        return as_path.absolute()
    return sessions(parent_folder(journal)).named(wanted).folder


def size_words(size_bytes: float) -> str:
    """`812 B`, `4.2 kB`, `31 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 999.5 or unit == "GB":
            break
        size_bytes /= 1_000
    return (
        f"{size_bytes:.0f} {unit}"
        if unit == "B" or size_bytes >= 10
        else f"{size_bytes:.1f} {unit}"
    )


def _saved(folder: Path) -> SavedSession:
    index = _index(folder) or _read(folder)
    turns = index.get("turns")
    return SavedSession(
        id=folder.name,
        name=str(index.get("name") or ""),
        made_at=_moment(index.get("made_at"), folder),
        turns=len(turns) if isinstance(turns, list) else 0,
        seconds=float(index.get("seconds") or 0.0),
        size_bytes=folder_bytes(folder),
        model=str(index.get("model") or ""),
        cost_usd=float(index.get("cost_usd") or 0.0),
        folder=folder,
        used_by=holder_of(folder),
    )


def _index(folder: Path) -> Mapping[str, Any] | None:
    """The index, if it was made of all lines that there are."""
    try:
        found = json.loads((folder / INDEX).read_bytes())
        size = (folder / TURNS).stat().st_size
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT_VERSION:
        return None
    return found if found.get("covers_bytes") == size else None


def _read(folder: Path) -> Mapping[str, Any]:
    try:
        story = read_story(folder, replies=False)
    except (UsageError, OSError):
        # Damaged, or of a newer cellvoice: it is shown, and says why when it is resumed.
        return {}
    return _facts(story)


def _facts(story: Story) -> Mapping[str, Any]:
    entries = [entry_of(story.turns[name].record) for name in story.order]
    return {
        "name": story.name,
        "made_at": story.made_at,
        "model": story.settings.get("model"),
        "turns": entries,
        "seconds": sum(_number(one["spoken_s"]) + _number(one["answer_s"]) for one in entries),
        "cost_usd": sum(_number(one["cost_usd"]) for one in entries),
    }


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _moment(told: object, folder: Path) -> datetime:
    for text in (told, folder.name.partition("-")[0]):
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC)
