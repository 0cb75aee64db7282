"""Sound as a value: reading, writing, measuring and cutting it. No sockets, clocks or threads."""

from __future__ import annotations

from ._formats import FORMATS, MIME_TYPES, sniff
from .clip import Clip
from .waveform import WAVEFORM_COLOR, waveform_data_uri, waveform_svg

__all__ = [
    "FORMATS",
    "MIME_TYPES",
    "WAVEFORM_COLOR",
    "Clip",
    "sniff",
    "waveform_data_uri",
    "waveform_svg",
]
