"""How a reply tells that it is a recording; loaded by every client, unlike what replays it."""

from __future__ import annotations

from typing import Final

from cellvoice.errors import StreamBroken

__all__ = ["REPLAYED", "RecordingStopped"]

# The extension of a response that tells in words where it comes from.
REPLAYED: Final = "cellvoice.replayed"


class RecordingStopped(StreamBroken):
    """The user stopped this reply when it was recorded, so there is no more of it."""
