"""Programs in processes of their own, which Ctrl-C reaches."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Start", "programs"]

Start = Callable[[str], "subprocess.Popen[str]"]


@contextmanager
def programs(beginning: str, *arguments: str) -> Iterator[Start]:
    """Starts programs that begin in the same way; at the end none of them is left."""
    started: list[subprocess.Popen[str]] = []

    def start(rest: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", beginning + rest, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell that starts tests in the background ignores SIGINT, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
