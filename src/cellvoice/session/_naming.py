"""What a session is called, and where its recordings go while they are made."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .journal import Journal

__all__ = ["new_id", "takes_folder"]

# Without letters that look like another.
_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_id(now_s: float) -> str:
    """A name that no other session has: the time (Unix seconds) and a short word."""
    word = "".join(secrets.choice(_ID_LETTERS) for _ in range(4))
    return f"{datetime.fromtimestamp(now_s, UTC):%Y%m%dT%H%M%S}-{word}"


def takes_folder(journal: Journal | None, owner: object) -> Path:
    """A folder for recordings: the journal's, or a temporary one that goes with its owner."""
    if journal is not None:
        with contextlib.suppress(OSError):
            return journal.takes_folder()
    folder = tempfile.TemporaryDirectory(prefix="cellvoice-takes-", ignore_cleanup_errors=True)
    # Gone with the session, at the latest with the process.
    weakref.finalize(owner, folder.cleanup)
    return Path(folder.name)
