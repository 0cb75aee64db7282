"""The folder where a session writes every turn as it ends, and nothing is changed afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cellvoice.audio import Clip
from cellvoice.errors import UsageError

if TYPE_CHECKING:
    from ._outline import Outline
    from .turn import Turn

__all__ = ["Journal", "journal_for"]

_FOLDER = "cellvoice_journal"
_HASH_CHARS = 16


def journal_for(choice: object, session_id: str) -> Journal | None:
    """The journal that `journal=` asks for: None the usual folder, a path another, False none."""
    if choice is False:
        return None
    if choice is None or choice is True:
        parent = Path.cwd() / _FOLDER
    elif isinstance(choice, (str, os.PathLike)) and os.fspath(choice):
        parent = Path(os.fspath(choice)).expanduser().absolute()
    else:
        raise UsageError(f"journal={choice!r}: expected a folder, or False to write nothing")
    return Journal(parent, session_id)


class Journal:
    """`turns.jsonl` (a line for each turn), `sound/` (by content), `takes/` (recordings).

    Nothing is made on disk before there is something to write.
    """

    def __init__(self, parent: Path, session_id: str) -> None:
        self._parent = parent
        self._folder = parent / session_id
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Journal({str(self._folder)!r})"

    @property
    def folder(self) -> Path:
        """Where this session writes; it exists once something was written."""
        return self._folder

    def takes_folder(self) -> Path:
        """Where recordings are kept while they are made; made now. Raises OSError."""
        folder = self._folder / "takes"
        self._make(folder)
        return folder

    def write(self, turn: Turn) -> str | None:
        """Add a turn that has ended and its sound; the line is on the disk when this returns.

        Returns a sentence if that was not possible, else None. Raises nothing for a full disk or
        a folder that can't be written: the turn itself is not in danger.
        """
        try:
            with self._lock:
                self._write(turn)
        except (OSError, TypeError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return (
                f"the journal could not be written in {self._folder} ({reason}); this turn is "
                "kept in memory only, save what you need or pass journal= another folder"
            )
        return None

    def write_outline(self, outline: Outline) -> None:
        """Write which turns stand where. Raises nothing; makes no folder that is not there yet."""
        shape = {
            "version": 1,
            "order": outline.order,
            "stale": sorted(outline.stale),
            "versions": dict(outline.versions),
            "dropped": outline.dropped,
        }
        with self._lock, contextlib.suppress(OSError):
            if self._folder.is_dir():
                text = json.dumps(shape, ensure_ascii=False)
                _write_whole(self._folder / "outline.json", text.encode())

    def _write(self, turn: Turn) -> None:
        self._make(self._folder / "sound")
        line = json.dumps(self._record(turn), ensure_ascii=False, allow_nan=False)
        path = self._folder / "turns.jsonl"
        with path.open("ab") as file:
            start = file.tell()
            try:
                file.write(line.encode("utf-8", "replace") + b"\n")
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                # Half a line would spoil the next one.
                _cut_back(path, start)
                raise

    def _make(self, folder: Path) -> None:
        # A folder that was there before is the user's: what git sees of it is theirs to say.
        if not self._parent.exists():
            self._parent.mkdir(parents=True, exist_ok=True)
            (self._parent / ".gitignore").write_text("*\n", encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)

    def _record(self, turn: Turn) -> dict[str, object]:
        reply, error = turn.reply, turn.error
        return {
            "version": 1,
            "id": turn.id,
            "number": turn.number,
            "session": turn.session_id,
            "asked_at": _time(turn.asked_at),
            "ended_at": _time(datetime.now(UTC)),
            "finish": turn.finish,
            "model": turn.model,
            "voice": turn.voice,
            "cell": turn.cell.id if turn.cell else None,
            "input": [
                {"kind": "text", "text": part}
                if isinstance(part, str)
                else {"kind": "sound", **self._sound(part)}
                for part in turn.input
            ],
            "heard": turn.heard,
            "params": dict(turn.request.params) if turn.request else {},
            "reply": {
                "text": turn.text,
                "refusal": reply.refusal or None,
                "sound": self._sound(turn.clip) if turn.clip is not None else None,
                "audio_id": reply.audio_id,
                "expires_at": reply.expires_at,
            },
            "usage": turn.usage.to_json() if turn.usage else None,
            "cost_usd": turn.cost_usd,
            "cost_note": turn.cost_note,
            "timing": asdict(turn.timing),
            "request_id": turn.request_id,
            "engine": dict(turn.engine) if turn.engine else None,
            "notices": list(turn.notices),
            "error": {"name": type(error).__name__, "message": str(error)} if error else None,
        }

    def _sound(self, clip: Clip) -> dict[str, object]:
        flac = clip.to_bytes("flac")
        digest = hashlib.sha256(flac).hexdigest()
        name = f"sound/{digest[:_HASH_CHARS]}.flac"
        path = self._folder / name
        if not path.exists():
            _write_whole(path, flac)
        return {
            "file": name,
            "sha256": digest,
            "duration_s": round(clip.duration_s, 6),
            "sample_rate_hz": clip.sample_rate_hz,
        }


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either whole or not there."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _cut_back(path: Path, size: int) -> None:
    try:
        os.truncate(path, size)
    except OSError:
        pass  # the disk says no to everything; the notice tells of it


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
