"""Talk to gpt-audio from a notebook cell, and keep in it what was said, heard and paid."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cellvoice.audio import Clip
    from cellvoice.client import Cassette, Timeouts
    from cellvoice.errors import (
        AnswerTimeout,
        AudioError,
        AudioNotFound,
        AuthError,
        BillingError,
        BudgetExceeded,
        CassetteMiss,
        CellvoiceError,
        ConnectionFailed,
        ConnectTimeout,
        DeviceError,
        EngineError,
        IdleTimeout,
        ModelNotFound,
        ProtocolError,
        QuotaError,
        RateLimited,
        RequestTooLarge,
        ServiceError,
        Stopped,
        StreamBroken,
        TotalTimeout,
        UsageError,
    )
    from cellvoice.protocol import Prices, RawEvent, RawEvents
    from cellvoice.session import (
        Comparison,
        HistoryPrice,
        PendingCall,
        Session,
        Span,
        ToolCall,
        ToolContext,
        Trace,
        Turn,
        Turns,
        compare,
        prune,
        sessions,
    )
    from cellvoice.session.tools.mcp_server import mcp
    from cellvoice.session.tools.otel import export_otel, watch_otel

    __version__: str

__all__ = [
    "AnswerTimeout",
    "AudioError",
    "AudioNotFound",
    "AuthError",
    "BillingError",
    "BudgetExceeded",
    "Cassette",
    "CassetteMiss",
    "CellvoiceError",
    "Clip",
    "Comparison",
    "ConnectTimeout",
    "ConnectionFailed",
    "DeviceError",
    "EngineError",
    "HistoryPrice",
    "IdleTimeout",
    "ModelNotFound",
    "PendingCall",
    "Prices",
    "ProtocolError",
    "QuotaError",
    "RateLimited",
    "RawEvent",
    "RawEvents",
    "RequestTooLarge",
    "ServiceError",
    "Session",
    "Span",
    "Stopped",
    "StreamBroken",
    "Timeouts",
    "ToolCall",
    "ToolContext",
    "TotalTimeout",
    "Trace",
    "Turn",
    "Turns",
    "UsageError",
    "compare",
    "export_otel",
    "mcp",
    "prune",
    "sessions",
    "watch_otel",
]

_ROOMS = {
    "Cassette": "client",
    "Clip": "audio",
    "Comparison": "session",
    "HistoryPrice": "session",
    "PendingCall": "session",
    "Prices": "protocol",
    "RawEvent": "protocol",
    "RawEvents": "protocol",
    "Session": "session",
    "Span": "session",
    "Timeouts": "client",
    "ToolCall": "session",
    "ToolContext": "session",
    "Trace": "session",
    "Turn": "session",
    "Turns": "session",
    "compare": "session",
    "export_otel": "session.tools.otel",
    "mcp": "session.tools.mcp_server",
    "prune": "session",
    "sessions": "session",
    "watch_otel": "session.tools.otel",
}


def __getattr__(name: str) -> Any:
    """Find a public name on first use: importing cellvoice alone loads nothing heavy."""
    if name == "__version__":
        from importlib.metadata import version

        found: Any = version("cellvoice")
    elif name in __all__:
        room = importlib.import_module(f"cellvoice.{_ROOMS.get(name, 'errors')}")
        found = getattr(room, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Add `%%voice` and `%voice`; IPython calls this for `%load_ext cellvoice`."""
    from cellvoice import notebook

    notebook.load_ipython_extension(ipython)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the prebuilt extension of an editable install."""
    return [{"src": "_static/labextension", "dest": "cellvoice"}]
