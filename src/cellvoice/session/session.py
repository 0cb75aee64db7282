"""A conversation with one model: its settings, its turns, and the verbs that make them."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

from cellvoice.errors import UsageError
from cellvoice.protocol import ListedModel, NoiseGuard, PriceList, with_parameters

from . import _loop, _seams
from ._asking import Asking, Settings, Voice
from ._branches import Branching
from ._budget import checked_budget
from ._caller import by_current_names
from ._configuring import Configuring
from ._inputs import Said
from ._keeping import checked_name, told_of
from ._kept import Keeping
from ._memory import HistoryChoice, Memory
from ._money import Paying
from ._naming import new_id
from ._settings import Destination, Given, destination, shutdown_notice
from ._waiting import refuse_after_interrupt, wait_async, wait_interrupted, wait_sync
from ._wire import Wire
from .journal import Journal, journal_for
from .tools.context import refuse_inside_tool
from .tools.verbs import Tooling
from .turn import Turn

if TYPE_CHECKING:
    import os

    import httpx

    from cellvoice.client import Cassette, Timeouts
    from cellvoice.protocol import Prices

    from ._seams import Cell, TurnView

__all__ = ["DEFAULT_MODEL", "DEFAULT_VOICE", "Session"]

DEFAULT_MODEL = "gpt-audio"
# The one voice that every compatible server documents.
DEFAULT_VOICE = "alloy"


@with_parameters
class Session(Configuring, Branching, Keeping, Paying, Tooling):
    """Talk to a model: each turn follows those before it, and all of them are kept.

    With a key (`api_key=`, or OPENAI_API_KEY) the service answers, or what listens at `base_url`.
    With neither key nor base_url the embedded engine answers, which is not gpt-audio, and
    `badge` and `notice` say so. `voice` is "alloy" if none is given. `journal` is the folder to
    write to (`cellvoice_journal` if none is given), or False to write nothing. `cassette` is a
    Cassette or its path: a recording that is there is replayed, without a key and a network, else
    one is made (docs/cassettes.md). `headers`, `organization`, `project`, `proxy`, `timeout`
    (seconds for a whole reply, or Timeouts), `max_retries`, `azure_api_version` and `http_client`
    are about the connection (docs/failures.md). `guard` ends a reply that goes on for that many
    seconds (30) without words, as endless noise does; False lets it. `history` "transcript"
    repeats earlier answers to the model by their words, `audio_turns` only the newest so many by
    their sound (docs/conversation.md). `budget` is what the session may cost in US dollars,
    `prices` are your own: Prices for every model, or by models' names (docs/money.md). `tools` are
    functions that the model may call (docs/tools.md). Other keywords are parameters of the service,
    for every turn.

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
        history: HistoryChoice = "audio",
        audio_turns: int | None = None,
        budget: float | None = None,
        prices: Prices | Mapping[str, Prices] | None = None,
        name: str | None = None,
        journal: str | os.PathLike[str] | bool | None = None,
        gitignore: bool = True,
        cassette: Cassette | str | os.PathLike[str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] | None = None,
        **parameters: object,
    ) -> None:
        given = Given(
            api_key, base_url, headers, organization, project, proxy, timeout, max_retries,
            azure_api_version, http_client, transport, cassette,
        )  # fmt: skip
        # A traceback that shows local names must not show these.
        api_key = base_url = headers = proxy = None
        to = destination(given)
        parameters = by_current_names(parameters)
        settings = Settings(
            model,
            DEFAULT_VOICE if voice is None else voice,
            system,
            parameters,
            guard=NoiseGuard.of(guard),
            memory=Memory(history, audio_turns).checked(),
            prices=PriceList.of(prices, to.prices_at),
            budget_usd=checked_budget(budget),
        )
        self._set_up(settings, to, journal, clock, name=checked_name(name), ignored=gitignore)

    def _set_up(
        self,
        settings: Settings,
        to: Destination,
        journal: str | os.PathLike[str] | bool | None,
        clock: Callable[[], float] | None,
        *,
        name: str = "",
        ignored: bool = True,
    ) -> None:
        self._to = to
        self._id = new_id((clock or time.time)())
        self._name = name
        self._journal: Journal | None = journal_for(journal, self._id, ignored=ignored)
        self._takes: Path | None = None
        self._asking = Asking(
            settings=settings,
            wire=Wire(to),
            journal=self._journal,
            clock=clock or (to.cassette.clock if to.cassette else time.time),
            embedded=to.kind == "engine",
        )
        self._resume_notice = ""
        self._about = told_of(self._asking, to, self._name)
        if self._journal is not None:
            self._journal.about = self._about
        # The connections of a forgotten session are closed; at the end the loop closes them.
        weakref.finalize(self, self._asking.wire.close_soon).atexit = False
        surface = _seams.surface()
        if surface is not None:
            self._asking.places.born_in = _seams.cell_id(surface)
            self._asking.wire.warm_soon()

    @property
    def id(self) -> str:
        """A name for this conversation that no other has; the journal's folder has it, too."""
        return self._id

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
        return "; ".join(part for part in (self._resume_notice, self._to.notice(near)) if part)

    def models(self) -> tuple[ListedModel, ...]:
        """Ask the server which models it has, and when one is to end.

        From then on `notice` knows the server's own word. Raises what `say` raises.
        """
        return _loop.run(self._asking.wire.models())

    @with_parameters
    def say(self, input: Said, **overrides: object) -> Turn:  # noqa: A002 (its public name)
        """Say something to the model and wait for its whole reply.

        `input` is text, a Clip, the path of a sound file, or a list of these. A `pathlib.Path` is
        always a file; a str is text, unless it ends in a sound file's suffix and is such a file.
        `overrides` are `model`, `voice` (None for a written answer), `system`, `guard`, `tools`,
        `max_tool_rounds`, `max_repairs`, `speak` and the service's parameters, for this turn only.
        Where a call of a tool waits for a person who can't be heard meanwhile, the turn is
        returned open (docs/tools.md).

        Ctrl-C or the stop button ends the reply; the turn is returned with what was heard, and
        `finish` is "stopped". Raises UsageError before anything is sent, and the error that ended
        the turn, with what came on `error.turn`.
        """
        turn = self._made(input, by_current_names(overrides))
        # Shown inside the wait: an interrupt may come while the page is told of the turn.
        return wait_sync(turn, lambda: self._schedule(turn))

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
        turn = self._made(said, overrides)
        self._schedule(turn)
        return await wait_async(turn)

    @with_parameters
    def listen(self, *, fresh: bool = False, **overrides: object) -> Turn:
        """Record in the browser, send what was said, and play the reply.

        A cell that is run again asks with the recording that it has, unless `fresh`. Raises
        DeviceError where there is no notebook page to record in.
        """
        refuse_after_interrupt()
        given = by_current_names(overrides)
        kept = None if fresh else self._asking.kept_recording(self, given)
        if kept is None:
            return _seams.page().listen(self, given)
        return wait_sync(kept, lambda: self._schedule(kept))

    @with_parameters
    def alisten(self, *, fresh: bool = False, **overrides: object) -> Coroutine[Any, Any, Turn]:
        """As `listen`, without blocking the event loop."""
        return self._alisten(fresh, by_current_names(overrides))

    async def _alisten(self, fresh: bool, overrides: Mapping[str, object]) -> Turn:
        refuse_after_interrupt()
        kept = None if fresh else self._asking.kept_recording(self, overrides)
        if kept is None:
            return await _seams.page().alisten(self, overrides)
        self._schedule(kept)
        return await wait_async(kept)

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
            turn._in_pad = cell is not None
        elif overrides:
            turn._settings = turn._settings.changed(overrides)
        self._asking.fill(turn, input)
        if not self._asking.schedule(turn, view, self.notice):
            raise UsageError(f"turn {turn.number} has been asked or given up; ask a new one")
        return turn

    def pending_turn(self, overrides: Mapping[str, object] = MappingProxyType({})) -> Turn:
        """A turn that waits for its input, not one of `turns` before `start_turn` is given it."""
        overrides = by_current_names(overrides)
        turn = self._asking.make_turn(self, overrides, _seams.cell(_seams.surface()))
        turn._listened = True
        self._asking.places.reserve(turn)
        turn.when_ended(lambda: self._asking.places.release(turn))
        return turn

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
        # Also attempts to replace a turn, and turns that were dropped while they ran.
        running = [turn for turn in self._asking.places.asked if not turn.done]
        for turn in running:
            turn.stop()
        for turn in running:
            turn.wait()
        _loop.run(self._asking.wire.aclose())
        if self._journal is not None:
            self._journal.close()

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

    def _display_(self) -> object:
        """What marimo shows: it asks for this before anything else."""
        surface = _seams.surface()
        if isinstance(surface, _seams.DisplayingSurface):
            return surface.display(self)
        return repr(self)

    def _made(self, said: object, overrides: Mapping[str, object]) -> Turn:
        """A turn of the calling cell, ready to be asked."""
        refuse_after_interrupt()
        refuse_inside_tool(self)
        turn = self._asking.make_turn(self, overrides, _seams.cell(_seams.surface()))
        self._asking.fill(turn, said)
        return turn

    def _schedule(self, turn: Turn) -> None:
        """Ask a turn, and show it where the verb was called."""
        self._asking.schedule(turn, _seams.view(_seams.surface(), turn), self.notice)
