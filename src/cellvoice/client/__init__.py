"""The network: one async client that sends requests and streams events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._replayed import RecordingStopped
from ._retry import Retry, RetryPolicy
from ._secret import Hidden, Secret
from .client import DEFAULT_BASE_URL, Client
from .options import ClientOptions, Timeouts
from .stream import EventStream

if TYPE_CHECKING:
    from .cassette import Cassette

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


def __getattr__(name: str) -> Any:
    """Load `Cassette`, and what reads its files, when somebody first asks for it."""
    if name != "Cassette":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .cassette import Cassette

    globals()["Cassette"] = Cassette
    return Cassette
