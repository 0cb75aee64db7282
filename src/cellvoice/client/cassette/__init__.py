"""Recorded traffic: what went over the wire, kept in a folder and played again."""

from __future__ import annotations

from ._timing import Clocks
from .cassette import Cassette

__all__ = ["Cassette", "Clocks"]
