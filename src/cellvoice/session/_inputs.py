"""What may be said: texts, clips, paths of sound files, or a list of these."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cellvoice.audio import Clip
from cellvoice.errors import AudioError, UsageError

__all__ = ["SOUND_SUFFIXES", "Said", "parts_of"]

Part = str | Clip | os.PathLike[str]
Said = Part | Sequence[Part]

SOUND_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".oga"})
_EXPECTED = "a text, a Clip, the path of a sound file, or a list of these"


def parts_of(said: object) -> tuple[tuple[str | Clip, ...], tuple[str, ...]]:
    """The parts of an input, and notices about it.

    A `pathlib.Path` is always a file. A str is text, unless it ends in the suffix of a sound file
    and such a file exists: then it is the file. Raises UsageError for anything else, for empty
    text and empty lists, AudioError for sound that cannot be read.
    """
    notices: list[str] = []
    given = list(said) if isinstance(said, (list, tuple)) else [said]
    if not given:
        raise UsageError(f"there is nothing to say: the list is empty, expected {_EXPECTED}")
    parts = tuple(_part(item, notices) for item in given)
    return parts, tuple(notices)


def _part(item: object, notices: list[str]) -> str | Clip:
    if isinstance(item, Clip):
        if len(item.samples) == 0:
            raise AudioError("the Clip is empty, expected some sound; record or read it again")
        return item
    if isinstance(item, str):
        return _text_or_file(item, notices)
    if isinstance(item, os.PathLike):
        return _file(Path(os.fspath(item)))
    raise UsageError(f"cannot say {_kind(item)}, expected {_EXPECTED}{_hint(item)}")


def _text_or_file(text: str, notices: list[str]) -> str | Clip:
    if not text.strip():
        raise UsageError(f"the text is empty, expected {_EXPECTED}")
    if "\n" in text or Path(text).suffix.lower() not in SOUND_SUFFIXES:
        return text
    try:
        found = Path(text).is_file()
    except (OSError, ValueError):
        found = False  # too long or not allowed as a name, so it is no file
    if found:
        return _file(Path(text))
    if not any(character.isspace() for character in text):
        notices.append(
            f"{text!r} looks like a sound file, but there is none of that name here, so it was "
            "sent as text; pass a pathlib.Path to be told at once"
        )
    return text


def _file(path: Path) -> Clip:
    if not path.is_file():
        raise UsageError(
            f"there is no file {str(path)!r} (in {Path.cwd()}), expected the path of a sound file"
        )
    return Clip.read(path)


def _kind(item: object) -> str:
    return "None" if item is None else f"a {type(item).__name__}"


def _hint(item: object) -> str:
    if isinstance(item, (bytes, bytearray, memoryview)):
        return "; Clip.from_bytes(…) makes a Clip of the bytes of a sound file"
    if hasattr(item, "__array__"):
        return "; Clip.from_array(samples, sample_rate_hz) makes a Clip of samples"
    if hasattr(item, "read"):
        return "; Clip.read(file) makes a Clip of an open file"
    if isinstance(item, Iterator):
        return "; list(…) makes a list of it"
    return ""
