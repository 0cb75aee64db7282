"""Sound as the address of a player."""

from __future__ import annotations

import logging
from base64 import b64encode

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

from .frozen import SOUND_MIME

__all__ = ["sound_source"]

_log = logging.getLogger(__name__)

_FALLBACK_RATE_HZ = 24_000


def sound_source(clip: Clip) -> str | None:
    """The clip as MP3 in a `data:` address, or None when it can't be compressed."""
    try:
        sound = _mp3(clip)
    except AudioError as error:
        _log.warning("a sound could not be compressed: %s", error)
        return None
    return f"data:{SOUND_MIME};base64,{b64encode(sound).decode('ascii')}"


def _mp3(clip: Clip) -> bytes:
    try:
        return clip.to_bytes("mp3")
    except AudioError:
        # Of rates that MP3 does not know; a microphone may have any.
        return clip.resampled(_FALLBACK_RATE_HZ).to_bytes("mp3")
