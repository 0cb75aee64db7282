"""The workings of a session: its turns in order, and how one is made, asked and repaired."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cellvoice.errors import ServiceError, UsageError
from cellvoice.protocol import Request, build_request, check_all, system_message, user_message

from . import _loop
from ._audience import Audience
from ._conduct import Conduct
from ._history import forget_sound, messages_before
from ._inputs import parts_of
from .turn import Turn

if TYPE_CHECKING:
    from ._seams import Cell, TurnView
    from ._wire import Wire
    from .journal import Journal
    from .session import Session

__all__ = ["Asking", "Settings", "Voice"]

Voice = str | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a turn is asked with. `voice` None asks for a written answer."""

    model: str
    voice: Voice | None
    system: str | None
    params: Mapping[str, object]

    @property
    def voice_name(self) -> str | None:
        """The voice in one word, or None for a written answer."""
        voice = self.voice
        return voice if voice is None or isinstance(voice, str) else str(voice.get("id", ""))

    def checked(self) -> Settings:
        """These settings, with parameters as they are sent. Raises UsageError."""
        if not _is_name(self.model):
            raise UsageError(f"model={self.model!r}: expected a name such as 'gpt-audio'")
        if self.system is not None:
            system_message(self.system)
        settings = replace(self, params=check_all(self.params))
        if self.voice is not None:
            # The request's own check of a voice, on a message that no one sends.
            build_request(model=self.model, messages=[user_message("…")], voice=self.voice)
        return settings

    def changed(self, overrides: Mapping[str, object]) -> Settings:
        """With some replaced: `model`, `voice`, `system`, parameters. Raises UsageError."""
        params = dict(overrides)
        model, voice = params.pop("model", self.model), params.pop("voice", self.voice)
        system = params.pop("system", self.system)
        if voice is not None and not isinstance(voice, (str, Mapping)):
            raise UsageError(f"voice={voice!r}: expected a name such as 'alloy', or None")
        return replace(
            self,
            model=model,  # type: ignore[arg-type]  # checked below, whatever it is
            voice=voice,
            system=system,  # type: ignore[arg-type]
            params={**self.params, **params},
        ).checked()


class Asking:
    """What a `Session` does behind its verbs. Turns are added under a lock, from any thread."""

    def __init__(
        self,
        *,
        settings: Settings,
        wire: Wire,
        journal: Journal | None,
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings.checked()
        self.turns: tuple[Turn, ...] = ()
        self.watching: tuple[TurnView, ...] = ()
        self.wire = wire
        self.lock = threading.Lock()
        self.clock = clock
        self._journal = journal
        self._made = 0
        # Nobody but those who may still ask them holds turns that were not asked.
        self._unasked: weakref.WeakSet[Turn] = weakref.WeakSet()

    def make_turn(
        self, session: Session, overrides: Mapping[str, object], cell: Cell | None
    ) -> Turn:
        """A turn without input, with this call's settings. Raises UsageError."""
        settings = self.settings.changed(overrides)
        with self.lock:
            self._made += 1
            name = f"{session.id}-{self._made}"
        turn = Turn(
            session,
            id=name,
            number=len(self.turns) + 1,
            asked_at=self.now(),
            settings=settings,
            cell=cell,
        )
        with self.lock:
            self._unasked.add(turn)
        return turn

    def give_up_unasked(self, sentence: str) -> None:
        """End the turns that wait for their input, and say why."""
        with self.lock:
            waiting = list(self._unasked)
        for turn in waiting:
            turn.give_up(sentence)

    def fill(self, turn: Turn, said: object) -> None:
        """Give a turn its input, and see that it can be asked. Raises UsageError, AudioError."""
        parts, notices = parts_of(said)
        message = user_message(parts)
        self._request(turn, message, self.turns)
        turn._fill(parts, message, notices)

    def schedule(self, turn: Turn, view: TurnView | None, notice: str) -> bool:
        """Put a turn at the end of the conversation and start it; False if it has ended before."""
        loop = _loop.background_loop()
        conduct = Conduct(
            turn,
            wire=self.wire,
            audience=Audience(turn, view, lambda: self.watching),
            journal=self._journal,
            request=lambda: self._request(turn, turn._message or {}, self._before(turn)),
            repair=lambda error, repairs: self._repair(turn, error, repairs),
        )
        with self.lock:
            if not turn._claim(
                number=len(self.turns) + 1,
                asked_at=self.now(),
                cancel=lambda: loop.call_soon_threadsafe(conduct.cancel),
            ):
                return False
            try:
                if notice and not self.turns:
                    turn._note(notice)
                self.turns = (*self.turns, turn)
                self._unasked.discard(turn)
            finally:
                # Inside the lock, so that turns are asked in the order of their numbers; and in
                # any case, because an interrupt here would leave a turn that never ends.
                loop.call_soon_threadsafe(_start, loop, conduct)
        return True

    def now(self) -> datetime:
        """The time in UTC, by the session's clock."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def messages(self) -> list[Mapping[str, object]]:
        """What a turn that is asked now would follow."""
        return messages_before(self.turns, self.settings.system, self.clock())

    def _before(self, turn: Turn) -> tuple[Turn, ...]:
        turns = self.turns
        return turns[: turns.index(turn)]

    def _request(
        self, turn: Turn, message: Mapping[str, object], earlier: tuple[Turn, ...]
    ) -> Request:
        settings = turn._settings
        return build_request(
            model=settings.model,
            messages=[*messages_before(earlier, settings.system, self.clock()), message],
            voice=settings.voice,
            params=settings.params,
        )

    def _repair(self, turn: Turn, error: ServiceError, repairs: int) -> str | None:
        """Make the history fit again for a service that has lost a sound; None if it can't help.

        A service that has lost a second one is taken to have lost all: it was started anew.
        """
        if error.code != "audio_not_found":
            return None
        gone = forget_sound(self._before(turn), error, self.clock(), doubt_all=repairs > 0)
        if not gone:
            return None
        numbers = ", ".join(str(one.number) for one in gone)
        which = f"turn {numbers}" if len(gone) == 1 else f"turns {numbers}"
        return (
            f"the service no longer had the sound of {which}; the transcript was sent instead, "
            "so the answer may come as text"
        )


# Tasks that nobody holds may be collected while they run.
_running: set[asyncio.Task[None]] = set()


def _start(loop: asyncio.AbstractEventLoop, conduct: Conduct) -> None:
    task = loop.create_task(conduct.run())
    _running.add(task)
    task.add_done_callback(_running.discard)


def _is_name(model: object) -> bool:
    return isinstance(model, str) and bool(model.strip())
