"""The browser widget, its channel to the kernel, and recordings on their way."""

from ._comms import StandingComm
from .channel import Answer, Channel, UnknownRequest
from .code import page_code
from .takes import Ready, Takes

__all__ = [
    "Answer",
    "Channel",
    "Ready",
    "StandingComm",
    "Takes",
    "UnknownRequest",
    "View",
    "VoiceWidget",
    "page_code",
]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .widget import View, VoiceWidget


def __getattr__(name: str) -> object:
    # anywidget and ipywidgets cost a third of a second, and a script never needs them.
    if name == "VoiceWidget":
        from .widget import VoiceWidget

        return VoiceWidget
    raise AttributeError(name)
