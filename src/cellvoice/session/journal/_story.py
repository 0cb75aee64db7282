"""What a journal's folder tells, read in one go: the last word on every turn counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellvoice.errors import UsageError
from cellvoice.protocol import Request
from cellvoice.session._outline import Fork, Outline

from ._layout import FORMAT_VERSION, TAKES, TURNS, lines_bytes
from ._lines import lines_in
from ._messages import MessageTable
from ._spool import Spooled, read_spool, spool_ids

__all__ = ["Story", "TurnStory", "is_journal", "read_story"]

_LAST_NUMBER = re.compile(r"-(\d+)$")

Record = Mapping[str, Any]


@dataclass(slots=True)
class TurnStory:
    """What is known of a turn: its last line, and its reply on disk if it was not ended."""

    record: Record
    request: Request | None = None
    # Those before the last one, in a turn that called tools.
    requests: tuple[Request | None, ...] = ()
    spooled: Spooled | None = None

    @property
    def ended(self) -> bool:
        """Whether the turn was written to its end."""
        return self.record.get("kind") == "ended"


@dataclass(slots=True)
class Story:
    """A conversation as its folder tells it. `problems` are sentences about what is lost."""

    folder: Path
    id: str
    name: str = ""
    made_at: str = ""
    settings: Record = field(default_factory=dict)
    base_url: str = ""
    fork: Fork | None = None
    # How much of the lines it was read from.
    lines_bytes: int = 0
    # The last line about the session, as it would be written again.
    told: Record = field(default_factory=dict)
    turns: dict[str, TurnStory] = field(default_factory=dict)
    outline: Outline | None = None
    messages: MessageTable = field(default_factory=MessageTable)
    problems: list[str] = field(default_factory=list)

    @property
    def order(self) -> list[str]:
        """The current turns: the last outline's, and then those that it does not speak of."""
        outline = self.outline or Outline()
        told = {*outline.order, *outline.dropped}
        told.update(old for versions in outline.versions.values() for old in versions)
        kept = [name for name in outline.order if name in self.turns]
        rest = [name for name in self.turns if name not in told]
        # A turn that the disk took late stands behind those that were asked after it.
        return kept + sorted(rest, key=self._place)

    @property
    def made(self) -> int:
        """The highest number that a turn's id ends in; the next one is above it."""
        return max(map(_last_number, self.turns), default=0)

    def _place(self, name: str) -> int:
        number = self.turns[name].record.get("number")
        return number if isinstance(number, int) else _last_number(name)


def _last_number(name: str) -> int:
    found = _LAST_NUMBER.search(name)
    return int(found[1]) if found else 0


def is_journal(folder: Path) -> bool:
    """Whether a folder holds a conversation, or a recording that never became one."""
    return (folder / TURNS).is_file() or (
        (folder / TAKES).is_dir() and any((folder / TAKES).iterdir())
    )


def read_story(folder: Path, *, replies: bool = True) -> Story:
    """Read a folder; `replies` also those that were not ended.

    Raises UsageError for a folder that is no conversation or was written by a newer cellvoice,
    OSError if it can't be read. A line that is no JSON is left out and told of in `problems`.
    """
    if not is_journal(folder):
        raise UsageError(
            f"there is no conversation in {folder}: expected a folder with {TURNS}, as "
            "session.journal_folder names it; cv.sessions() shows those there are"
        )
    story = Story(folder, folder.name, lines_bytes=lines_bytes(folder))
    if (folder / TURNS).is_file():
        for number, line in lines_in(folder / TURNS):
            _take(story, number, line)
    if replies:
        for name in spool_ids(folder):
            turn = story.turns.get(name)
            if turn is not None and not turn.ended:
                turn.spooled = read_spool(folder, name)
    return story


def _take(story: Story, number: int, line: Record | None) -> None:
    if line is None:
        story.problems.append(
            f"line {number} of {TURNS} is damaged and was left out; a turn may be missing"
        )
        return
    version = line.get("version", FORMAT_VERSION)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise UsageError(
            f"{story.folder / TURNS} has format {version!r}, expected at most {FORMAT_VERSION}: "
            "a newer cellvoice wrote it; install that one to read it"
        )
    kind = line.get("kind")
    if kind in ("asked", "ended"):
        _take_turn(story, line)
    elif kind == "session":
        _take_session(story, line)
    elif kind == "outline":
        story.outline = _outline(line)


def _take_turn(story: Story, line: Record) -> None:
    name = line.get("id")
    if not isinstance(name, str):
        return
    known = story.turns.get(name)
    if known is not None and known.ended and line["kind"] == "asked":
        return
    # In the order in which they were written: a message is written out once.
    rounds = line.get("rounds")
    before = tuple(
        story.messages.read(_mapping(one).get("request"))
        for one in (rounds if isinstance(rounds, list) else ())
    )
    request = story.messages.read(line.get("request"))
    story.turns[name] = TurnStory(line, request, before)
    story.settings = _mapping(line.get("settings")) if not story.settings else story.settings


def _take_session(story: Story, line: Record) -> None:
    story.id = str(line.get("id") or story.id)
    story.name = str(line.get("name") or "")
    story.made_at = str(line.get("made_at") or story.made_at)
    story.settings = _mapping(line.get("settings"))
    story.base_url = str(line.get("base_url") or "")
    story.fork = _fork(_mapping(line.get("fork")))
    story.told = {key: value for key, value in line.items() if key not in ("kind", "version")}


def _fork(record: Record) -> Fork | None:
    name, shared = record.get("session_id"), record.get("shared")
    known = isinstance(name, str) and isinstance(shared, int) and shared >= 0
    return Fork(str(name), int(shared or 0)) if known else None


def _outline(line: Record) -> Outline:
    versions = _mapping(line.get("versions"))
    return Outline(
        order=_names(line.get("order")),
        stale=frozenset(_names(line.get("stale"))),
        versions={name: _names(older) for name, older in versions.items()},
        dropped=_names(line.get("dropped")),
    )


def _names(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(name for name in found if isinstance(name, str))


def _mapping(value: object) -> Record:
    return value if isinstance(value, Mapping) else {}
