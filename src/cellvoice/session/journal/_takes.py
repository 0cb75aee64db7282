"""Recordings that no turn has: a kernel died before they were sent, or nobody sent them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

from ._layout import TAKES, unlink_quietly

__all__ = ["UnsentTake", "unsent_takes"]

_USUAL_RATE_HZ = 24_000


@dataclass(frozen=True, slots=True)
class UnsentTake:
    """A recording on disk. `session.say(take.clip)` sends it, `discard()` removes it."""

    name: str
    path: Path
    sample_rate_hz: int
    recorded_at: datetime

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        try:
            return self.path.stat().st_size // 2 / self.sample_rate_hz
        except OSError:
            return 0.0

    @property
    def clip(self) -> Clip:
        """The sound, read now. Raises AudioError if the file is gone."""
        try:
            return Clip.from_pcm16(self.path.read_bytes(), self.sample_rate_hz)
        except OSError as error:
            raise AudioError(
                f"the recording {self.path} can't be read ({error.strerror}); was it discarded?"
            ) from error

    def discard(self) -> None:
        """Remove the recording from the disk."""
        unlink_quietly(self.path)
        unlink_quietly(self.path.with_suffix(".json"))

    def __repr__(self) -> str:
        when = f"{self.recorded_at:%Y-%m-%d %H:%M} UTC"
        return f"<UnsentTake {self.name}, {self.duration_s:.1f} s, {when}>"


def unsent_takes(folder: Path, sent: Collection[str]) -> tuple[UnsentTake, ...]:
    """The recordings in a session's folder, oldest first, but for those whose sound was `sent`.

    `sent` are the SHA-256 of FLAC files, by which a line names a sound.
    """
    found = [
        take
        for path in sorted((folder / TAKES).glob("*.pcm16"))
        if (take := _take(path)) is not None and not _is_sent(take, sent)
    ]
    return tuple(sorted(found, key=lambda take: take.recorded_at))


def _take(path: Path) -> UnsentTake | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    if facts.st_size < 2:
        return None
    when = datetime.fromtimestamp(facts.st_mtime, UTC)
    return UnsentTake(path.stem, path, _rate_hz(path.with_suffix(".json")), when)


def _rate_hz(path: Path) -> int:
    """The rate that was noted when the recording began; the usual one if the note was cut."""
    try:
        found = json.loads(path.read_bytes())["sample_rate_hz"]
    except (OSError, ValueError, KeyError, TypeError):
        return _USUAL_RATE_HZ
    return found if isinstance(found, int) and found > 0 else _USUAL_RATE_HZ


def _is_sent(take: UnsentTake, sent: Collection[str]) -> bool:
    if not sent:
        return False
    try:
        return hashlib.sha256(take.clip.to_bytes("flac")).hexdigest() in sent
    except AudioError:
        return True
