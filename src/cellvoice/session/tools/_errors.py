"""What is raised about a call; apart, so that to catch it loads nothing."""

from __future__ import annotations

__all__ = ["ToolArgumentsError"]


class ToolArgumentsError(ValueError):
    """The arguments of a call do not fit; the message is for the model, to repair them by."""
