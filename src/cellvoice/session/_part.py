"""What the parts of a `Session` have in common, and those of a `Turn`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ._asking import Asking
    from .session import Session
    from .turn import Turn

__all__ = ["SessionPart", "TurnPart"]


class SessionPart:
    """One of the classes that a `Session` is made of; there is no other kind."""

    _asking: Asking

    def _as_session(self) -> Session:
        return cast("Session", self)


class TurnPart:
    """One of the classes that a `Turn` is made of; there is no other kind."""

    def _as_turn(self) -> Turn:
        return cast("Turn", self)
