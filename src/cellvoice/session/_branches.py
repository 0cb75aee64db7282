"""What can be done with the turns of a session: read, ask again, take back, branch, join."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from cellvoice.errors import UsageError
from cellvoice.protocol import PriceList, json_ready, system_message

from . import _seams
from ._budget import checked_budget
from ._caller import by_current_names
from ._context import HistoryPrice, history_prices
from ._keeping import checked_name
from ._outline import Fork
from ._part import SessionPart
from ._turns import Turns
from ._waiting import refuse_after_interrupt, wait_async, wait_sync
from .turn import Turn

if TYPE_CHECKING:
    from ._inputs import Said
    from ._places import Mark
    from ._seams import Surface
    from .session import Session

__all__ = ["Branching"]

_ANSWERED = frozenset({"complete", "length", "refused", "filtered"})


class Branching(SessionPart):
    """The part of a `Session` that works on its turns."""

    @property
    def turns(self) -> Turns:
        """The turns so far in their order, as they are now; the last one may still run.

        `session[2]` and `session[1:3]` are short for `session.turns[2]` and so on, from 0.
        """
        return Turns(self._asking.turns)

    # There is no __len__: it would make a session without turns false.
    @overload
    def __getitem__(self, at: SupportsIndex) -> Turn: ...
    @overload
    def __getitem__(self, at: slice) -> Turns: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Turn | Turns:
        return self.turns[at]

    def __iter__(self) -> Iterator[Turn]:
        return iter(self.turns)

    def history(self, *, system_changes: bool = False) -> list[dict[str, object]]:
        """The messages that a turn asked now would follow; a copy that the caller may change.

        The newest system prompt stands in front of them all, as it is sent. `system_changes` shows
        the earlier ones as well, each before the first turn that was asked with it.
        """
        history = self._asking.history()
        messages = history.messages()
        if system_changes:
            messages, told = [], None
            for turn in history.turns:
                system = turn._settings.system
                if system is not None and system != told:
                    messages.append(system_message(system))
                told = system
                messages += history.exchange(turn)
            if history.system is not None and history.system != told:
                messages.append(system_message(history.system))
        return [json_ready(message) for message in messages]

    def history_cost(self) -> Mapping[str, HistoryPrice]:
        """What the conversation so far would add to the next turn, by how it is repeated.

        "now" as `history` and `audio_turns` are set, "audio" and "transcript" with either choice
        for all of it. Estimated by the measured rates: 10 tokens for a second of spoken input, 20
        for a second of a replayed answer, 4 letters of text a token.
        """
        asking, prices = self._asking, self._as_session()._prices_now()
        return history_prices(asking.turns, asking.settings, asking.clock(), prices)

    def shown_turns(self) -> list[tuple[Turn, Mark]]:
        """What a view shows: the current turns, and the running ones that may replace one.

        Each with whether it is stale, and which version of its place it is, of how many.
        """
        return self._asking.places.shown()

    def when_reshaped(self, call: Callable[[], object]) -> Callable[[], None]:
        """Call something whenever turns came, went, changed places or marks; the result ends it.

        On whichever thread changes it, so only hand work over there, and do not raise.
        """
        asking = self._asking
        with asking.lock:
            asking.on_reshaped = (*asking.on_reshaped, call)

        def end() -> None:
            with asking.lock:
                asking.on_reshaped = tuple(one for one in asking.on_reshaped if one is not call)

        return end

    def refresh(self) -> Turns:
        """Ask the stale turns again, in order, each after what stands before it now.

        Returns the new turns. Ends early at one that is stopped; raises the error of one that
        fails, and the old one stays.
        """
        asked: list[Turn] = []
        found = self._asking.places.stale_from(0)
        while found is not None:
            index, old = found
            turn = self._again(old, None, {})
            asked.append(turn)
            if turn.finish not in _ANSWERED:
                break
            found = self._asking.places.stale_from(index + 1)
        return Turns(asked)

    async def arefresh(self) -> Turns:
        """As `refresh`, without blocking the event loop. Cancelling the task stops the turn."""
        asked: list[Turn] = []
        found = self._asking.places.stale_from(0)
        while found is not None:
            index, old = found
            turn = await self._aagain(old, None, {})
            asked.append(turn)
            if turn.finish not in _ANSWERED:
                break
            found = self._asking.places.stale_from(index + 1)
        return Turns(asked)

    def edit(self, turn: Turn | int, new_input: Said, **overrides: object) -> Turn:
        """Ask again in a turn's place with another input; the turns after it become stale.

        `turn` is one of `turns` or its index. What it was asked with holds, besides `overrides`.
        The old one stays until the new one is answered, and then among its `versions`. Waits, and
        raises, as `say`.
        """
        return self._again(self._standing(turn), new_input, by_current_names(overrides))

    def aedit(
        self, turn: Turn | int, new_input: Said, **overrides: object
    ) -> Coroutine[Any, Any, Turn]:
        """As `edit`, without blocking the event loop."""
        return self._aagain(self._standing(turn), new_input, by_current_names(overrides))

    def regenerate(self, turn: Turn | int = -1, **overrides: object) -> Turn:
        """Ask the same again in a turn's place, by default the last one's; as `edit`."""
        return self._again(self._standing(turn), None, by_current_names(overrides))

    def aregenerate(self, turn: Turn | int = -1, **overrides: object) -> Coroutine[Any, Any, Turn]:
        """As `regenerate`, without blocking the event loop."""
        return self._aagain(self._standing(turn), None, by_current_names(overrides))

    def undo(self, n: int = 1) -> Turns:
        """Take the last `n` turns back, and return them; the next one is asked without them.

        The journal and the sum of the costs keep them. One that runs is stopped. Raises UsageError
        if there are not so many.
        """
        turns = self._asking.turns
        if type(n) is not int or not 0 < n <= len(turns):
            raise UsageError(
                f"undo({n!r}): expected a whole number from 1 to {len(turns)}, the turns there are"
                if turns
                else "there is no turn to undo"
            )
        self._asking.places.apply(lambda now: now.without_last(n))
        return Turns(turns[len(turns) - n :])

    def clear(self) -> Turns:
        """Begin anew with the same settings; returns the turns that are left behind, as `undo`."""
        turns = self._asking.turns
        self._asking.places.apply(lambda now: now.cleared())
        return Turns(turns)

    def fork(self, at: int | None = None, **settings: object) -> Session:
        """A new session that shares the first `at` turns, all if not given, and then goes its way.

        It talks to the same service over connections of its own, with these settings besides the
        session's own (also `name`, `journal`, `budget` and `prices`), and writes a journal of its
        own. What the shared turns cost is not counted again, and the budget is its own. Raises
        UsageError for a number of turns that there is not, and while one of them runs.
        """
        turns = self._asking.turns
        count = len(turns) if at is None else at
        if type(count) is not int or not 0 <= count <= len(turns):
            raise UsageError(f"fork(at={at!r}): expected a whole number from 0 to {len(turns)}")
        for turn in turns[:count]:
            if not turn.done:
                raise UsageError(
                    f"turn {turn.number} still runs; wait for it with turn.wait(), or fork(at=…) "
                    "before it"
                )
        return self._forked(turns[:count], by_current_names(settings))

    def merge(self, branch: Session) -> Turns:
        """Append the turns of a branch that come after the fork; returns them.

        They are not asked again: if this session has gone on since, they are stale here. Those
        that were merged before are left out. Raises UsageError for a session that is no branch of
        this one, and while one of its turns runs.
        """
        fork = branch._asking.fork
        if fork is None or fork.session_id != self._as_session().id:
            raise UsageError(
                "only a branch of this session can be merged; session.fork(at=…) makes one"
            )
        refuse_after_interrupt()
        here = set(self._asking.places.asked)
        new = [turn for turn in branch._asking.places.made_since(fork.shared) if turn not in here]
        running = next((turn for turn in new if not turn.done), None)
        if running is not None:
            raise UsageError(f"turn {running.number} of the branch still runs; wait for it first")
        cell = _seams.cell(_seams.surface())
        shared = [turn._shared_with(self._as_session(), cell) for turn in new]
        self._asking.adopt(shared)
        return Turns(shared)

    def _standing(self, turn: Turn | int) -> Turn:
        """The turn that is meant. Raises UsageError if it stands nowhere in the conversation."""
        if isinstance(turn, Turn):
            slot = self._asking.places.slot_of(turn)
            if slot is None:
                raise UsageError(
                    f"turn {turn.number} ({turn.id}) is not in this conversation (any more); "
                    "session.turns has those that are"
                )
            return slot.current
        turns = self._asking.turns
        if type(turn) is not int or not -len(turns) <= turn < len(turns):
            raise UsageError(
                f"there is no turn {turn!r}, expected one of session.turns or an index from 0 to "
                f"{len(turns) - 1}"
                if turns
                else "there are no turns yet; session.say(…) asks the first"
            )
        return turns[turn]

    def _again(self, old: Turn, said: Said | None, overrides: Mapping[str, object]) -> Turn:
        surface, turn = self._made_again(old, said, overrides)
        return wait_sync(turn, lambda: self._asking.schedule(turn, _seams.view(surface, turn), ""))

    async def _aagain(self, old: Turn, said: Said | None, overrides: Mapping[str, object]) -> Turn:
        surface, turn = self._made_again(old, said, overrides)
        self._asking.schedule(turn, _seams.view(surface, turn), "")
        return await wait_async(turn)

    def _made_again(
        self, old: Turn, said: Said | None, overrides: Mapping[str, object]
    ) -> tuple[Surface | None, Turn]:
        refuse_after_interrupt()
        surface = _seams.surface()
        # The place stays the old one's cell's, wherever it is asked from.
        turn = self._asking.make_turn(self._as_session(), overrides, old.cell, instead_of=old)
        self._asking.fill(turn, list(old.input) if said is None else said)
        return surface, turn

    def _forked(self, turns: tuple[Turn, ...], settings: Mapping[str, object]) -> Session:
        changed, own, asking = dict(settings), self._as_session(), self._asking
        folder, base = own.journal_folder, asking.settings
        journal = changed.pop("journal", folder.parent if folder is not None else False)
        name, ignored = checked_name(changed.pop("name", None)), changed.pop("gitignore", True)
        budget_usd = checked_budget(changed.pop("budget", base.budget_usd))
        if "prices" in changed:
            base = replace(base, prices=PriceList.of(changed.pop("prices"), own._to.prices_at))
        branch = type(own).__new__(type(own))
        branch._set_up(
            replace(base.changed(changed), budget_usd=budget_usd),
            own._to,
            journal,  # type: ignore[arg-type]  # checked by the journal
            asking.clock,
            name=name,
            ignored=bool(ignored),
        )
        branch._asking.fork = Fork(own.id, len(turns))
        branch._asking.adopt([turn._shared_with(branch, None) for turn in turns])
        return branch
