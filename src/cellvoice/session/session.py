"""A conversation with one model: its settings, its turns, and the verbs that make them."""

from __future__ import annotations

import copy
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

from cellvoice.errors import UsageError
from cellvoice.protocol import ListedModel, NoiseGuard, PriceList, json_ready, with_parameters

from . import _loop, _seams
from ._asking import Asking, Settings, Voice
from ._budget import checked_budget
from ._caller import by_current_names
from ._inputs import Said
from ._money import Paying
from ._naming import new_id, takes_folder
from ._settings import Given, destination, shutdown_notice
from ._waiting import refuse_after_interrupt, wait_async, wait_interrupted, wait_sync
from ._wire import Wire
from .journal import Journal, journal_for
from .turn import Turn

if TYPE_CHECKING:
    import os

    import httpx

    from cellvoice.client import Cassette, Timeouts
    from cellvoice.protocol import Prices

    from ._seams import Cell, Surface, TurnView

__all__ = ["DEFAULT_MODEL", "DEFAULT_VOICE", "Session"]

DEFAULT_MODEL = "gpt-audio"
# The one voice that every compatible server documents.
DEFAULT_VOICE = "alloy"


@with_parameters
class Session(Paying):
    """Talk to a model: each turn follows those before it, and all of them are kept.

    With a key (`api_key=`, or OPENAI_API_KEY) the service answers, or what listens at `base_url`.
    With neither key nor base_url the embedded engine answers, which is not gpt-audio, and
    `badge` and `notice` say so. `voice` is "alloy" if none is given. `journal` is the folder to
    write to (`cellvoice_journal` if none is given), or False to write nothing. `cassette` is a
    Cassette or its path: a recording that is there is replayed, without a key and a network, else
    one is made (docs/cassettes.md). `headers`, `organization`, `project`, `proxy`, `timeout`
    (seconds for a whole reply, or Timeouts), `max_retries`, `azure_api_version` and `http_client`
    are about the connection (docs/failures.md). `guard` ends a reply that goes on for that many
    seconds (30) without words, as endless noise does; False lets it. `budget` is what the session
    may cost in US dollars, `prices` are your own: Prices for every model, or by models' names
    (docs/money.md). Other keywords are parameters of the service, for every turn.

    Raises UsageError for a setting that can't be, AuthError for the service's address without a
    key. Nothing is sent or written before the first turn. In a notebook the embedded engine starts
    at once, so that it is there when somebody has spoken.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        voice: Voice | None = None,
        system: str | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        headers: Mapping[str, str] | None = None,
        organization: str | None = None,
        project: str | None = None,
        proxy: str | None = None,
        timeout: float | Timeouts | None = None,
        max_retries: int | None = None,
        azure_api_version: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        guard: bool | float = True,
        budget: float | None = None,
        prices: Prices | Mapping[str, Prices] | None = None,
        journal: str | os.PathLike[str] | bool | None = None,
        cassette: Cassette | str | os.PathLike[str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] | None = None,
        **parameters: object,
    ) -> None:
        given = Given(
            api_key,
            base_url,
            headers,
            organization,
            project,
            proxy,
            timeout,
            max_retries,
            azure_api_version,
            http_client,
            transport,
            cassette,
        )
        # A traceback that shows local names must not show these.
        api_key = base_url = headers = proxy = None
        to = destination(given)
        parameters = by_current_names(parameters)
        self._to = to
        self._id = new_id((clock or time.time)())
        self._journal: Journal | None = journal_for(journal, self._id)
        self._takes: Path | None = None
        self._asking = Asking(
            settings=Settings(
                model,
                DEFAULT_VOICE if voice is None else voice,
                system,
                parameters,
                guard=NoiseGuard.of(guard),
                prices=PriceList.of(prices, to.prices_at),
                budget_usd=checked_budget(budget),
            ),
            wire=Wire(to),
            journal=self._journal,
            clock=clock or (to.cassette.clock if to.cassette else time.time),
            embedded=to.kind == "engine",
        )
        # The connections of a forgotten session are closed; at the end the loop closes them.
        weakref.finalize(self, self._asking.wire.close_soon).atexit = False
        if _seams.surface() is not None:
            self._asking.wire.warm_soon()

    @property
    def id(self) -> str:
        """A name for this conversation that no other has; the journal's folder has it, too."""
        return self._id

    @property
    def model(self) -> str:
        """The model that is asked; can be set, and then holds from the next turn on."""
        return self._asking.settings.model

    @model.setter
    def model(self, model: str) -> None:
        self.configure(model=model)

    @property
    def voice(self) -> str | None:
        """The voice that answers, None for written answers; can be set, from the next turn on.

        A custom voice is set as `{"id": "voice_…"}` and read as its id.
        """
        return self._asking.settings.voice_name

    @voice.setter
    def voice(self, voice: Voice | None) -> None:
        self.configure(voice=voice)

    @property
    def system(self) -> str | None:
        """What the model is told about how to answer; can be set, from the next turn on."""
        return self._asking.settings.system

    @system.setter
    def system(self, system: str | None) -> None:
        self.configure(system=system)

    @property
    def parameters(self) -> Mapping[str, object]:
        """The service's parameters that every turn is asked with."""
        return MappingProxyType(dict(self._asking.settings.params))

    @with_parameters
    def configure(self, **settings: object) -> None:
        """Change settings from the next turn on: `model`, `voice`, `system`, parameters.

        None unsets one; without a voice the answers are written. Raises UsageError if one of them
        can't be, and then none is changed.
        """
        self._asking.settings = self._asking.settings.changed(by_current_names(settings))

    def settings_values(self) -> dict[str, object]:
        """All that is set, JSON-ready, for a panel or a file; `configure(**values)` sets it again.

        A class given as `schema` is there as its JSON schema.
        """
        values: dict[str, object] = copy.deepcopy(self._asking.settings.values())
        return values

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns so far, in the order in which they were asked; the last one may still run."""
        return self._asking.turns

    @property
    def badge(self) -> str:
        """What stands in for the service, or "" if it is the service (or a server at base_url)."""
        if self._to.badge:
            return self._to.badge
        engine = next((turn.engine for turn in reversed(self.turns) if turn.engine), None)
        return str(engine.get("badge", "")) if engine else ""

    @property
    def stand_in(self) -> str:
        """The badge of the embedded engine or of a replayed cassette, else ""."""
        return self._to.badge

    @property
    def replays(self) -> bool:
        """Whether a cassette's recording answers, and nobody else."""
        return self._to.replays

    @property
    def notice(self) -> str:
        """What the user should know before asking, in a sentence, or ""."""
        listed = self._asking.wire.listed.get(self.model)
        near = shutdown_notice(self.model, self._asking.now().date(), listed)
        return self._to.notice(near)

    def models(self) -> tuple[ListedModel, ...]:
        """Ask the server which models it has, and when one is to end.

        From then on `notice` knows the server's own word. Raises what `say` raises.
        """
        return _loop.run(self._asking.wire.models())

    @property
    def journal_folder(self) -> Path | None:
        """Where every turn is written, or None if nothing is written."""
        return self._journal.folder if self._journal else None

    @property
    def takes_folder(self) -> Path:
        """Where recordings are kept while they are made; it exists.

        Inside the journal; a temporary folder if nothing is to be written or nothing can be.
        """
        if self._takes is None or not self._takes.is_dir():
            self._takes = takes_folder(self._journal, self)
        return self._takes

    def history(self) -> list[dict[str, object]]:
        """The messages that a turn asked now would follow; a copy that the caller may change."""
        return [json_ready(message) for message in self._asking.messages()]

    @with_parameters
    def say(self, input: Said, **overrides: object) -> Turn:  # noqa: A002 (its public name)
        """Say something to the model and wait for its whole reply.

        `input` is text, a Clip, the path of a sound file, or a list of these. A `pathlib.Path` is
        always a file; a str is text, unless it ends in a sound file's suffix and is such a file.
        `overrides` are `model`, `voice` (None for a written answer), `system`, `guard` and the
        service's parameters, for this turn only.

        Ctrl-C or the stop button ends the reply; the turn is returned with what was heard, and
        `finish` is "stopped". Raises UsageError before anything is sent, and the error that ended
        the turn, with what came on `error.turn`.
        """
        surface, turn = self._made(input, by_current_names(overrides))
        # Shown inside the wait: an interrupt may come while the page is told of the turn.
        return wait_sync(
            turn, lambda: self._asking.schedule(turn, _seams.view(surface, turn), self.notice)
        )

    @with_parameters
    def asay(
        self,
        input: Said,  # noqa: A002
        **overrides: object,
    ) -> Coroutine[Any, Any, Turn]:
        """As `say`, without blocking the event loop. Cancelling the task stops the turn."""
        # Here and not in the coroutine, which may run when the caller's line is long over.
        return self._asay(input, by_current_names(overrides))

    async def _asay(self, said: Said, overrides: Mapping[str, object]) -> Turn:
        surface, turn = self._made(said, overrides)
        self._asking.schedule(turn, _seams.view(surface, turn), self.notice)
        return await wait_async(turn)

    @with_parameters
    def listen(self, **overrides: object) -> Turn:
        """Record in the browser, send what was said, and play the reply.

        Raises DeviceError where there is no notebook page to record in.
        """
        refuse_after_interrupt()
        return _seams.page().listen(self, by_current_names(overrides))

    @with_parameters
    def alisten(self, **overrides: object) -> Coroutine[Any, Any, Turn]:
        """As `listen`, without blocking the event loop."""
        return self._alisten(by_current_names(overrides))

    async def _alisten(self, overrides: Mapping[str, object]) -> Turn:
        refuse_after_interrupt()
        return await _seams.page().alisten(self, overrides)

    def start_turn(
        self,
        input: Said,  # noqa: A002
        *,
        view: TurnView | None = None,
        overrides: Mapping[str, object] = MappingProxyType({}),
        turn: Turn | None = None,
        cell: Cell | None = None,
    ) -> Turn:
        """Ask without waiting: the turn runs in the background, after those asked before it.

        `turn` is one from `pending_turn`, to be asked now with the overrides it was made with and
        these. May be called from any thread. Raises UsageError before anything is sent.
        """
        overrides = by_current_names(overrides)
        if turn is None:
            turn = self._asking.make_turn(self, overrides, cell)
        elif overrides:
            turn._settings = turn._settings.changed(overrides)
        self._asking.fill(turn, input)
        if not self._asking.schedule(turn, view, self.notice):
            raise UsageError(f"turn {turn.number} has been asked or given up; ask a new one")
        return turn

    def pending_turn(self, overrides: Mapping[str, object] = MappingProxyType({})) -> Turn:
        """A turn that waits for its input, not one of `turns` before `start_turn` is given it."""
        overrides = by_current_names(overrides)
        return self._asking.make_turn(self, overrides, _seams.cell(_seams.surface()))

    def wait(self, turn: Turn) -> Turn:
        """Wait until a turn has ended; as `say`, also about Ctrl-C and errors."""
        return wait_sync(turn)

    def interrupted(self, turn: Turn) -> Turn:
        """Ctrl-C came while a turn runs: as `say` does then, stop it, wait, and return it.

        Further verbs in the same run of the cell raise Stopped.
        """
        return wait_interrupted(turn)

    async def await_turn(self, turn: Turn) -> Turn:
        """As `wait`, without blocking the event loop. Cancelling the task stops the turn."""
        return await wait_async(turn)

    def watch(self, view: TurnView) -> Callable[[], None]:
        """Tell a view of every turn from now on; call the result to end it."""
        asking = self._asking
        with asking.lock:
            asking.watching = (*asking.watching, view)

        def unwatch() -> None:
            with asking.lock:
                asking.watching = tuple(one for one in asking.watching if one is not view)

        return unwatch

    def close(self) -> None:
        """Stop what runs, end what waits for input, close the connections.

        A later turn opens them again.
        """
        self._asking.give_up_unasked("the session was closed before anything was sent")
        for turn in self.turns:
            turn.stop()
        for turn in self.turns:
            turn.wait()
        _loop.run(self._asking.wire.aclose())

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_asking"):  # a traceback shows local names of a failed __init__
            return "<Session, not made>"
        count = len(self.turns)
        turns = "1 turn" if count == 1 else f"{count} turns"
        badge = f", {self.badge}" if self.badge else ""
        return f"<Session {self.model}, voice {self.voice or 'none'}, {turns}, {self.cost}{badge}>"

    def _ipython_display_(self) -> None:
        surface = _seams.surface()
        if surface is not None:
            surface.show(self)
        else:
            print(repr(self))  # noqa: T201 (IPython leaves it to us once this method is there)

    def _made(self, said: object, overrides: Mapping[str, object]) -> tuple[Surface | None, Turn]:
        """A turn ready to be asked, and where the verb was called."""
        refuse_after_interrupt()
        surface = _seams.surface()
        turn = self._asking.make_turn(self, overrides, _seams.cell(surface))
        self._asking.fill(turn, said)
        return surface, turn
