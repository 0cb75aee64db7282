"""What the benchmarks share: readers that take turns, medians, and a table with its bars."""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = [
    "Row",
    "at_least",
    "at_most",
    "cpu_ms",
    "for_information",
    "options",
    "report",
    "size_at_most",
]

Reader = Callable[[], Awaitable[object]]
# Of a proxy that the environment names, a client would measure the proxy.
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `met` is None where there is no bar."""

    what: str
    ours: str
    peer: str
    ratio: str
    bar: str = "–"
    met: bool | None = None


def at_least(times: float, what: str, ours: float, peer: float, unit: str = "ms") -> Row:
    """A row whose bar is met if the peer needs `times` as much or more."""
    ratio = peer / ours
    shown = (_figure(ours, unit), _figure(peer, unit), f"{ratio:.1f} times less")
    return Row(what, *shown, f"≥ {times:g} times less", ratio >= times)


def at_most(share: float, what: str, ours: float, peer: float, unit: str = "ms") -> Row:
    """A row whose bar is met if ours is this share of the peer's or less."""
    ratio = ours / peer
    shown = (_figure(ours, unit), _figure(peer, unit), f"{ratio:.2f}")
    return Row(what, *shown, f"≤ {share:g}", ratio <= share)


def size_at_most(bar_kb: float, what: str, size_kb: float) -> Row:
    """A row about one size alone."""
    return Row(what, _figure(size_kb, "kB"), "–", "–", f"≤ {bar_kb:g} kB", size_kb <= bar_kb)


def for_information(what: str, ours: float, peer: float, unit: str = "ms") -> Row:
    """A row without a bar."""
    ratio = f"{peer / ours:.1f} times less" if peer > 2 * ours else f"{ours / peer:.2f}"
    return Row(what, _figure(ours, unit), _figure(peer, unit), ratio)


def options(description: str, *, rounds: int) -> argparse.Namespace:
    """The command line that all benchmarks have; `--quick` takes three rounds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"{rounds} unless given")
    parser.add_argument("--quick", action="store_true", help="three rounds, to see that it runs")
    given = parser.parse_args()
    if given.quick:
        given.rounds = min(given.rounds, 3)
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    return given


async def cpu_ms(readers: Mapping[str, Reader], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds of one call of each reader; the readers take turns.

    The first round warms up. Every other round goes backwards, so that none is always the one
    that comes after the largest.
    """
    spent_ms: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(rounds + 1):
        names = list(readers) if number % 2 else list(readers)[::-1]
        for name in names:
            # What one reader left behind would be collected in the time of the next.
            gc.collect()
            before_s = time.process_time()
            await readers[name]()
            if number:
                spent_ms[name].append((time.process_time() - before_s) * 1_000)
    return {name: statistics.median(values) for name, values in spent_ms.items()}


def report(title: str, rows: Sequence[Row]) -> int:
    """Print the table; 1 if a bar is not met, else 0."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"{title}\n{datetime.now(UTC):%Y-%m-%d}, {machine}\n")
    print("| what | ours | peer | ratio | bar | met |\n|---|---|---|---|---|---|")
    for row in rows:
        met = {True: "yes", False: "NO", None: "–"}[row.met]
        cells = (row.what, row.ours, row.peer, row.ratio, row.bar, met)
        print(f"| {' | '.join(cells)} |")
    print(flush=True)
    return int(any(row.met is False for row in rows))


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"
