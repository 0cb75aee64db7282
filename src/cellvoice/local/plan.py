"""What will be done with a request: something said, or tools called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .sampler import Guide
from .tools import ToolSpec

__all__ = ["LONGEST_ANSWER", "LONGEST_JSON", "Begin", "Call", "NextProbabilities", "Plan", "Saying"]

NextProbabilities = Callable[[Sequence[int]], NDArray[np.float64]]
LONGEST_ANSWER = 120  # tokens; the corpus' longest has about thirty
LONGEST_JSON = 4_000


# Each choice begins anew: what gives the probabilities may remember how far it is.
Begin = Callable[[], tuple[NextProbabilities, Guide | None]]


@dataclass(frozen=True, slots=True)
class Saying:
    """An answer to be drawn, or a `notice` that is said as it is.

    `whole`: it is spoken in one piece, because the points in JSON end no sentence.
    """

    begin: Begin
    notice: str | None = None
    longest: int = LONGEST_ANSWER
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A tool, and its arguments to be drawn."""

    tool: ToolSpec
    begin: Begin
    longest: int = LONGEST_JSON


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls, or if there are none, something said."""

    saying: Saying
    calls: tuple[Call, ...] = field(default=())
