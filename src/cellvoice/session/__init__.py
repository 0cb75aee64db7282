"""A conversation: its turns one after the other, kept whatever happens."""

from __future__ import annotations

from ._cost import Cost
from ._loop import background_loop, is_background_thread, run
from ._seams import Cell, Endpoint, Surface, TurnView
from .journal import Journal
from .session import DEFAULT_MODEL, DEFAULT_VOICE, Session
from .turn import Finish, Timing, Turn

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_VOICE",
    "Cell",
    "Cost",
    "Endpoint",
    "Finish",
    "Journal",
    "Session",
    "Surface",
    "Timing",
    "Turn",
    "TurnView",
    "background_loop",
    "is_background_thread",
    "run",
]
