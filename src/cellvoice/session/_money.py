"""What a session has used, costs and may cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from cellvoice.protocol import FREE, PriceList, Usage, with_parameters

from ._budget import checked_budget, spent_usd
from ._caller import by_current_names
from ._cost import Cost, total_cost
from ._estimate import Estimate, estimate_of
from ._latency import Latency
from ._part import SessionPart

if TYPE_CHECKING:
    from ._inputs import Said
    from .tools._sampling import Sample
    from .turn import Turn

__all__ = ["Paying"]


class Paying(SessionPart):
    """The part of a `Session` that is about money and time."""

    @property
    def usage(self) -> Usage:
        """The tokens of all turns together, as far as the service told them.

        Also of older versions and of turns that were taken back, but not of those that a branch
        shares with the session that it comes from; and of what `turn.confidence` asked once more.
        """
        return sum((one.usage for one in self._billed if one.usage is not None), Usage())

    @property
    def cost(self) -> Cost:
        """What all of them cost together, in US dollars; `cost.parts` divides it."""
        return total_cost(one.cost for one in self._billed)

    @property
    def _paid(self) -> Iterable[Turn]:
        return self._asking.places.paid_here

    @property
    def _billed(self) -> Iterable[Turn | Sample]:
        for turn in self._paid:
            yield turn
            yield from turn._samples

    @property
    def prices(self) -> PriceList:
        """The prices that turns are counted by: `prices=`, then the published ones."""
        return self._asking.settings.prices

    @property
    def budget(self) -> float | None:
        """US dollars that the session may cost, or None for no limit; can be set.

        A turn that would cross it is refused before it is sent, with BudgetExceeded, by what
        `estimate` says of it. One that turns out to cost more is not cut; the next is refused.
        """
        return self._asking.settings.budget_usd

    @budget.setter
    def budget(self, budget: float | None) -> None:
        asking = self._asking
        asking.settings = replace(asking.settings, budget_usd=checked_budget(budget))

    @property
    def remaining_usd(self) -> float | None:
        """What is left of the budget, 0 if it was crossed, or None without a budget.

        Turns that still run count as what they were taken to cost.
        """
        budget = self.budget
        return None if budget is None else max(0.0, budget - spent_usd(self._as_session()))

    @with_parameters
    def estimate(self, input: Said, **overrides: object) -> Estimate:  # noqa: A002
        """What a turn with this input is likely to cost; nothing is sent.

        Takes what `say` takes, and raises the same UsageError for what can't be sent, but none for
        a budget. With the embedded engine or a replayed cassette it costs nothing.
        """
        request = self._asking.draft(self._as_session(), input, by_current_names(overrides))
        return estimate_of(request, self._asking.turns, self._prices_now())

    def latency(self) -> Latency:
        """How long the turns took to their first byte, sound and so on: the median and p95."""
        return Latency.of(turn.timing for turn in self._asking.turns if turn.done)

    def _prices_now(self) -> PriceList:
        """The prices, or none of them where a stand-in answers."""
        return PriceList(others=FREE) if self._as_session().stand_in else self.prices
