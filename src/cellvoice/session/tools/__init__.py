"""Tools: functions that the model may call, run here, and what became of every call."""

from __future__ import annotations

from .approval import PendingCall
from .calls import ToolCall
from .context import ToolContext
from .trace import Span, Trace

__all__ = ["PendingCall", "Span", "ToolCall", "ToolContext", "Trace"]
