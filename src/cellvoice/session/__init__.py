"""A conversation: its turns one after the other, kept whatever happens."""

from __future__ import annotations

from ._cost import Cost
from ._estimate import Estimate
from ._latency import Latency
from ._loop import background_loop, is_background_thread, run
from ._seams import Cell, Endpoint, Surface, TurnView
from ._timing import Timing
from .journal import Journal
from .session import DEFAULT_MODEL, DEFAULT_VOICE, Session
from .turn import Finish, Turn

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_VOICE",
    "Cell",
    "Cost",
    "Endpoint",
    "Estimate",
    "Finish",
    "Journal",
    "Latency",
    "Session",
    "Surface",
    "Timing",
    "Turn",
    "TurnView",
    "background_loop",
    "is_background_thread",
    "run",
]
