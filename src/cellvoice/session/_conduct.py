"""One turn on the background loop, from the first view of it to the last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cellvoice.client import RecordingStopped
from cellvoice.errors import (
    AnswerTimeout,
    CellvoiceError,
    ConnectionFailed,
    ServiceError,
    StreamBroken,
    TotalTimeout,
)
from cellvoice.protocol import (
    AudioChunk,
    ErrorReceived,
    Event,
    Heartbeat,
    Reply,
    Request,
    mask_keys,
)

from ._budget import admit
from ._outcome import finish_of, has_content, limit_tokens, notices_of
from ._parsing import parse
from ._sent import NOTHING_SENT, sent_in
from ._timing import Stopwatch
from .tools.approval import waits_sentence
from .tools.loop import ToolLoop
from .tools.running import Runner
from .tools.trace import Trace, Tracer
from .turn import Finish, Turn

if TYPE_CHECKING:
    from cellvoice.client import Client

    from ._audience import Audience
    from ._wire import Wire
    from .journal import Journal
    from .tools.approval import Decisions, PendingCall

__all__ = ["Conduct"]

_log = logging.getLogger("cellvoice.session")


class Conduct:
    """Ask, receive, end, write down, show: one turn. Every way of ending passes through `run`."""

    def __init__(
        self,
        turn: Turn,
        *,
        wire: Wire,
        audience: Audience,
        journal: Journal | None,
        request: Callable[[], Request],
        repair: Callable[[ServiceError], str | None],
        settle: Callable[[], object],
        decisions: Decisions,
    ) -> None:
        self._turn = turn
        self._wire = wire
        self._audience = audience
        self._journal = journal
        self._build = request
        self._repair = repair
        self._settle = settle
        self._exchange: asyncio.Task[None] | None = None
        self._watch = Stopwatch(time.perf_counter)
        self._tracer = tracer = Tracer(time.perf_counter, turn._tools_changed)
        turn._trace = lambda: Trace(tracer.spans)
        self._decisions = decisions
        self._cut_as_noise = False

    def cancel(self) -> None:
        """End the exchange; what has arrived is kept. Loop thread only."""
        if self._exchange is not None:
            self._exchange.cancel()

    async def run(self) -> None:
        """Bring the turn to its end. Raises nothing."""
        try:
            await self._bring_to_its_end()
            await self._audience.ended()
        finally:
            # Whoever waits goes on, also when the process ends in the middle of this.
            self._turn._wake()

    async def _bring_to_its_end(self) -> None:
        try:
            async with contextlib.AsyncExitStack() as held:
                if self._journal is not None:
                    self._journal.asked(self._turn)
                self._audience.started()
                error, stopped = await self._watch_exchange(held)
                self._finish(error, stopped)
                # Before the next turn's history is put together.
                self._settle()
                await self._write_down()
        except Exception as fault:  # noqa: BLE001 (whoever waits must be told of an end)
            _log.exception("turn %s was not brought to its end", self._turn.number)
            if self._turn.finish is None:
                self._turn._end("failed", self._told(fault))
            self._settle()

    async def _watch_exchange(
        self, held: contextlib.AsyncExitStack
    ) -> tuple[Exception | None, bool]:
        self._exchange = asyncio.create_task(self._ask(held))
        if self._turn._stop_asked:
            self._exchange.cancel()
        try:
            await asyncio.wait([self._exchange])
        except asyncio.CancelledError:  # the process ends; the turn is written down all the same
            self._exchange.cancel()
            await asyncio.wait([self._exchange])
        if self._exchange.cancelled():
            return None, True
        error = self._exchange.exception()
        if isinstance(error, RecordingStopped):
            self._turn._note(str(error))
            return None, True
        if isinstance(error, Exception):
            return error, self._turn._stop_asked
        return None, False

    async def _ask(self, held: contextlib.AsyncExitStack) -> None:
        await held.enter_async_context(self._wire.lock())
        client = await self._wire.client()
        loop = ToolLoop(self._turn, self._runner(), lambda: self._tracer.now_s)
        try:
            await loop.run(lambda: self._receive_repaired(client))
        except RecordingStopped:
            raise
        except (ConnectionFailed, StreamBroken) as error:
            blamed = self._wire.blamed(error)
            if blamed is error:
                raise  # its cause is the network's, and not itself
            raise blamed from error

    def _runner(self) -> Runner:
        turn, journal = self._turn, self._journal

        def audit(line: Mapping[str, object]) -> None:
            if journal is not None:
                journal.audit(turn, line)

        return Runner(
            turn,
            tracer=self._tracer,
            decisions=self._decisions,
            told=turn._tools_changed,
            waits=self._wait_for_a_person,
            audit=audit,
        )

    async def _wait_for_a_person(self, pending: PendingCall) -> None:
        """Let the waiting cell go on if nobody can be heard while it waits."""
        turn = self._turn
        if await self._audience.hears(turn._waiting or "blocking"):
            return
        if turn._waiting is not None:
            turn._note(waits_sentence(pending))
        turn._let_waiting_go()

    async def _receive_repaired(self, client: Client) -> bool:
        """Ask once, and again if what was refused can be left out; whether all of it came."""
        while True:
            try:
                await self._receive(client)
                return not self._cut_as_noise
            except ServiceError as error:
                # Only a request that was refused whole is sent again; never after a byte of reply.
                repaired = self._repair(error) if error.status is not None else None
                if repaired is None:
                    raise
                # Ends: every repair leaves less of the request that could be refused.
                self._turn._note(repaired)

    async def _receive(self, client: Client) -> None:
        turn = self._turn
        request = self._build()
        admit(turn, request, sending=True)
        turn._sent = sent_in(request, turn.session.turns)
        turn._request = request
        if self._journal is not None:
            self._journal.sent(turn, request)
        first = not turn._rounds
        if first:
            self._watch.start()
        self._tracer.sent(request.model, len(turn._rounds) + 1)
        if turn._raw is not None:
            turn._raw.sent(len(turn._rounds) + 1)
        try:
            async with client.stream(
                request,
                on_retry=lambda retry: turn._note(retry.sentence),
                on_sent=lambda: self._uploaded(first),
                log=turn._raw,
            ) as stream:
                if first:
                    self._watch.answered()
                turn._request_id = stream.request_id
                turn._replayed = stream.replayed
                async for event in stream:
                    self._take(event)
                    if self._is_noise(event):
                        return  # leaving closes the connection, and the service stops
        except Exception as error:
            self._tracer.replied(turn._answer, type(error).__name__)
            late = isinstance(error, (AnswerTimeout, TotalTimeout))
            if turn._rounds and turn._answer == Reply(engine=turn._answer.engine) and not late:
                turn._sent = NOTHING_SENT  # refused as a whole, which costs nothing
            raise
        self._tracer.replied(turn._answer)
        if not turn._answer.done:
            raise StreamBroken(
                "the reply ended before it was complete; what came is kept, ask again for the rest"
            )

    def _uploaded(self, first: bool) -> None:
        if first:
            self._watch.uploaded()
        self._tracer.uploaded()

    def _take(self, event: Event) -> None:
        turn = self._turn
        before = turn._fold(event)
        if self._journal is not None:
            self._journal.event(turn, event)
        self._watch.took(event)
        self._tracer.took(event)
        turn._timing = self._watch.timing
        if before is not None:
            self._audience.event(before)
        self._audience.event(event)
        if isinstance(event, ErrorReceived):
            raise event.error

    def _is_noise(self, event: Event) -> bool:
        guard, turn = self._turn._settings.guard, self._turn
        if guard is None or not isinstance(event, (Heartbeat, AudioChunk)):
            return False
        if not guard.trips(turn._answer, turn.model):
            return False
        limit = limit_tokens(turn._request.params if turn._request else {}, turn.model)
        turn._note(guard.sentence(turn._answer, turn.model, limit, turn._settings.prices))
        self._cut_as_noise = True
        return True

    def _finish(self, error: Exception | None, stopped: bool) -> None:
        turn = self._turn
        self._watch.ended(turn.trace.tools_s)
        turn._timing = self._watch.timing
        params = turn._request.params if turn._request else {}
        finish: Finish
        if stopped or self._cut_as_noise:
            finish, error = "stopped", None
        elif error is not None:
            finish = "cut" if has_content(turn.reply) else "failed"
            error = self._told(error)
        else:
            finish = finish_of(turn._answer, params, turn.model)
        spoken = any(not isinstance(part, str) for part in turn.input)
        newest = turn.reply if finish == "stopped" else turn._answer
        for sentence in notices_of(newest, finish, params, spoken=spoken):
            turn._note(sentence)
        if finish in ("complete", "length") and turn._parsed is None:
            found, failed = parse(turn)
            turn._take_object(found)
            if failed:
                turn._note(failed)
        self._tracer.close(finish if finish != "complete" else None)
        turn._end(finish, error)

    def _told(self, error: Exception) -> CellvoiceError:
        """The error as the user gets it: with its turn, without the key."""
        if not isinstance(error, CellvoiceError):
            unexpected = CellvoiceError(
                f"a fault inside cellvoice ended the turn ({type(error).__name__}: {error}); "
                "what came is kept, please report it"
            )
            unexpected.__cause__ = error
            error = unexpected
        error.args = tuple(
            mask_keys(self._wire.hide(part)) if isinstance(part, str) else part
            for part in error.args
        )
        error.turn = self._turn
        return error

    async def _write_down(self) -> None:
        if self._journal is None:
            return
        written = await asyncio.wrap_future(self._journal.ended(self._turn))
        if written.sentence:
            self._turn._note(written.sentence)
