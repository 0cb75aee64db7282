"""A conversation: its turns one after the other, kept whatever happens."""

from __future__ import annotations

from ._cost import Cost
from ._loop import background_loop, is_background_thread, run
from ._seams import Cell, Endpoint, Surface, TurnView
from .journal import (
    Journal,
    Pruned,
    SavedSession,
    SavedSessions,
    UnsentTake,
    prune,
    sessions,
    size_words,
)
from .session import DEFAULT_MODEL, DEFAULT_VOICE, Session
from .turn import Finish, Timing, Turn

__all__ = [
    "Cell",
    "Cost",
    "DEFAULT_MODEL",
    "DEFAULT_VOICE",
    "Endpoint",
    "Finish",
    "Journal",
    "Pruned",
    "SavedSession",
    "SavedSessions",
    "Session",
    "Surface",
    "Timing",
    "Turn",
    "TurnView",
    "UnsentTake",
    "background_loop",
    "is_background_thread",
    "prune",
    "run",
    "sessions",
    "size_words",
]
