"""A session that goes on where its journal ends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellvoice.errors import UsageError

from ._outline import Fork, Outline
from ._restore import RestoredTurn, restored_settings
from .journal import (
    Holder,
    Journal,
    Story,
    copy_conversation,
    find_session,
    free_name,
    read_story,
)

if TYPE_CHECKING:
    from .session import Session
    from .turn import Turn

__all__ = ["Resumed", "open_folder", "resume"]


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a session takes over: its turns by id, their shape, and the highest id so far."""

    turns: Mapping[str, Turn]
    order: tuple[str, ...]
    outline: Outline | None
    made: int
    fork: Fork | None = None


def resume(
    kind: type[Session], wanted: object, journal: object, settings: Mapping[str, Any]
) -> Session:
    """The session that `wanted` means, with its turns. Raises UsageError, OSError."""
    return open_folder(kind, find_session(wanted, journal), settings)


def open_folder(
    kind: type[Session], folder: Path, settings: Mapping[str, Any], *, writes: bool = True
) -> Session:
    """A session on a folder that holds a conversation; on a copy if somebody else has it.

    Without `writes` the folder is only read, and what is said from here on is not kept.
    """
    story, journal, sentences = _opened(read_story(folder), writes)
    kept, refused = restored_settings(story.settings)
    sentences += refused
    if story.base_url and "base_url" not in settings:
        # Not taken from the file: whoever wrote it would choose where the key is sent.
        sentences.append(
            f"this conversation was held with {story.base_url}; pass base_url= to go on there"
        )
    described = _tool_names(kept.params.get("tools"))
    if described and "tools" not in settings:
        sentences.append(
            f"its tools ({described}) are only described here; pass tools= to run them"
        )
    given: dict[str, Any] = {"name": story.name or None}
    if story.settings:
        given |= {**kept.values(), "budget": kept.budget_usd}
    try:
        session = kind(**{**given, **settings, "journal": story.folder.parent if writes else False})
        if story.settings and kept.voice is None and "voice" not in settings:
            session.voice = None  # to the constructor None means the usual voice
    except BaseException:
        if journal is not None:
            journal.close()
        raise
    made = {
        name: RestoredTurn(session, turn, story.folder, number)
        for number, (name, turn) in enumerate(_in_order(story), 1)
    }
    resumed = Resumed(made, tuple(story.order), story.outline, story.made, story.fork)
    session._take_over(story.folder.name, journal, resumed, "; ".join(sentences))
    if journal is not None:
        _write_halves(story, journal, made)
    return session


def _opened(story: Story, writes: bool) -> tuple[Story, Journal | None, list[str]]:
    if not writes:
        return story, None, list(story.problems)
    opened = Journal.opened(story)
    if not isinstance(opened, Holder):
        journal, story = opened
        return story, journal, list(story.problems)
    original, holder = story.folder, opened
    copy = original.parent / free_name(original.parent, f"{original.name}-{os.getpid()}")
    copy_conversation(original, copy)
    copied = Journal.opened(read_story(copy))
    if isinstance(copied, Holder):
        raise UsageError(f"{copy} was just made and is in use by {copied}; resume it again")
    journal, story = copied
    sentence = (
        f"{holder} writes in {original}, so this is a copy of that conversation, written in {copy}"
    )
    return story, journal, [sentence, *story.problems]


def _tool_names(definitions: object) -> str:
    found = definitions if isinstance(definitions, list) else []
    return ", ".join(str(one[one["type"]]["name"]) for one in found)


def _in_order(story: Story) -> list[tuple[str, Any]]:
    """The current turns first, so that they have the numbers of their places."""
    order = story.order
    rest = [name for name in story.turns if name not in set(order)]
    return [(name, story.turns[name]) for name in (*order, *rest)]


def _write_halves(story: Story, journal: Journal, turns: Mapping[str, Turn]) -> None:
    """Have the turns that nobody wrote to their end on the disk, now that somebody can."""
    for name, turn in story.turns.items():
        if not turn.ended:
            journal.recovered(turns[name])
