"""Sounds in a folder, each once, named by their content; FLAC, which keeps every bit of 16."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._layout import SOUND, write_whole

if TYPE_CHECKING:
    from cellvoice.audio import Clip

__all__ = ["SOUND_NAME", "SoundStore", "described_sound", "sound_bytes", "sound_path"]

_HASH_CHARS = 16
_RECENT = 8
SOUND_NAME = re.compile(r"[0-9a-f]{16}\.flac")


class SoundStore:
    """Writes clips; one that was written is not encoded again. For one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / SOUND
        # By identity: to compare clips by their samples costs as much as to encode them. A few are
        # enough for a question that is written when it is asked and again with its answer.
        self._recent: deque[tuple[Clip, dict[str, object]]] = deque(maxlen=_RECENT)

    def keep(self, clip: Clip) -> dict[str, object]:
        """Have a clip on the disk; how a line names it. Raises OSError, AudioError."""
        for known, sound in self._recent:
            if known is clip and self._has(sound):
                return sound
        flac = clip.to_bytes("flac")
        found = described_sound(flac, clip)
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._has(found):
            write_whole(self._folder / Path(str(found["file"])).name, flac)
        self._recent.append((clip, found))
        return found

    def _has(self, sound: dict[str, object]) -> bool:
        return (self._folder / Path(str(sound["file"])).name).exists()


def described_sound(flac: bytes, clip: Clip) -> dict[str, object]:
    """How a line names a sound: its file, what the file must hold, and its length."""
    digest = hashlib.sha256(flac).hexdigest()
    return {
        "file": f"{SOUND}/{digest[:_HASH_CHARS]}.flac",
        "sha256": digest,
        "duration_s": round(clip.duration_s, 6),
        "sample_rate_hz": clip.sample_rate_hz,
    }


def sound_bytes(clip: Clip) -> tuple[str, bytes]:
    """A clip as a journal keeps it: the file's name and what is in it."""
    flac = clip.to_bytes("flac")
    return Path(str(described_sound(flac, clip)["file"])).name, flac


def sound_path(folder: Path, sound: Any) -> Path | None:
    """The file that a line names; None for a name that no sound of a journal has."""
    name = sound.get("file") if isinstance(sound, dict) else None
    if not isinstance(name, str) or not name.startswith(f"{SOUND}/"):
        return None
    # Whoever made the line chose the name: it must not lead out of the folder.
    last = name.removeprefix(f"{SOUND}/")
    return folder / SOUND / last if SOUND_NAME.fullmatch(last) else None
