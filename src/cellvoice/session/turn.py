"""One exchange: what was sent, what came back, and how it ended."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from cellvoice.audio import Clip
from cellvoice.errors import AnswerTimeout, TotalTimeout
from cellvoice.protocol import Reply, ReplyLogprobs, Request, Usage

from . import _loop, _seams
from ._cost import Cost
from ._marks import Marks
from ._timing import Timing
from ._turn_file import Saving
from ._wired import Wired
from .tools.of_object import WithObject
from .tools.of_turn import Tooled

if TYPE_CHECKING:
    from ._asking import Settings
    from ._seams import Cell
    from .session import Session

__all__ = ["Finish", "Timing", "Turn"]

_log = logging.getLogger("cellvoice.session")

Finish = Literal["complete", "stopped", "cut", "length", "filtered", "refused", "failed"]


class Turn(Marks, Tooled, WithObject, Wired, Saving):
    """One exchange of a session: input, reply, and everything known about both.

    Every property may be read from any thread while the turn runs, and then tells what has
    arrived so far. `finish` is None until the turn has ended.
    """

    def __init__(
        self,
        session: Session,
        *,
        id: str,  # noqa: A002 (the public name of it)
        number: int,
        asked_at: datetime,
        settings: Settings,
        cell: Cell | None,
    ) -> None:
        Marks.__init__(self)
        Tooled.__init__(self)
        Wired.__init__(self)
        self._session = session
        self._id = id
        self._number = number
        self._asked_at = asked_at
        self._settings = settings
        self._cell = cell
        self._input: tuple[str | Clip, ...] = ()
        self._message: Mapping[str, object] | None = None
        self._request: Request | None = None
        self._reserved_usd = 0.0
        self._request_id: str | None = None
        self._replayed = ""
        self._reply = Reply()
        self._timing = Timing()
        self._finish: Finish | None = None
        self._error: Exception | None = None
        self._notices: tuple[str, ...] = ()
        self._clip: Clip | None = None
        self._audio_gone = False
        self._cancel: Callable[[], object] | None = None
        self._stop_asked = False
        self._written = False
        self._on_end: list[Callable[[], object]] = []
        self._on_note: list[Callable[[str], object]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._future: Future[None] = Future()
        self._future.set_running_or_notify_cancel()

    @property
    def id(self) -> str:
        """A name for this turn that no other turn has."""
        return self._id

    @property
    def number(self) -> int:
        """The place in the session, from 1; versions of one place share it."""
        return self._number

    @property
    def session(self) -> Session:
        """The conversation that this turn belongs to."""
        return self._session

    @property
    def session_id(self) -> str:
        """The id of the conversation that this turn belongs to."""
        return self._session.id

    @property
    def asked_at(self) -> datetime:
        """When the turn was asked, in UTC."""
        return self._asked_at

    @property
    def model(self) -> str:
        """The model that answered, by its own name; until it does, the one that was asked."""
        return self._reply.model or self._settings.model

    @property
    def voice(self) -> str | None:
        """The voice that was asked for, or None if a written answer was."""
        return None if self._settings.written else self._settings.voice_name

    @property
    def input(self) -> tuple[str | Clip, ...]:
        """What was said to the model, in order: texts and clips."""
        return self._input

    @property
    def request(self) -> Request | None:
        """The newest request as it was sent, or None; `requests` has those before it."""
        return self._request

    @property
    def request_id(self) -> str | None:
        """What the service's support asks for, or None if the service gave none."""
        return self._request_id

    @property
    def reply(self) -> Reply:
        """The reply as it was put together from the stream; it grows while the turn runs."""
        return self._reply

    @property
    def text(self) -> str:
        """What was said, as text: the transcript, or the answer if it came as text."""
        return self._reply.text

    @property
    def clip(self) -> Clip | None:
        """The reply's sound, or None if there is none (yet)."""
        if self._clip is None:
            clip = self._reply.clip
            if self._finish is None:
                return clip
            self._clip = clip
        return self._clip

    @property
    def choices(self) -> tuple[Reply, ...]:
        """All replies of a turn that was asked with n > 1; the first is this turn's own."""
        return self._reply.choices

    @property
    def logprobs(self) -> ReplyLogprobs | None:
        """The probabilities of the text's tokens, or None if the service gave none."""
        return self._reply.logprobs

    @property
    def heard(self) -> str | None:
        """What the embedded engine understood of the spoken input; the service does not tell."""
        heard = (self._reply.engine or {}).get("heard")
        return heard if isinstance(heard, str) else None

    @property
    def engine(self) -> Mapping[str, object] | None:
        """What the embedded engine says of itself, or None if it was not the one that answered."""
        return self._reply.engine

    @property
    def badge(self) -> str:
        """What answers in the service's place, known before it does, or "" for the service."""
        return str(self._replayed or (self.engine or {}).get("badge") or self._session.stand_in)

    @property
    def usage(self) -> Usage | None:
        """Tokens of all its requests, as the service counted them, or None (yet)."""
        return self._all_usage

    @property
    def cost(self) -> Cost:
        """What the turn cost, in US dollars; `cost.note` says when it is an estimate.

        `cost.parts` divides it into text and sound, in and out.
        """
        if self._request is None:
            return Cost(0.0)  # nothing was sent
        if self._replayed or (self._never_answered and not self._rounds):
            return Cost(0.0)  # `usage` has what it used when it was recorded
        return self._all_costs()

    @property
    def _never_answered(self) -> bool:
        # The service bills nothing for a request that it refused or never got; one that nobody
        # waited for any longer may have been computed.
        late = isinstance(self._error, (AnswerTimeout, TotalTimeout))
        return self._finish == "failed" and self._timing.first_event_s is None and not late

    @property
    def cost_usd(self) -> float | None:
        """What the turn cost, in US dollars, or None if no price is known."""
        return self.cost.usd

    @property
    def cost_note(self) -> str | None:
        """Why the cost is an estimate or unknown, in one sentence, or None."""
        return self.cost.note

    @property
    def timing(self) -> Timing:
        """Seconds from sending to the first byte, words, sound that can be heard, and the end."""
        return self._timing

    @property
    def finish(self) -> Finish | None:
        """How the turn ended, or None while it runs.

        complete; stopped (by the user, or as endless noise, as a notice then says); cut (by the
        wire, with something received); length (the token limit); filtered (by the service);
        refused (by the model); failed (nothing received).
        """
        return self._finish

    @property
    def error(self) -> Exception | None:
        """The error that ended the turn, or None."""
        return self._error

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know about this turn, a sentence each."""
        return self._notices

    @property
    def cell(self) -> Cell | None:
        """The notebook cell that asked, or None outside of a notebook."""
        return self._cell

    @property
    def expires_at(self) -> int | None:
        """Until when the service keeps the reply's sound, in Unix seconds, or None."""
        return self._reply.expires_at

    @property
    def done(self) -> bool:
        """Whether the turn has ended."""
        return self._finish is not None

    @property
    def written(self) -> bool:
        """Whether the journal has this turn with all its sound."""
        return self._written

    def when_ended(self, call: Callable[[], object]) -> None:
        """Call something once the turn has ended and been shown; now if it has.

        On whichever thread ends the turn, so only hand work over there. What it raises is logged.
        """
        with self._lock:
            if not self._ended.is_set():
                self._on_end.append(call)
                return
        _guarded(call)

    def when_noted(self, call: Callable[[str], object]) -> None:
        """Call something with every sentence that is added to `notices` until the turn has ended.

        On whichever thread adds it, so only hand work over there. What it raises is logged.
        """
        with self._lock:
            if not self._ended.is_set():
                self._on_note.append(call)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the turn has ended and been shown; False if the time ran out first.

        Raises nothing of the turn's own: its error is in `error`. Ctrl-C ends the wait, and the
        turn goes on; `stop()` ends it.
        """
        return _loop.wait_for(self._ended, timeout_s)

    def stop(self) -> None:
        """End the turn now and keep what has arrived; does nothing if it has ended.

        May be called from any thread; does not wait. A turn that was not asked yet never will be.
        """
        self.give_up("stopped before anything was sent")
        self._stop_asked = True
        cancel = self._cancel
        if cancel is not None:
            cancel()

    def give_up(self, sentence: str) -> None:
        """End a turn that was never asked; the sentence says why. Does nothing to any other."""
        with self._lock:
            if self._finish is not None or self._cancel is not None:
                return
            self._note(sentence)
            self._end("stopped", None)
        self._wake()

    def _fill(
        self,
        parts: tuple[str | Clip, ...],
        message: Mapping[str, object],
        notices: tuple[str, ...],
    ) -> None:
        self._input, self._message = parts, message
        for sentence in notices:
            self._note(sentence)

    def _claim(self, number: int, asked_at: datetime, cancel: Callable[[], object]) -> bool:
        """Turn a pending turn into one that is asked; False if it is not pending any more."""
        with self._lock:
            if self._finish is not None or self._cancel is not None:
                return False
            self._number, self._asked_at, self._cancel = number, asked_at, cancel
        return True

    def _note(self, sentence: str) -> None:
        if sentence in self._notices:
            return
        self._notices = (*self._notices, sentence)
        # Without taking the lock: `give_up` holds it while it notes.
        for call in list(self._on_note):
            _guarded(partial(call, sentence))

    def _end(self, finish: Finish, error: Exception | None) -> None:
        self._error = error
        self._finish = finish

    def _wake(self) -> None:
        """Let those go on who wait for the turn."""
        with self._lock:
            if self._ended.is_set():
                return
            self._ended.set()
            calls, self._on_end = self._on_end, []
            self._on_note, self._on_tools = [], ()
            if self._cancel is not None:
                # The old one holds all that conducted the turn, and with it every view of it.
                self._cancel = _nothing
        self._future.set_result(None)
        self._let_waiting_go()
        for call in calls:
            _guarded(call)

    async def _until_ended(self) -> None:
        """Wait for the end on any loop; being cancelled does not touch the turn."""
        await asyncio.shield(asyncio.wrap_future(self._future))

    def __repr__(self) -> str:
        said = self.text or self._reply.refusal
        short = said if len(said) <= 60 else f"{said[:59]}…"
        told = f": {short!r}" if said else ""
        state = self._finish or ("running" if self._cancel else "pending")
        return f"<Turn {self._number} {state}{told}, {self.cost}>"

    def _ipython_display_(self) -> None:
        surface = _seams.surface()
        if surface is not None:
            surface.show_turn(self)
        else:
            print(repr(self))  # noqa: T201 (IPython leaves it to us once this method is there)

    def _display_(self) -> object:
        """What marimo shows: it asks for this before anything else."""
        surface = _seams.surface()
        if isinstance(surface, _seams.DisplayingSurface):
            return surface.display_turn(self)
        return repr(self)


def _nothing() -> None:
    """There is nothing left to cancel."""


def _guarded(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:  # noqa: BLE001 (those who wait for a turn do not depend on each other)
        _log.exception("something that waited for news of a turn failed")
