"""The embedded engine: a small offline stand-in that speaks the service's bytes.

It joins the rest only through the client's transport seam.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .child import EngineProcess, shared_engine
    from .engine import Engine
    from .transport import LocalTransport

__all__ = ["Engine", "EngineProcess", "LocalTransport", "shared_engine"]

_WHERE = {
    "Engine": ".engine",
    "EngineProcess": ".child",
    "LocalTransport": ".transport",
    "shared_engine": ".child",
}


def __getattr__(name: str) -> Any:
    """Names are found on first use: starting a child process needs no server and no recogniser."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name], __name__), name)
