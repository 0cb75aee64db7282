"""The workings of a session: its turns in order, and how one is made, asked and repaired."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError
from cellvoice.protocol import (
    NoiseGuard,
    PriceList,
    Request,
    Schema,
    build_request,
    cautions,
    check,
    check_all,
    current_names,
    system_message,
    user_message,
)

from . import _loop
from ._audience import Audience
from ._budget import admit
from ._conduct import Conduct
from ._history import messages_before
from ._inputs import parts_of
from ._repairs import Repairs
from ._tokens import TokenizerOf, service_tokenizer
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
    # By a model's name: what finds the tokens of words in `logit_bias`.
    tokenizer: TokenizerOf = field(default=service_tokenizer, repr=False, compare=False)
    # None lets a reply go on that sounds like endless noise.
    guard: NoiseGuard | None = field(default_factory=NoiseGuard)
    prices: PriceList = field(default_factory=PriceList)
    # What the whole session may cost; None is no limit.
    budget_usd: float | None = None

    @property
    def written(self) -> bool:
        """Whether a written answer is asked for."""
        return self.voice is None or self.params.get("modalities") == ["text"]

    @property
    def voice_name(self) -> str | None:
        """The voice in one word, or None if there is none."""
        voice = self.voice
        return voice if voice is None or isinstance(voice, str) else str(voice.get("id", ""))

    def checked(self) -> Settings:
        """These settings, with parameters as they are kept. Raises UsageError."""
        if not _is_name(self.model):
            raise UsageError(f"model={self.model!r}: expected a name such as 'gpt-audio'")
        if self.system is not None:
            system_message(self.system)
        if self.voice is not None:
            check("voice", self.voice)
        params = check_all(self.params, self.tokenizer(self.model))
        if params.get("format") == "aac":
            raise UsageError(
                "format='aac': there is nothing here that reads AAC; 'mp3' and 'opus' are as small"
            )
        return replace(self, params=params)

    def changed(self, overrides: Mapping[str, object]) -> Settings:
        """With some replaced: `model`, `voice`, `system`, `guard`, parameters; None unsets.

        Raises UsageError, and then nothing has changed.
        """
        given = current_names(overrides)
        model, voice = given.pop("model", self.model), given.pop("voice", self.voice)
        system = given.pop("system", self.system)
        guard = NoiseGuard.of(given.pop("guard")) if "guard" in given else self.guard
        return replace(
            self,
            guard=guard,
            model=model,  # type: ignore[arg-type]  # checked below, whatever they are
            voice=voice,  # type: ignore[arg-type]
            system=system,  # type: ignore[arg-type]
            params={**self.params, **given},
        ).checked()

    def values(self) -> dict[str, object]:
        """All that is set, JSON-ready; `changed` takes it."""
        params = {
            name: dict(value.json_schema) if isinstance(value, Schema) else value
            for name, value in self.params.items()
        }
        return {"model": self.model, "voice": self.voice, "system": self.system, **params}


class Asking:
    """What a `Session` does behind its verbs. Turns are added under a lock, from any thread."""

    def __init__(
        self,
        *,
        settings: Settings,
        wire: Wire,
        journal: Journal | None,
        clock: Callable[[], float],
        embedded: bool,
    ) -> None:
        self.settings = settings.checked()
        self.turns: tuple[Turn, ...] = ()
        self.watching: tuple[TurnView, ...] = ()
        self.wire = wire
        self.lock = threading.Lock()
        self.clock = clock
        self._journal = journal
        # What is known of a model holds for the service, not for the engine in its place.
        self._embedded = embedded
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

    def draft(self, session: Session, said: object, overrides: Mapping[str, object]) -> Request:
        """The request that a turn asked now would send. Raises UsageError, AudioError."""
        settings = self.settings.changed(overrides)
        turn = Turn(session, id="", number=0, asked_at=self.now(), settings=settings, cell=None)
        return self._filled(turn, said)

    def fill(self, turn: Turn, said: object) -> None:
        """Give a turn its input, and see that it can be asked.

        Raises UsageError, AudioError, BudgetExceeded.
        """
        admit(turn, self._filled(turn, said))

    def _filled(self, turn: Turn, said: object) -> Request:
        parts, notices = parts_of(said)
        message = user_message(parts)
        request = self._request(turn, message, self.turns)
        if not self._embedded:
            notices += tuple(cautions(request.model, request.params))
        turn._fill(parts, message, notices)
        return request

    def schedule(self, turn: Turn, view: TurnView | None, notice: str) -> bool:
        """Put a turn at the end of the conversation and start it; False if it has ended before."""
        loop = _loop.background_loop()
        repairs = Repairs(turn, lambda: self._before(turn), self.clock)
        conduct = Conduct(
            turn,
            wire=self.wire,
            audience=Audience(turn, view, lambda: self.watching),
            journal=self._journal,
            request=lambda: self._request(
                turn, turn._message or {}, self._before(turn), repairs.without
            ),
            repair=repairs.repair,
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
        self,
        turn: Turn,
        message: Mapping[str, object],
        earlier: tuple[Turn, ...],
        without: frozenset[str] = frozenset(),
    ) -> Request:
        settings = turn._settings
        return build_request(
            model=settings.model,
            messages=[*messages_before(earlier, settings.system, self.clock()), message],
            voice=settings.voice,
            params={name: one for name, one in settings.params.items() if name not in without},
            tokenize=settings.tokenizer(settings.model),
        )


# Tasks that nobody holds may be collected while they run.
_running: set[asyncio.Task[None]] = set()


def _start(loop: asyncio.AbstractEventLoop, conduct: Conduct) -> None:
    task = loop.create_task(conduct.run())
    _running.add(task)
    task.add_done_callback(_running.discard)


def _is_name(model: object) -> bool:
    return isinstance(model, str) and bool(model.strip())
