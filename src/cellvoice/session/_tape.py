"""What `cassette=` means: a recording to replay, or one to make."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError

if TYPE_CHECKING:
    from cellvoice.client import Cassette

__all__ = ["cassette_for"]


def cassette_for(choice: object, *, can_ask: bool) -> Cassette | None:
    """The cassette, or None for none. A path is replayed if it has a recording, else recorded.

    `can_ask` tells whether there is somebody to ask: a key, an address or a transport. Without,
    nothing is recorded unasked: a lesson that was not found would quietly become another one.
    Raises UsageError.
    """
    if choice is None:
        return None
    from cellvoice.client import Cassette

    if isinstance(choice, Cassette):
        choice.check()
        return choice
    if not isinstance(choice, (str, os.PathLike)):
        raise UsageError(f"cassette={choice!r}: expected a path such as 'lesson', or a Cassette")
    found = Cassette(choice)
    if found.recorded:
        return found
    if can_ask:
        return Cassette(choice, mode="record")
    raise UsageError(
        f"there is no recording at {str(found.path)!r} and no key to make one; copy the lesson's "
        f"folder or zip file there, set OPENAI_API_KEY to record gpt-audio, or record the embedded "
        f"engine with cassette=cv.Cassette({os.fspath(choice)!r}, mode='record')"
    )
