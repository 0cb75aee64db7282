"""A conversation for people: a page, a text, a sound file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cellvoice.audio import Clip
from cellvoice.errors import UsageError

from . import _seams

if TYPE_CHECKING:
    from .session import Session
    from .turn import Turn

__all__ = ["export", "export_audio", "target_file"]

_RATE_HZ = 24_000
_LONGEST_GAP_S = 60
_SIDES = ("both", "user", "model")


def export(session: Session, path: str | os.PathLike[str]) -> Path:
    """Write a page or a text, as the name's ending says. Raises UsageError, OSError."""
    target = target_file(path)
    if not session.turns:
        raise UsageError("there is nothing to export: the conversation has no turns yet")
    ending = target.suffix.lower()
    if ending in (".html", ".htm"):
        written = _seams.html_page(session)
    elif ending in (".md", ".markdown"):
        written = _seams.markdown_text(session)
    else:
        raise UsageError(
            f"cannot export {target.name!r}, expected a name ending in .html or .md; "
            "session.save(…) writes a .zip, session.export_audio(…) a sound file"
        )
    target.write_text(written, encoding="utf-8", errors="replace")
    return target


def export_audio(session: Session, path: str | os.PathLike[str], side: str, gap_s: float) -> Path:
    """Write what was said, in its order. Raises UsageError, AudioError, OSError."""
    target = target_file(path)
    if side not in _SIDES:
        raise UsageError(f"side={side!r}: expected one of {', '.join(map(repr, _SIDES))}")
    if not 0 <= gap_s <= _LONGEST_GAP_S:
        raise UsageError(f"gap_s={gap_s!r}: expected seconds of silence, 0 to {_LONGEST_GAP_S}")
    clips = [clip for turn in session.turns for clip in _said(turn, side)]
    if not clips:
        who = {"both": "by nobody", "user": "by you", "model": "by the model"}[side]
        raise UsageError(
            f"there is nothing to hear: so far nothing was spoken {who}; "
            "session.export('talk.md') writes the words"
        )
    _joined(clips, gap_s).write(target)
    return target


def target_file(path: str | os.PathLike[str]) -> Path:
    """Where to write; the folder must be there. Raises UsageError."""
    target = Path(os.fspath(path)).expanduser().absolute()
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {str(target.parent)!r} to write {target.name!r} in")
    return target


def _said(turn: Turn, side: str) -> Iterator[Clip]:
    if side in ("both", "user"):
        yield from (part for part in turn.input if isinstance(part, Clip))
    if side in ("both", "model") and turn.clip is not None:
        yield turn.clip


def _joined(clips: list[Clip], gap_s: float) -> Clip:
    import numpy as np

    gap = np.zeros(round(gap_s * _RATE_HZ), np.int16)
    pieces = []
    for clip in clips:
        pieces += [gap, clip.resampled(_RATE_HZ).as_int16().samples]
    return Clip.from_array(np.concatenate(pieces[1:]), _RATE_HZ)
