"""Sound as a value: reading, writing, measuring and cutting it. No sockets, clocks or threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._kinds import FORMATS, MIME_TYPES, sniff
from .waveform import WAVEFORM_COLOR, waveform_data_uri, waveform_svg

if TYPE_CHECKING:
    from .clip import Clip

__all__ = [
    "FORMATS",
    "MIME_TYPES",
    "WAVEFORM_COLOR",
    "Clip",
    "sniff",
    "waveform_data_uri",
    "waveform_svg",
]


def __getattr__(name: str) -> Any:
    """Load `Clip`, and numpy with it, when somebody first asks for it."""
    if name != "Clip":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .clip import Clip

    globals()["Clip"] = Clip
    return Clip
