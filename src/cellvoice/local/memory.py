"""Spoken answers by their audio id, for one hour, as the service keeps them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from .messages import Earlier

__all__ = ["LIFETIME_S", "Memory"]

LIFETIME_S = 3_600
_MOST = 10_000  # answers; the oldest goes first


class Memory:
    """Remembers transcripts, not sound; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, Earlier] = {}
        self._lock = threading.Lock()

    def new_id(self) -> str:
        """An id in the service's form."""
        return f"audio_{secrets.token_hex(16)}"

    def keep(self, audio_id: str, transcript: str, audio_tokens: int) -> int:
        """Remember an answer; gives the second at which it is forgotten."""
        expires_at = int(self._clock()) + LIFETIME_S
        with self._lock:
            self._forget()
            self._kept[audio_id] = Earlier(transcript, audio_tokens, expires_at)
        return expires_at

    def get(self, audio_id: str) -> Earlier | None:
        """The answer, or None when the id is unknown or its hour is over."""
        with self._lock:
            self._forget()
            return self._kept.get(audio_id)

    def _forget(self) -> None:
        """Drop what has expired; answers are kept in the order in which they expire."""
        now = self._clock()
        while self._kept:
            oldest = next(iter(self._kept))
            if self._kept[oldest].expires_at > now and len(self._kept) < _MOST:
                return
            del self._kept[oldest]
