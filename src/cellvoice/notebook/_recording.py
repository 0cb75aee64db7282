"""Recordings and uploads of one widget, for the pad and for `listen()` alike."""

from __future__ import annotations

import asyncio
import logging
import uuid

from cellvoice.audio import Clip
from cellvoice.errors import AudioError, UsageError
from cellvoice.session import Session, Turn, background_loop
from cellvoice.widgets import Answer, Ready, Takes

from ._live import Data, Live

_log = logging.getLogger(__name__)

# A page sends frames every 50 ms. When another page says hello and a recording's own page has
# been silent for so long, it was closed or reloaded.
_ABANDONED_AFTER_S = 3.0
_LONGEST_TEXT = 200_000


class Recording:
    """Joins the page's `record.*` events and uploads to the takes on disk."""

    def __init__(self, live: Live, session: Session) -> None:
        # Asked for at the first recording: showing a pad is to write nothing.
        self.takes = Takes(lambda: session.takes_folder)
        self._live = live
        self._last_heard_s: dict[str, float] = {}
        live.listeners |= {
            "record.start": self._start,
            "record.frames": self._frames,
            "record.stop": self._stop,
            "record.discard": self._discard,
        }
        live.requests["upload"] = self._upload

    def hello(self, page: str) -> None:
        """Another page is here: look whether a recording's page went away."""
        for other in self.takes.recording_pages - {page}:
            background_loop().call_later(_ABANDONED_AFTER_S, self._abandon_if_silent, other)

    def input(self, data: Data) -> str | Clip:
        """What a `send` request sends: a take's sound, or the text that was typed."""
        text = data.get("text")
        if isinstance(text, str):
            if not text.strip():
                raise UsageError("there is nothing to send: type something first")
            if len(text) > _LONGEST_TEXT:
                raise UsageError(
                    f"the text has {len(text):,} characters, expected at most {_LONGEST_TEXT:,}"
                )
            return text
        return self.takes.clip(data.get("take"))

    def sent(self, data: Data, turn: Turn) -> None:
        """A take was sent as this turn's input; its files go once the journal has its sound.

        Until then they are all that a kernel which dies would leave of it.
        """
        take = data.get("take")
        self.takes.sent(take)
        turn.when_ended(lambda: self.takes.remove(take) if turn.written else None)

    def _start(self, page: str, data: Data, buffers: tuple[bytes, ...]) -> None:
        self._note(page)
        self.takes.start(page, data)

    def _frames(self, page: str, data: Data, buffers: tuple[bytes, ...]) -> None:
        self._note(page)
        self.takes.frames(data, b"".join(buffers))

    def _stop(self, page: str, data: Data, buffers: tuple[bytes, ...]) -> None:
        try:
            self._tell(self.takes.stop(data))
        except AudioError as error:
            # The page waits for `take.ready`: without one it would show "saving" for ever.
            take = str(data.get("take"))[:64]
            self._tell(Ready(take, 0.0, [], str(error)))

    def _discard(self, page: str, data: Data, buffers: tuple[bytes, ...]) -> None:
        self.takes.discard(data)

    async def _upload(self, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        take = f"upload-{uuid.uuid4().hex[:12]}"
        ready = await asyncio.to_thread(self.takes.upload, take, data, buffers)
        return ready.form(), ()

    def _tell(self, ready: Ready) -> None:
        self._live.channel.emit("take.ready", ready.form())

    def _note(self, page: str) -> None:
        self._last_heard_s[page] = background_loop().time()

    def _abandon_if_silent(self, page: str) -> None:
        silent_s = background_loop().time() - self._last_heard_s.get(page, 0.0)
        if silent_s < _ABANDONED_AFTER_S:
            return
        for ready in self.takes.abandon(page):
            _log.info("a page closed while recording; its take %s is kept", ready.take)
            self._tell(ready)
