"""What a session does with what it keeps: go on with it, save it, show it to others."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from ._exporting import export, export_audio
from ._messages import from_messages, to_messages
from ._naming import takes_folder
from ._part import SessionPart
from ._resume import Resumed, resume
from ._saving import load, save
from ._script import to_script

if TYPE_CHECKING:
    from .journal import About, Journal, SavedSession, UnsentTake
    from .session import Session

__all__ = ["Keeping"]


class Keeping(SessionPart):
    """The part of a `Session` that is about its journal, files and other forms."""

    _id: str
    _name: str
    _journal: Journal | None
    _takes: Path | None
    _about: Callable[[], About]
    _resume_notice: str

    @classmethod
    def resume(
        cls,
        name: str | os.PathLike[str] | SavedSession,
        *,
        journal: str | os.PathLike[str] | None = None,
        **settings: object,
    ) -> Session:
        """Go on with a conversation that is in a journal, also after the kernel has died.

        `name` is its name, its id, a part of one that fits no other, its folder, or an entry of
        `cv.sessions()`; `journal` the folder to look in. `settings` are those of `Session` and
        replace the conversation's own. A reply that was being received is there as far as it had
        come, with `finish` "cut". If another process writes in the folder, the session goes on in
        a copy, and `notice` says so. Raises UsageError if there is no such conversation.
        """
        return resume(_session_class(cls), name, journal, settings)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the whole conversation with its sound into one file, such as "talk.zip".

        Recordings that were not sent are not in it, nor the key. Returns where it is. Raises
        UsageError when there are no turns.
        """
        return save(self._as_session(), path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        journal: str | os.PathLike[str] | bool | None = None,
        **settings: object,
    ) -> Session:
        """Go on with a conversation that `save` wrote, in a folder of the journal.

        With `journal=False` nothing is kept. `settings` are those of `Session` and replace the
        conversation's own. Raises UsageError for a file that is no saved conversation.
        """
        return load(_session_class(cls), path, journal, settings)

    def to_messages(self, *, audio_ids: bool = False) -> list[dict[str, object]]:
        """The conversation in the service's own JSON: what was said with its sound, and answers.

        An answer is given by its words; with `audio_ids` by its sound's id while that lives, as
        `history()` has it. Turns without an answer are left out.
        """
        session = self._as_session()
        return session.history() if audio_ids else to_messages(session)

    @classmethod
    def from_messages(cls, messages: Sequence[Mapping[str, object]], **settings: object) -> Session:
        """A session whose turns are read from messages in the service's JSON.

        A system message at the beginning becomes `system`. `settings` are those of `Session`.
        Raises UsageError for what no conversation of questions and answers has.
        """
        return from_messages(_session_class(cls), messages, settings)

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the conversation for people: "talk.html" with its sound, or "talk.md".

        The page needs no script and no network to be heard and read. Returns where it is.
        """
        return export(self._as_session(), path)

    def export_audio(
        self,
        path: str | os.PathLike[str],
        side: Literal["both", "user", "model"] = "both",
        *,
        gap_s: float = 0.6,
    ) -> Path:
        """Write what was said into one sound file, both sides or one, `gap_s` of silence between.

        The ending of the name chooses wav, flac, mp3, opus or ogg. What was typed is not heard.
        Returns where it is. Raises UsageError when nothing was said on that side.
        """
        return export_audio(self._as_session(), path, side, gap_s)

    def to_script(self, path: str | os.PathLike[str] | None = None) -> str:
        """A Python program that says the same things again; written to `path` if one is given.

        Spoken questions are read from a folder beside `path`, or from the journal.
        """
        return to_script(self._as_session(), path)

    @property
    def name(self) -> str:
        """The name that the conversation was given, or ""."""
        return self._name

    @property
    def unsent_takes(self) -> tuple[UnsentTake, ...]:
        """Recordings in the journal that no turn was asked with, oldest first."""
        return self._journal.unsent_takes() if self._journal is not None else ()

    @property
    def journal_folder(self) -> Path | None:
        """Where every turn is written, or None if nothing is written."""
        return self._journal.folder if self._journal else None

    @property
    def journal_bytes(self) -> int:
        """How much the journal's folder holds, as of the turn that ended last; `cv.prune` trims."""
        return self._journal.size_bytes if self._journal is not None else 0

    @property
    def takes_folder(self) -> Path:
        """Where recordings are kept while they are made; it exists.

        Inside the journal; a temporary folder if nothing is to be written or nothing can be.
        """
        if self._takes is None or not self._takes.is_dir():
            self._takes = takes_folder(self._journal, self)
        return self._takes

    def _take_over(self, id_: str, journal: Journal | None, resumed: Resumed, notice: str) -> None:
        """Become the session that a journal tells of."""
        if journal is not None:
            journal.about = self._about
        self._id, self._journal, self._resume_notice = id_, journal, notice
        self._asking.take_over(journal, resumed)


def _session_class(kind: object) -> type[Session]:
    return cast("type[Session]", kind)
