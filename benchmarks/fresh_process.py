"""CPU of whole processes: to the first sound of a reply, and of an import, beside openai-python.

User and system time of the process from its start to its exit, by `wait4`. Byte code and files
are warm. The interpreter's own start is in every figure; a row shows it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from _rig import Row, at_most, for_information, options, report
from _server import served

FRESH = Path(__file__).parent / "fresh"


def process_ms(*arguments: str) -> float:
    """CPU milliseconds of one Python process; raises if it fails."""
    # Without byte code on disk every sample would compile, which an installed program never does.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen([sys.executable, *arguments], env=environment)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments[0]} failed with status {process.returncode}")
    return (used.ru_utime + used.ru_stime) * 1_000


def measure(base_url: str, rounds: int) -> list[Row]:
    """Medians of processes that take turns; the first of each warms up."""
    programs = {
        "first": (str(FRESH / "cellvoice_first_sound.py"), base_url),
        "openai first": (str(FRESH / "openai_first_sound.py"), base_url),
        "session": (str(FRESH / "session_first_reply.py"), base_url),
        "import": ("-c", "import cellvoice"),
        "openai import": ("-c", "import openai"),
        "nothing": ("-c", "pass"),
    }
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, arguments in programs.items():
            spent_ms = process_ms(*arguments)
            if number:
                taken[name].append(spent_ms)
    spent = {name: statistics.median(values) for name, values in taken.items()}
    return [
        at_most(0.35, "to the first sound", spent["first"], spent["openai first"]),
        at_most(
            0.15, "`import cellvoice`, `import openai`", spent["import"], spent["openai import"]
        ),
        for_information(
            "a Session to the end of a 1 s reply", spent["session"], spent["openai first"]
        ),
        for_information("Python that does nothing", spent["nothing"], spent["openai first"]),
    ]


def main() -> int:
    """Measure and print."""
    given = options(__doc__, rounds=11)
    with served() as base_url:
        rows = measure(base_url, given.rounds)
    return report("fresh_process: CPU from a process's start to its exit", rows)


if __name__ == "__main__":
    sys.exit(main())
