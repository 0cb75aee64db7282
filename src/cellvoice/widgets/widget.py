"""The one widget class: an ESM, a `view` trait, and messages."""

from __future__ import annotations

import contextlib
import uuid
from typing import Literal

import anywidget
import traitlets

from ._comms import undo_reply_routing
from .code import entry_module, page_code, whole_module

View = Literal["card", "pad", "listen"]


class VoiceWidget(anywidget.AnyWidget):
    """What the browser shows of cellvoice; all but these constants travels through the channel."""

    view = traitlets.Enum(("card", "pad", "listen"), default_value="card").tag(sync=True)
    # Which module shows it: a page that has that one need not ask for it.
    code = traitlets.Unicode(read_only=True).tag(sync=True)
    # How a saved pad finds its live one on the page: a model in the page does not tell its own id.
    pad_id = traitlets.Unicode(read_only=True).tag(sync=True)

    @traitlets.default("pad_id")
    def _new_pad_id(self) -> str:
        return uuid.uuid4().hex

    @traitlets.default("code")
    def _name_of_the_code(self) -> str:
        return page_code().name

    def __init__(self, view: View, *, whole: bool = False) -> None:
        """`whole`: the page has no need to ask the kernel for the module, which may be busy."""
        # Read at use and not at import, so that an import works in a checkout that is not built.
        self._esm = whole_module() if whole else entry_module()
        super().__init__(view=view)
        undo_reply_routing(self.comm)

    def dispose(self) -> None:
        """Close the widget and its layout; a LayoutModel would stay in the page otherwise."""
        layout = self.layout
        self.close()
        if layout is not None:
            with contextlib.suppress(Exception):
                layout.close()
