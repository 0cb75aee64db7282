"""Recorded traffic: what went over the wire, kept in a folder and played again."""

from __future__ import annotations

from ._replaying import REPLAYED
from ._timing import Clocks
from .cassette import Cassette, RecordingStopped

__all__ = ["REPLAYED", "Cassette", "Clocks", "RecordingStopped"]
