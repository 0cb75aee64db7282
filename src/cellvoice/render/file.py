"""A turn as a file of its own: its form with everything in it, and its sound beside it."""

from __future__ import annotations

import json
from typing import Any, cast

from cellvoice.audio import Clip

from .card import CardFile
from .details import WHOLE
from .frozen import frozen
from .sources import sound_source
from .turn_like import TurnLike

__all__ = ["turn_file"]


def turn_file(turn: TurnLike) -> str:
    """The JSON of a `.turn.json` file; text that is no Unicode is replaced where it is written.

    Encoding costs about 12 ms of CPU a second of speech.
    """
    file = cast("CardFile", frozen(turn, limits=WHOLE))
    clip = turn.reply.clip
    source = sound_source(clip) if clip is not None else None
    if source is not None:
        file["sound"] = source
    said = [sound_source(part) if isinstance(part, Clip) else None for part in turn.input]
    if any(said):
        file["said"] = said
    content: Any = file
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
