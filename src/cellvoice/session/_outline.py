"""Which turns stand in the conversation now, and what became of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Fork", "Outline"]


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a branch left its session: the session's id, and how many turns they share."""

    session_id: str
    shared: int


@dataclass(frozen=True, slots=True)
class Outline:
    """The shape of a conversation, in turn ids.

    `order` are the current turns; `stale` those of them that follow a turn that was replaced;
    `versions` the older ones of a current turn, oldest first; `dropped` those that stand nowhere.
    """

    order: tuple[str, ...] = ()
    stale: frozenset[str] = frozenset()
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
