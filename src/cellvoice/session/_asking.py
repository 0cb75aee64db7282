"""The workings of a session: its turns in order, and how one is made, asked and repaired."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping, Sequence
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

from . import _loop, _seams
from ._audience import Audience
from ._budget import admit
from ._conduct import Conduct
from ._context import check_fits
from ._history import History, history_before
from ._inputs import parts_of
from ._memory import Memory
from ._places import Places
from ._repairs import Repairs
from ._tokens import TokenizerOf, service_tokenizer
from .tools.approval import Decisions
from .tools.kit import ToolKit
from .tools.loop import round_params
from .turn import Turn

if TYPE_CHECKING:
    from ._outline import Fork, Outline
    from ._resume import Resumed
    from ._seams import Cell, TurnView
    from ._wire import Wire
    from .journal import Journal
    from .session import Session

__all__ = ["Asking", "Settings", "Voice"]

Voice = str | Mapping[str, object]

_KEPT_RECORDING = (
    "asked with the recording of the run before; session.listen(fresh=True) records a new one"
)


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
    memory: Memory = field(default_factory=Memory)
    prices: PriceList = field(default_factory=PriceList)
    # What the whole session may cost; None is no limit.
    budget_usd: float | None = None
    kit: ToolKit = field(default_factory=ToolKit)

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
        kit, given = self.kit.taken_from(self.params, self.model)
        params = check_all(given, self.tokenizer(self.model))
        if kit.speak and (self.written or not isinstance(params.get("schema"), Schema)):
            raise UsageError(
                "speak=True says the object aloud, so it needs schema= and a voice; give both or "
                "leave it out"
            )
        if params.get("format") == "aac":
            raise UsageError(
                "format='aac': there is nothing here that reads AAC; 'mp3' and 'opus' are as small"
            )
        return replace(self, params=params, kit=kit)

    def changed(self, overrides: Mapping[str, object]) -> Settings:
        """With some replaced; None unsets.

        `model`, `voice`, `system`, `guard`, `history`, `audio_turns`, `max_tool_rounds`,
        `max_repairs`, `speak`, and parameters.
        Raises UsageError, and then nothing has changed.
        """
        given = current_names(overrides)
        model, voice = given.pop("model", self.model), given.pop("voice", self.voice)
        system = given.pop("system", self.system)
        guard = NoiseGuard.of(given.pop("guard")) if "guard" in given else self.guard
        return replace(
            self,
            memory=self.memory.taken_from(given),
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
        kept = self.memory.values()
        if self.guard != NoiseGuard():
            kept["guard"] = self.guard.wordless_s if self.guard is not None else False
        named = {"model": self.model, "voice": self.voice, "system": self.system}
        # What speaks needs the form of the object, which is among the parameters.
        return {**named, **kept, **params, **self.kit.values()}


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
        if embedded:  # whatever model it stands for, its tokens are its own
            settings = replace(settings, tokenizer=lambda model: _seams.engine_tokens)
        self.settings = settings.checked()
        self.places = Places(self._write_outline, self._reshaped)
        self.watching: tuple[TurnView, ...] = ()
        self.on_reshaped: tuple[Callable[[], object], ...] = ()
        self.wire = wire
        self.lock = self.places.lock
        self.clock = clock
        self.decisions = Decisions()
        # Where this conversation left another one, if it did.
        self.fork: Fork | None = None
        self._journal = journal
        # What is known of a model holds for the service, not for the engine in its place.
        self._embedded = embedded
        self._made = 0
        # Nobody but those who may still ask them holds turns that were not asked.
        self._unasked: weakref.WeakSet[Turn] = weakref.WeakSet()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The current turns, in the order of the conversation."""
        return self.places.turns

    def make_turn(
        self,
        session: Session,
        overrides: Mapping[str, object],
        cell: Cell | None,
        *,
        instead_of: Turn | None = None,
    ) -> Turn:
        """A turn without input, with this call's settings; in another's place with that one's.

        Raises UsageError.
        """
        base = self.settings if instead_of is None else instead_of._settings
        settings = base.changed(overrides)
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
        turn._instead_of = instead_of
        with self.lock:
            self._unasked.add(turn)
        return turn

    def take_over(self, journal: Journal | None, resumed: Resumed) -> None:
        """Have the turns of a conversation that is resumed, before any other is asked."""
        self._journal, self._made, self.fork = journal, resumed.made, resumed.fork
        turns = [resumed.turns[name] for name in resumed.order]
        shared = resumed.fork.shared if resumed.fork is not None else 0
        self.places.restore(turns, resumed.outline, resumed.turns, shared=shared)

    def all_turns(self) -> tuple[Turn, ...]:
        """Every turn that is part of the conversation or was, in the order they were asked."""
        return tuple(sorted(self.places.asked, key=lambda turn: turn.asked_at))

    def outline(self) -> Outline:
        """The shape of the conversation, as the journal keeps it."""
        return self.places.outline()

    def give_up_unasked(self, sentence: str) -> None:
        """End the turns that wait for their input, and say why."""
        with self.lock:
            waiting = list(self._unasked)
        for turn in waiting:
            turn.give_up(sentence)

    def draft(self, session: Session, said: object, overrides: Mapping[str, object]) -> Request:
        """The request that a turn asked now would send. Raises UsageError, AudioError."""
        settings = self.settings.changed(overrides)
        cell = _seams.cell(_seams.surface())
        turn = Turn(session, id="", number=0, asked_at=self.now(), settings=settings, cell=cell)
        return self._filled(turn, said)

    def fill(self, turn: Turn, said: object) -> None:
        """Give a turn its input, and see that it can be asked.

        Raises UsageError, AudioError, BudgetExceeded.
        """
        self.decisions.refuse_while_waiting(turn.cell)
        admit(turn, self._filled(turn, said))

    def _filled(self, turn: Turn, said: object) -> Request:
        parts, notices = parts_of(said)
        message = user_message(parts)
        request = self._checked_request(turn, message, self._history(turn))
        if not self._embedded:
            notices += tuple(cautions(request.model, request.params))
        turn._fill(parts, message, notices)
        return request

    def schedule(self, turn: Turn, view: TurnView | None, notice: str) -> bool:
        """Give a turn its place in the conversation and start it; False if it has ended before."""
        loop = _loop.background_loop()
        repairs = Repairs(turn, lambda: self.places.before(turn), self.clock)
        conduct = Conduct(
            turn,
            wire=self.wire,
            audience=Audience(turn, view, lambda: self.watching),
            journal=self._journal,
            request=lambda: self._request_now(turn, repairs.without),
            repair=repairs.repair,
            settle=lambda: self.places.settle(turn),
            decisions=self.decisions,
        )
        with self.lock:
            if not turn._claim(
                number=len(self.turns) + 1,
                asked_at=self.now(),
                cancel=lambda: loop.call_soon_threadsafe(conduct.cancel),
            ):
                return False
            try:
                if notice and not self.places.asked:
                    turn._note(notice)
                change = self.places.put(turn)
                self._unasked.discard(turn)
            finally:
                # Inside the lock, so that turns are asked in the order in which they were placed;
                # and in any case, because an interrupt here would leave a turn that never ends.
                loop.call_soon_threadsafe(_start, loop, conduct)
        self.places.tell(change)
        return True

    def now(self) -> datetime:
        """The time in UTC, by the session's clock."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def kept_recording(self, session: Session, overrides: Mapping[str, object]) -> Turn | None:
        """A turn to be asked with what was recorded in this place when the cell ran before."""
        cell = _seams.cell(_seams.surface())
        if cell is None:
            return None
        turn = self.make_turn(session, overrides, cell)
        old = self.places.standing(turn)
        if old is None or not old._listened or all(isinstance(one, str) for one in old.input):
            return None
        turn._listened = True
        self.fill(turn, list(old.input))
        turn._note(_KEPT_RECORDING)
        return turn

    def adopt(self, turns: Sequence[Turn]) -> None:
        """Append turns of another session, which have ended, and write them down here, too."""
        for turn in turns:
            if self._journal is not None:
                self._journal.write(turn)
        self.places.append(turns)

    def history(self) -> History:
        """What a turn that is asked now would follow."""
        return history_before(self.turns, self.settings, self.clock())

    def _history(self, turn: Turn) -> History:
        return history_before(self.places.before(turn), turn._settings, self.clock())

    def _request_now(self, turn: Turn, without: frozenset[str]) -> Request:
        """The request as it is sent. Raises UsageError if the model can't take so much."""
        history = self._history(turn)
        request = self._checked_request(turn, turn._message or {}, history, without)
        turn._rungs, turn._followed = history.rungs, self.places.followed(turn)
        return request

    def _write_outline(self, outline: Outline) -> None:
        if self._journal is not None:
            self._journal.write_outline(outline)

    def _reshaped(self) -> None:
        for call in self.on_reshaped:
            call()

    def _checked_request(
        self,
        turn: Turn,
        message: Mapping[str, object],
        history: History,
        without: frozenset[str] = frozenset(),
    ) -> Request:
        settings = turn._settings
        params = round_params(turn, settings.params)
        request = build_request(
            model=settings.model,
            messages=[*history.messages(), message, *turn._round_messages()],
            voice=settings.voice,
            params={name: one for name, one in params.items() if name not in without},
            tokenize=settings.tokenizer(settings.model),
        )
        if not self._embedded:
            check_fits(request, history, settings, self.clock())
        return request


# Tasks that nobody holds may be collected while they run.
_running: set[asyncio.Task[None]] = set()


def _start(loop: asyncio.AbstractEventLoop, conduct: Conduct) -> None:
    task = loop.create_task(conduct.run())
    _running.add(task)
    task.add_done_callback(_running.discard)


def _is_name(model: object) -> bool:
    return isinstance(model, str) and bool(model.strip())
