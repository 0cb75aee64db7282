"""The network: one async client that sends requests and streams events."""

from __future__ import annotations

from ._retry import Retry, RetryPolicy
from ._secret import Hidden, Secret
from .cassette import Cassette, RecordingStopped
from .client import DEFAULT_BASE_URL, Client
from .options import ClientOptions, Timeouts
from .stream import EventStream

__all__ = [
    "DEFAULT_BASE_URL",
    "Cassette",
    "Client",
    "ClientOptions",
    "EventStream",
    "Hidden",
    "RecordingStopped",
    "Retry",
    "RetryPolicy",
    "Secret",
    "Timeouts",
]
