"""The part of a `Turn` that is about how sure the model was of its object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellvoice.session import _loop
from cellvoice.session._part import TurnPart

from ._loops import on_the_loop

if TYPE_CHECKING:
    from ._sampling import Sample, SamplePrice
    from .confidence import Confidence

__all__ = ["WithObject"]


class WithObject(TurnPart):
    """What a `Turn` knows of its object. What it needs is loaded when asked."""

    # What was asked once more, also of an attempt that was interrupted: it is paid for.
    _samples: tuple[Sample, ...] = ()

    def confidence(self, samples: int | None = None) -> Confidence:
        """How sure the model was of each choice (enum, Literal, bool) in the object.

        Where the turn has log probabilities of the object they tell, and nothing is sent. Else the
        request is asked `samples` more times; `confidence_price(samples)` tells before what that
        may cost, and the session's budget holds. The answers are no part of the conversation; what
        they cost is part of `session.cost`. Ctrl-C ends it.

        Raises UsageError for a turn without an object, and where it would have to ask and `samples`
        is not given; BudgetExceeded; what `session.say` raises if the first sample fails.
        """
        from .confidence import counted_confidence, told_confidence

        turn = self._as_turn()
        told = told_confidence(turn)
        return told if told is not None else _loop.run(counted_confidence(turn, samples))

    async def aconfidence(self, samples: int | None = None) -> Confidence:
        """As `confidence`, without blocking the event loop."""
        from .confidence import counted_confidence, told_confidence

        turn = self._as_turn()
        told = told_confidence(turn)
        return told if told is not None else await on_the_loop(counted_confidence(turn, samples))

    def confidence_price(self, samples: int) -> SamplePrice:
        """What `confidence(samples=…)` may cost where it has to ask; nothing is sent."""
        from ._sampling import sample_price

        return sample_price(self._as_turn(), samples)
