"""A turn as a file of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cellvoice.errors import UsageError

from . import _seams
from ._exporting import target_file

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["Saving"]

_ENDING = ".turn.json"


class Saving:
    """The part of a `Turn` that writes it."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the turn with all its details and the sound of both sides: "answer.turn.json".

        JupyterLab shows such a file as a card, without a kernel. Returns where it is. Raises
        UsageError for another ending of the name, and while the turn runs.
        """
        turn, target = cast("Turn", self), target_file(path)
        if not target.name.lower().endswith(_ENDING):
            raise UsageError(
                f"cannot save a turn as {target.name!r}, expected a name ending in {_ENDING}; "
                "turn.clip.write(…) writes its sound alone, session.export(…) a page"
            )
        if not turn.done:
            raise UsageError("this turn has not ended yet; turn.wait() waits for it")
        target.write_text(_seams.turn_file(turn), encoding="utf-8", errors="replace")
        return target
