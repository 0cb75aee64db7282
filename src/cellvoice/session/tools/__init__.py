"""Tools: what a model may call, and the loop that runs it."""

from __future__ import annotations
