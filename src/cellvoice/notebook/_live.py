"""A widget with its channel: the kernel's end of what a page shows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError
from cellvoice.protocol import (
    AudioChunk,
    EngineNamed,
    Event,
    Heartbeat,
    LiveWords,
    TextChunk,
    TranscriptChunk,
    mask_keys,
)
from cellvoice.render import Card, frozen, rounded_words
from cellvoice.session import Turn, background_loop
from cellvoice.widgets import Answer, Channel

from ._frontend import HELLO_TIMEOUT_S
from ._paced import Loop
from ._progress import Progress, speech_s
from ._tools import ToolsTeller
from ._turn_requests import Data as Data
from ._turn_requests import Handler, among, answered, turn_requests

if TYPE_CHECKING:
    from cellvoice.widgets import View

_log = logging.getLogger(__name__)

Listener = Callable[[str, Data, tuple[bytes, ...]], None]

_DRAIN_TIMEOUT_S = 10.0

# Whether the last page that was waited for did not come.
_pages_keep_away = False


class Live:
    """One widget, its channel, and the turns that it shows.

    Made on the thread of the cell; everything else happens on the background loop. `clock` is
    that loop's own time and timers, unless another is given. `whole`: as for a `VoiceWidget`.
    """

    def __init__(self, view: View, clock: Loop | None = None, *, whole: bool = False) -> None:
        from cellvoice.widgets import VoiceWidget, page_code

        self.widget = VoiceWidget(view, whole=whole)
        self.turns: dict[str, Turn] = {}
        self.requests: dict[str, Handler] = turn_requests(among(self.turns))
        self.listeners: dict[str, Listener] = {"view": self._count_view}
        self.hello_listener: Callable[[str, Data], None] = lambda page, hello: None
        self.channel = Channel(
            self._send,
            loop=background_loop(),
            on_event=self._on_event,
            on_request=self._on_request,
            on_hello=self._on_hello,
            code=page_code(),
        )
        self._clock = clock or background_loop()
        self._frames: dict[str, int] = {}
        self._progress: dict[str, Progress] = {}
        self._tools: dict[str, ToolsTeller] = {}
        self._words: dict[str, LiveWords] = {}
        self._views: dict[str, int] = {}
        self.widget.on_msg(self._on_message)

    @property
    def pad_id(self) -> str:
        return str(self.widget.pad_id)

    @property
    def in_sight(self) -> bool:
        """Whether a page has a view of it; a page that was closed without a word counts, too."""
        return any(count > 0 for count in self._views.values())

    def widget_bundle(self) -> dict[str, object]:
        """What makes the page show the widget."""
        found = self.widget._repr_mimebundle_()
        bundle = found[0] if isinstance(found, tuple) else found
        return dict(bundle or {})

    async def met(self, *, patient: bool = True) -> bool:
        """Wait until a page is there; False when none says hello in time.

        One that is not patient does not wait again after a page has kept away once, until one has
        shown itself: a closed tab must not cost every turn the whole time.
        """
        global _pages_keep_away  # noqa: PLW0603 (true of the process's only front end)
        if _pages_keep_away and not patient and not self.channel.heard:
            return False
        try:
            await asyncio.wait_for(self.channel.hello(), HELLO_TIMEOUT_S)
        except TimeoutError:
            _pages_keep_away = True
            return False
        return True

    async def drained(self) -> None:
        """Wait until the pages were sent everything, but not for ever."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.channel.drained(), _DRAIN_TIMEOUT_S)

    def close(self) -> None:
        """Send what waits, then close the widget in the page. Called on the loop."""
        self.channel.close()
        self.widget.on_msg(self._on_message, remove=True)
        self.widget.dispose()

    # What a turn does, as events for the page

    def started(self, turn: Turn) -> None:
        self.turns[turn.id] = turn
        self._frames[turn.id] = 0
        if turn.finish is None:
            self._progress[turn.id] = Progress(lambda made_s: self._made(turn, made_s), self._clock)
            # Before the card is made: what is noted in between stands on it, and is told again.
            turn.when_noted(lambda sentence: self._noted(turn, sentence))
        self.channel.emit("turn.started", {"turn": turn.id, "card": frozen(turn)})
        if turn.finish is None:
            self._tools[turn.id] = ToolsTeller(turn, self.channel.emit, self._clock, self._soon)
        if turn.finish is None:
            self._words[turn.id] = LiveWords()
            self._tell_words(turn, "")
        if turn.finish is None and turn.reply.pcm:
            # A pad that is shown in the middle of a reply; its words are on the card already.
            self.event(turn, AudioChunk(bytes(turn.reply.pcm), turn.reply.sample_rate_hz))

    def event(self, turn: Turn, event: Event) -> None:
        teller = self._tools.get(turn.id)
        if teller is not None:
            teller.event(event)
        match event:
            case TranscriptChunk(text) | TextChunk(text):
                self._tell_words(turn, text)
            case EngineNamed(info) if "words" in info:
                self._tell_words(turn, "")
            case AudioChunk(pcm, sample_rate_hz):
                start = self._frames.get(turn.id, 0)
                self._frames[turn.id] = start + len(pcm) // 2
                data = {"turn": turn.id, "start_frame": start, "sample_rate_hz": sample_rate_hz}
                self.channel.emit("turn.audio", data, [pcm])
            case Heartbeat():
                progress = self._progress.get(turn.id)
                if progress is not None:
                    progress.made(speech_s(turn.reply.heartbeats))
            case _:
                pass

    def ended(self, turn: Turn, card: Card) -> None:
        self.turns[turn.id] = turn
        self._frames.pop(turn.id, None)
        self._words.pop(turn.id, None)
        progress = self._progress.pop(turn.id, None)
        if progress is not None:
            progress.end()
        teller = self._tools.pop(turn.id, None)
        if teller is not None:
            teller.end()
        self.channel.emit("turn.ended", {"turn": turn.id, "card": card})

    def _tell_words(self, turn: Turn, text: str) -> None:
        """More of the text, and the times of words that are known now."""
        data: dict[str, object] = {"turn": turn.id, "text": text}
        live = self._words.get(turn.id)
        times, estimated = ([], False) if live is None else live.more(turn.reply)
        if times:
            data["words"] = rounded_words(times)
            data["words_estimated"] = estimated
        if text or times:
            self.channel.emit("turn.text", data)

    def _made(self, turn: Turn, made_s: float) -> None:
        self.channel.emit("turn.progress", {"turn": turn.id, "speech_s": made_s})

    def _soon(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody looks
            background_loop().call_soon_threadsafe(work)

    def _noted(self, turn: Turn, sentence: str) -> None:
        # From whichever thread noted it: the channel takes events from any.
        self.channel.emit("turn.notice", {"turn": turn.id, "notice": mask_keys(sentence)})

    # What the page says

    def _send(self, content: dict[str, object], buffers: list[bytes]) -> None:
        self.widget.send(content, buffers)

    def _on_hello(self, page: str, hello: Data) -> None:
        global _pages_keep_away  # noqa: PLW0603
        _pages_keep_away = False
        self.hello_listener(page, hello)

    def _on_message(self, widget: object, content: object, buffers: list[object]) -> None:
        self.channel.receive(content, buffers)

    def _on_event(self, page: str, name: str, data: Data, buffers: tuple[bytes, ...]) -> None:
        listener = self.listeners.get(name)
        if listener is None:
            _log.warning("an event of the page is not known and was ignored: %.40r", name)
            return
        listener(page, data, buffers)

    async def _on_request(self, name: str, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        return await answered(self.requests, name, data, buffers)

    def _count_view(self, page: str, data: Data, buffers: tuple[bytes, ...]) -> None:
        # Views come and go; a turn goes on and is frozen whether or not one looks.
        delta = data.get("delta")
        if delta in (1, -1):
            self._views[page] = self._views.get(page, 0) + int(str(delta))


def open_live(view: View, *, whole: bool = False) -> tuple[Live | None, str]:
    """A live widget, or None and a sentence when the browser half is not there."""
    try:
        return Live(view, whole=whole), ""
    except (UsageError, ImportError) as error:
        return None, str(error)
