"""Which recorded exchange answers a request, and what to say when none does."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Sequence

from cellvoice.errors import CassetteMiss
from cellvoice.protocol.asked import Asked
from cellvoice.protocol.differences import differences, likeness

from ._exchange import Exchange

__all__ = ["Answers", "miss"]

_SHOWN = 4


class Answers:
    """The recorded exchanges, and which of them have been given.

    The same request is answered by what was recorded first, then by the next, and at the end by
    the last again and again.
    """

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = list(exchanges)
        self._given: Counter[str] = Counter()
        self._latest: Exchange | None = None

    def add(self, exchange: Exchange) -> None:
        """A further one, recorded just now."""
        # By number, as they will be read again; of several at a time the last asked may end first.
        insort(self.exchanges, exchange, key=lambda one: one.number)
        self._latest = exchange

    def rewind(self) -> None:
        """As if none had been given yet."""
        self._given.clear()
        self._latest = None

    def find(self, asked: Asked) -> Exchange | None:
        """The exchange that answers this request now, or None."""
        key = asked.key
        found = [one for one in self.exchanges if one.asked.key == key]
        if not found:
            words = self._words()
            key = asked.loose_key(words)
            found = [one for one in self.exchanges if one.asked.loose_key(words) == key]
        if not found:
            return None
        exchange = found[min(self._given[key], len(found) - 1)]
        self._given[key] += 1
        self._latest = exchange
        return exchange

    def next_at(self) -> float | None:
        """When the exchange after the latest one was asked, in Unix seconds, or None at the end."""
        if self._latest is None:
            return self.exchanges[0].asked_at if self.exchanges else None
        later = [one for one in self.exchanges if one.number > self._latest.number]
        return later[0].asked_at if later else None

    @property
    def end_at(self) -> float | None:
        """When the last exchange had ended, in Unix seconds."""
        last = self.exchanges[-1] if self.exchanges else None
        return last.asked_at + last.end_s if last else None

    def _words(self) -> dict[str, str]:
        told = (one.told for one in self.exchanges)
        return {
            str(one["audio_id"]): str(one.get("words", "")) for one in told if "audio_id" in one
        }


def miss(name: str, asked: Asked, exchanges: Sequence[Exchange]) -> CassetteMiss:
    """The error that shows the nearest recorded request and what differs."""
    question = " ".join(asked.question)
    begin = f"{name} has no answer to this request ({question})" if question else f"{name} has none"
    then = (
        "ask as it was recorded, or record what is missing: "
        f"cv.Cassette({name!r}, mode='auto') asks the service and adds the answer"
    )
    if not exchanges:
        return CassetteMiss(f"{begin}: nothing is recorded in it; {then}")
    compared = [(differences(asked, one.asked), one) for one in exchanges]
    clauses, nearest = min(
        compared, key=lambda pair: (len(pair[0]), -likeness(asked, pair[1].asked))
    )
    shown = "; ".join(clauses[:_SHOWN])
    more = f"; and {len(clauses) - _SHOWN} more" if len(clauses) > _SHOWN else ""
    its = " ".join(nearest.asked.question)
    error = CassetteMiss(
        f"{begin}. The nearest is exchange {nearest.number}{f' ({its})' if its else ''}; yours "
        f"differs: {shown}{more}. To go on, {then}"
    )
    error.nearest, error.differences = nearest.number, tuple(clauses)
    return error
