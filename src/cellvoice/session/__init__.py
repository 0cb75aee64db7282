"""A conversation: its turns one after the other, kept whatever happens."""

from __future__ import annotations

from ._compare import Comparison, compare
from ._context import HistoryPrice
from ._cost import Cost
from ._estimate import Estimate
from ._latency import Latency
from ._loop import background_loop, is_background_thread, run
from ._outline import Outline
from ._places import all_turns, drop_cells, end_cell_run
from ._seams import Cell, Endpoint, Surface, TurnView, Waiting
from ._timing import Timing
from ._turns import Turns
from ._waiting import was_interrupted
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
from .tools import PendingCall, Span, ToolCall, ToolContext, Trace
from .turn import Finish, Turn

__all__ = [
    "Cell",
    "Comparison",
    "Cost",
    "DEFAULT_MODEL",
    "DEFAULT_VOICE",
    "Endpoint",
    "Estimate",
    "Finish",
    "HistoryPrice",
    "Journal",
    "Latency",
    "Outline",
    "PendingCall",
    "Pruned",
    "SavedSession",
    "SavedSessions",
    "Session",
    "Span",
    "Surface",
    "Timing",
    "ToolCall",
    "ToolContext",
    "Trace",
    "Turn",
    "TurnView",
    "Turns",
    "UnsentTake",
    "Waiting",
    "all_turns",
    "background_loop",
    "compare",
    "drop_cells",
    "end_cell_run",
    "is_background_thread",
    "prune",
    "run",
    "sessions",
    "size_words",
    "was_interrupted",
]
