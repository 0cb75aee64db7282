"""The folder where a session writes everything as it happens, and nothing is changed afterwards."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ._home import Home
from ._layout import (
    FORMAT_VERSION,
    TAKES,
    TURNS,
    flushed,
    folder_bytes,
    lines_bytes,
    parent_folder,
)
from ._lines import LineFile, encoded
from ._lock import Holder
from ._messages import MessageTable
from ._records import (
    asked_record,
    audit_record,
    ended_record,
    outline_record,
    settings_record,
    time_text,
)
from ._register import Register
from ._running import RunningReply
from ._sounds import SoundStore
from ._story import Story, read_story
from ._takes import UnsentTake, unsent_takes

if TYPE_CHECKING:
    from cellvoice.protocol import Event, Request
    from cellvoice.session._asking import Settings
    from cellvoice.session._outline import Fork, Outline
    from cellvoice.session.turn import Turn

__all__ = ["About", "Journal", "Written", "journal_for"]

_log = logging.getLogger("cellvoice.session")


@dataclass(frozen=True, slots=True)
class About:
    """What the lines say of the session itself."""

    name: str
    made_at: datetime
    settings: Settings
    base_url: str
    fork: Fork | None


class Written(NamedTuple):
    """Whether a turn is on the disk with its sound, and a sentence for its notices, or ""."""

    done: bool
    sentence: str = ""


def journal_for(choice: object, session_id: str, *, ignored: bool = True) -> Journal | None:
    """The journal that `journal=` asks for: None the usual folder, a path another, False none."""
    return None if choice is False else Journal(parent_folder(choice), session_id, ignored=ignored)


class Journal:
    """A session's folder; `_layout` draws it, `docs/journal.md` explains it.

    Nothing is made on disk before there is something to write, and nothing here makes its caller
    wait or raises for a full disk, but for `flush`, `close` and `takes_folder`.
    """

    def __init__(self, parent: Path, session_id: str, *, ignored: bool = True) -> None:
        self.about: Callable[[], About] | None = None
        self._home = Home(parent, session_id, ignored=ignored)
        # From here on: used on the writer's thread.
        self._files: tuple[Path, LineFile, SoundStore] | None = None
        self._messages = MessageTable()
        self._register = Register()
        self._running: dict[str, RunningReply] = {}
        self._unwritten: list[Turn] = []
        self._told: Mapping[str, object] = {}
        self._made_at = ""
        self._size_bytes = 0
        self._closed = False

    @classmethod
    def opened(cls, story: Story) -> tuple[Journal, Story] | Holder:
        """The journal of a conversation that is there, to go on with; or who writes in it now.

        The story is read again if something was written since. A session of this process that still
        had it goes on in a folder of its own. Raises OSError.
        """
        journal = cls(story.folder.parent, story.folder.name)
        holder = journal._home.take_over()
        if holder is not None:
            return holder
        if lines_bytes(story.folder) != story.lines_bytes:
            story = read_story(story.folder)
        journal._home.own_bytes = story.lines_bytes
        journal._register.know(story)
        # So that no message, and nothing about the session, is written twice.
        journal._messages, journal._told = story.messages, story.told
        journal._made_at = story.made_at
        journal._size_bytes = folder_bytes(story.folder)
        return journal, story

    def __repr__(self) -> str:
        return f"Journal({str(self.folder)!r})"

    @property
    def folder(self) -> Path:
        """Where this session writes; it exists once something was written."""
        return self._home.folder

    @property
    def size_bytes(self) -> int:
        """How much the folder holds, recordings included, as of the turn that ended last."""
        return self._size_bytes

    def takes_folder(self) -> Path:
        """Where recordings are kept while they are made; made now. Raises OSError."""
        writer = self._home.writer
        folder = self._home.enter() / TAKES
        folder.mkdir(exist_ok=True)
        writer.submit(self._try_to_tell_session)
        return folder

    def unsent_takes(self) -> tuple[UnsentTake, ...]:
        """The recordings here that no turn was asked with, oldest first."""
        self.flush()
        return unsent_takes(self.folder, self._register.sent_sounds)

    def asked(self, turn: Turn) -> None:
        """A turn begins: have its question on the disk."""
        writer = self._home.writer
        self._running[turn.id] = RunningReply(turn.id, writer, self._home.enter)
        writer.submit(lambda: self._write_asked(turn))

    def sent(self, turn: Turn, request: Request) -> None:
        """A turn's request is ready to be sent."""
        if turn.id in self._running:
            self._running[turn.id].sent(request)

    def event(self, turn: Turn, event: Event) -> None:
        """Something of a turn's reply has come."""
        if turn.id in self._running:
            self._running[turn.id].take(event)

    def audit(self, turn: Turn, line: Mapping[str, object]) -> None:
        """A decision about a call of a tool, or a run of one: a line that is never changed."""
        self._home.writer.submit(lambda: self._write_audit(audit_record(turn, line)))

    def ended(self, turn: Turn) -> Future[Written]:
        """A turn has ended: have it on the disk with its sound.

        What the disk refuses is tried again with the next turn, as long as the process lives.
        """
        return self._home.writer.submit(lambda: self._write_ended(turn, own=True))

    def write(self, turn: Turn, *, own: bool = True) -> Written:
        """As `ended`, and wait for it; `own` tells that this is the turn's own journal, no copy."""
        return self._home.writer.submit(lambda: self._write_ended(turn, own=own)).result()

    def recovered(self, turn: Turn) -> None:
        """A turn that another process left half: write it to its end as it was found."""
        self._running[turn.id] = RunningReply(turn.id, self._home.writer, self._home.enter)
        self.ended(turn)

    def write_outline(self, outline: Outline) -> None:
        """The conversation has another shape now; the last outline counts when it is resumed."""
        self._home.writer.submit(lambda: self._write_outline(outline))

    def flush(self) -> None:
        """Wait until all that was handed over is written, as far as the disk takes it."""
        self._home.writer.flush()

    def close(self) -> None:
        """Write what is left, and let another process go on here. A later turn locks it again."""
        self._home.writer.submit(self._leave).result()

    def _leave(self) -> None:
        self._closed = True
        self._home.leave()

    def _write_ended(self, turn: Turn, *, own: bool) -> Written:
        refused = ""
        waiting, self._unwritten = [*self._unwritten, turn], []
        for one in waiting:
            sentence = self._try_to_end(one, own=own)
            if one is turn:
                refused = sentence
        if refused:
            return Written(False, refused)
        self._size_bytes = folder_bytes(self.folder)
        self._home.writer.submit(self._finish_folder)
        news, self._home.news = self._home.news, ""
        return Written(True, news)

    def _write_asked(self, turn: Turn) -> None:
        try:
            lines, sounds = self._open()
            record = asked_record(turn, sounds)
            self._append(lines, record)
            self._register.turn(record)
        except (OSError, TypeError, ValueError) as error:
            # At its end the turn is tried again, and then it says so.
            _log.warning("the question of turn %s can't be written: %s", turn.id, error)

    def _write_audit(self, record: Mapping[str, object]) -> None:
        try:
            lines, _ = self._open()
            self._append(lines, record)
        except (OSError, TypeError, ValueError) as error:
            _log.warning("a line about a tool can't be written: %s", error)

    def _try_to_end(self, turn: Turn, *, own: bool) -> str:
        """Write a turn that has ended; "" or what was in the way."""
        try:
            lines, sounds = self._open()
            record = ended_record(turn, sounds, self._messages)
            self._append(lines, record)
        except OSError as error:
            self._unwritten.append(turn)
            return self._refusal(error.strerror or str(error))
        except (TypeError, ValueError) as error:
            return self._refusal(str(error))
        self._messages.written()
        self._register.turn(record)
        if own:
            turn._written = True
        running = self._running.pop(turn.id, None)
        if running is not None:
            running.remove()
        return ""

    def _refusal(self, reason: str) -> str:
        return (
            f"the journal could not be written in {self.folder} ({reason}); this turn is kept in "
            "memory only, and tried again with the next one; save what you need or pass journal= "
            "another folder"
        )

    def _write_outline(self, outline: Outline) -> None:
        self._register.outline(outline)
        # A conversation that somebody else goes on with is copied for a turn, not for its shape.
        closed = self._closed
        if self._register.due is not None and self._home.stay():
            self._finish_folder()
            if closed:
                self._leave()

    def _finish_folder(self) -> None:
        """Bring what is not about one turn up to date: the outline, the index."""
        try:
            lines, _ = self._open()
            outline = self._register.due
            if outline is not None:
                self._append(lines, outline_record(outline))
                self._register.outline_written(outline)
            record = self._session_record()
            settings = record.pop("settings", {})
            session = {**record, **(settings if isinstance(settings, dict) else {})}
            self._register.write_index(self.folder, session)
        except (OSError, TypeError, ValueError) as error:
            _log.warning("the index of %s can't be written: %s", self.folder, error)

    def _try_to_tell_session(self) -> None:
        try:
            self._open()
        except OSError as error:
            _log.warning("the journal can't be begun: %s", error)

    def _open(self) -> tuple[LineFile, SoundStore]:
        """Where lines and sounds go now, and a line about the session if anything has changed."""
        folder = self._home.enter()
        self._closed = False
        if self._files is None or self._files[0] != folder:
            self._files = (folder, LineFile(folder / TURNS), SoundStore(folder))
        _, lines, sounds = self._files
        record = self._session_record()
        if record != self._told:
            self._append(lines, {"kind": "session", "version": FORMAT_VERSION, **record})
            self._told = record
        return lines, sounds

    def _session_record(self) -> dict[str, object]:
        about = self.about() if self.about is not None else None
        if about is None:
            return {"id": self.folder.name}
        fork = {} if about.fork is None else {"fork": dataclasses.asdict(about.fork)}
        return {
            "id": self.folder.name,
            **fork,
            "name": about.name,
            "made_at": self._made_at or time_text(about.made_at),
            "settings": settings_record(about.settings),
            "base_url": about.base_url,
        }

    def _append(self, lines: LineFile, record: Mapping[str, object]) -> None:
        new = not lines.path.exists()
        lines.append(encoded(record))
        self._home.own_bytes = lines_bytes(self.folder)
        if new:
            flushed(self.folder)
