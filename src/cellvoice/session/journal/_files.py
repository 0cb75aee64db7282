"""What of a folder goes into a saved file: the lines, the sounds they name, running replies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ._layout import INDEX, PAGE, RUNNING, SOUND, TURNS
from ._sounds import sound_path
from ._story import Story, read_story

__all__ = ["named_sounds", "saved_files"]


def saved_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents. Recordings that were not sent are not told: nobody gave them away."""
    lines = (folder / TURNS).read_bytes()
    # A line that is being written meanwhile belongs to the next time.
    yield TURNS, lines[: lines.rfind(b"\n") + 1]
    story = read_story(folder, replies=False)
    for path in sorted(set(named_sounds(story))):
        if path.is_file():
            yield f"{SOUND}/{path.name}", path.read_bytes()
    running = folder / RUNNING
    for path in sorted(running.iterdir()) if running.is_dir() else ():
        yield f"{RUNNING}/{path.name}", path.read_bytes()
    for name in (INDEX, PAGE):
        if (folder / name).is_file():
            yield name, (folder / name).read_bytes()


def named_sounds(story: Story) -> Iterator[Path]:
    """The files of all sounds that the lines name, whether they are there or not."""
    for turn in story.turns.values():
        record = turn.record
        replies = [record.get("reply"), *(record.get("choices") or ())]
        said = [reply.get("sound") for reply in replies if isinstance(reply, dict)]
        for sound in (*(record.get("input") or ()), *said):
            path = sound_path(story.folder, sound)
            if path is not None:
                yield path
