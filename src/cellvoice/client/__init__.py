"""The network: one async client that sends requests and streams events."""

from __future__ import annotations

from .client import DEFAULT_BASE_URL, Client
from .stream import EventStream

__all__ = ["DEFAULT_BASE_URL", "Client", "EventStream"]
