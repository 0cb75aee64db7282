"""How long the turns of a session took, as medians and 95th percentiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Final

from cellvoice.errors import UsageError

from ._timing import Timing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Latency", "Spread"]

# In the order in which they happen.
_MEASURES: Final = {
    "upload_s": "request sent",
    "first_byte_s": "first byte",
    "first_event_s": "first event",
    "first_words_s": "first words",
    "first_sound_s": "first sound heard",
    "tools_s": "tools",
    "total_s": "whole reply",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """Of `count` turns, in seconds: half took at most `p50_s`, 95 of 100 at most `p95_s`.

    None where no turn has it. Between two turns it is interpolated.
    """

    count: int
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Latency:
    """The spread of each of a turn's times (`turn.timing`) over the turns of a session."""

    upload_s: Spread
    first_byte_s: Spread
    first_event_s: Spread
    first_words_s: Spread
    first_sound_s: Spread
    tools_s: Spread
    total_s: Spread

    @classmethod
    def of(cls, timings: Iterable[Timing]) -> Latency:
        """The spread of these; what has not happened in a turn is left out."""
        known = list(timings)
        return cls(
            **{
                name: _spread([one for one in (getattr(t, name) for t in known) if one is not None])
                for name in _MEASURES
            }
        )

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each measure. Raises UsageError where pandas is not installed."""
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "to_dataframe() needs pandas, which is not installed here; run pip install pandas"
            ) from error
        return pandas.DataFrame(
            [
                {"measure": name, "turns": one.count, "p50_s": one.p50_s, "p95_s": one.p95_s}
                for name, one in self._spreads()
            ]
        ).set_index("measure")

    def _spreads(self) -> list[tuple[str, Spread]]:
        return [(one.name, getattr(self, one.name)) for one in fields(self)]

    def __repr__(self) -> str:
        told = [
            f"{_MEASURES[name]} {_seconds(one.p50_s)} / {_seconds(one.p95_s)}"
            for name, one in self._spreads()
            if one.count
        ]
        return f"<Latency p50 / p95: {', '.join(told) or 'no turn has ended yet'}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(_MEASURES[name])}</td>"
            f"<td>{one.count}</td><td>{_seconds(one.p50_s)}</td><td>{_seconds(one.p95_s)}</td></tr>"
            for name, one in self._spreads()
        )
        head = "<tr><th></th><th>turns</th><th>p50</th><th>p95</th></tr>"
        return f"<table>{head}{rows}</table>"


def _spread(values_s: Sequence[float]) -> Spread:
    ordered = sorted(values_s)
    return Spread(len(ordered), _quantile(ordered, 0.50), _quantile(ordered, 0.95))


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _seconds(value_s: float | None) -> str:
    return "–" if value_s is None else f"{value_s:.2f} s"
