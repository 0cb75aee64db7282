"""What the lines of a folder say in sum: for the index, and to know what is written already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellvoice.session._outline import Outline

from ._index import Entry, entry_of, index_json, index_page
from ._layout import INDEX, PAGE, TURNS, write_whole

if TYPE_CHECKING:
    from ._story import Story

__all__ = ["Register"]


class Register:
    """The turns by their ids, their last outline, and the sounds that were sent. For one thread."""

    def __init__(self) -> None:
        self.sent_sounds: set[str] = set()
        self._entries: dict[str, Entry] = {}
        # The places by which a reader orders turns that no outline speaks of.
        self._places: dict[str, int] = {}
        self._outline = Outline()
        self._written = Outline()

    def know(self, story: Story) -> None:
        """Take over what a folder's lines say."""
        for turn in story.turns.values():
            self.turn(turn.record)
        if story.outline is not None:
            self._outline = self._written = story.outline

    def turn(self, record: Mapping[str, Any]) -> None:
        """A line about a turn was written."""
        name, number = str(record["id"]), record.get("number")
        self._entries[name] = entry_of(record)
        self._places[name] = number if isinstance(number, int) else len(self._places)
        self.sent_sounds.update(
            str(part["sha256"]) for part in record.get("input") or () if "sha256" in part
        )

    def outline(self, outline: Outline) -> None:
        """The conversation has another shape; `due` tells whether that is to be written."""
        self._outline = outline

    @property
    def due(self) -> Outline | None:
        """The outline, if a reader of the lines would take the conversation for another one.

        Turns that were only appended need none; writing all ids with each of them would make the
        file grow with its square.
        """
        now, written = self._outline, self._written
        known = {*written.order, *written.dropped, *_older(written)}
        rest = sorted((name for name in self._places if name not in known), key=self._place)
        read = [*written.order, *rest]
        # What it does not speak of was asked after it, and a reader appends that as well.
        spoken_of = {*now.order, *now.dropped, *_older(now)}
        expected = [name for name in read if name in spoken_of]
        expected += [name for name in now.order if name not in {*read}]
        as_read = (
            list(now.order) == expected
            and now.stale == written.stale
            and dict(now.versions) == dict(written.versions)
            and now.dropped == written.dropped
        )
        return None if as_read else now

    def _place(self, name: str) -> int:
        return self._places[name]

    def outline_written(self, outline: Outline) -> None:
        """A line with this outline is on the disk."""
        self._written = outline

    def write_index(self, folder: Path, session: Mapping[str, object]) -> None:
        """Tell a person, and who looks things up. Raises OSError."""
        entries = self._current()
        size = (folder / TURNS).stat().st_size
        write_whole(folder / INDEX, index_json(session, entries, size))
        write_whole(folder / PAGE, index_page(session, entries))

    def _current(self) -> list[Entry]:
        told = {*self._outline.order, *self._outline.dropped, *_older(self._outline)}
        first = [self._entries[name] for name in self._outline.order if name in self._entries]
        return first + [entry for name, entry in self._entries.items() if name not in told]


def _older(outline: Outline) -> set[str]:
    return {name for versions in outline.versions.values() for name in versions}
