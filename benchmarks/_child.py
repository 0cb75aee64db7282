"""Peak memory and CPU of one exchange, in a process of its own.

    python benchmarks/_child.py READER MODEL BASE_URL

A short exchange of the same kind comes first, so that what is loaded and built once is there. Then
the kernel is told to forget the process's highest resident size (`VmHWM`), and the exchange's peak
is what it has grown past the resident size just before. The CPU is that of a second exchange.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from _clients import Cellvoice, OpenAI
from _replies import silent_wav

__all__ = ["Spent", "spent_by"]

SHORT = {"spoken": "spoken-1", "whole": "whole-1", "written": "written-10"}
RECORDING_S = 120

Exchange = Callable[[str, float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one exchange took; `peak_bytes` is on top of the process as it was before."""

    cpu_ms: float
    peak_bytes: float


def spent_by(readers: list[str], model: str, base_url: str, rounds: int) -> dict[str, Spent]:
    """Medians by reader, a fresh process for each sample; the readers take turns."""
    samples: dict[str, list[Spent]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name in readers:
            command = [sys.executable, __file__, name, model, base_url]
            found = subprocess.run(command, capture_output=True, text=True, check=False)
            if found.returncode:
                raise SystemExit(found.stderr)
            samples[name].append(Spent(**json.loads(found.stdout)))
    return {
        name: Spent(median(s.cpu_ms for s in taken), median(s.peak_bytes for s in taken))
        for name, taken in samples.items()
    }


def exchanges(base_url: str) -> dict[str, Callable[[], Exchange]]:
    """Each reader as a function of the model and the seconds that are sent."""

    def ours_listens() -> Exchange:
        client = Cellvoice(base_url)
        return lambda model, _: client.listen(model, stream=not model.startswith("whole"))

    def openai_listens() -> Exchange:
        client = OpenAI(base_url)
        return lambda model, _: client.listen(model, stream=not model.startswith("whole"))

    def ours_sends() -> Exchange:
        from cellvoice.audio import Clip

        client = Cellvoice(base_url)
        # The recording is there before anything is asked, as it is after `listen`.
        clips = {s: Clip.from_bytes(silent_wav(s)) for s in (1, RECORDING_S)}
        return lambda model, seconds: client.send(model, clips[int(seconds)])

    def openai_sends() -> Exchange:
        client = OpenAI(base_url)
        files = {s: silent_wav(s) for s in (1, RECORDING_S)}
        return lambda model, seconds: client.send(model, files[int(seconds)])

    return {
        "ours listens": ours_listens,
        "openai listens": openai_listens,
        "ours sends": ours_sends,
        "openai sends": openai_sends,
    }


async def measured(exchange: Exchange, model: str) -> Spent:
    """Warm up, take the peak of one exchange and the CPU of another."""
    short = SHORT[model.partition("-")[0]]
    await exchange(short, 1)
    await exchange(short, 1)
    gc.collect()
    before = forget_peak()
    reply = await exchange(model, RECORDING_S)
    peak_bytes = highest_bytes() - before
    del reply
    gc.collect()
    before_s = time.process_time()
    await exchange(model, RECORDING_S)
    return Spent((time.process_time() - before_s) * 1_000, peak_bytes)


def forget_peak() -> int:
    """Begin a new peak; gives the resident bytes now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_bytes("VmRSS")


def highest_bytes() -> int:
    """The highest resident size since `forget_peak`."""
    return _status_bytes("VmHWM")


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1_024
    raise SystemExit(f"/proc/self/status has no {field}; peak memory is measured on Linux only")


def main() -> None:
    """Print what one exchange took, as JSON."""
    reader, model, base_url = sys.argv[1:]
    found = asyncio.run(measured(exchanges(base_url)[reader](), model))
    print(json.dumps(asdict(found)), flush=True)
    # Open connections need no farewell, and their warnings would look like failures.
    os._exit(0)


if __name__ == "__main__":
    main()
