"""What the parts of a `Session` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ._asking import Asking
    from .session import Session

__all__ = ["SessionPart"]


class SessionPart:
    """One of the classes that a `Session` is made of; there is no other kind."""

    _asking: Asking

    def _as_session(self) -> Session:
        return cast("Session", self)
