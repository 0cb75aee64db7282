"""The engine as a child process, ended with its parent."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import IO

from cellvoice.errors import EngineError

__all__ = ["EngineProcess", "shared_engine"]

_log = logging.getLogger("cellvoice.engine")
_START_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 3.0


class EngineProcess:
    """The engine in a process of its own, on a free port of 127.0.0.1 with a random key.

    A child that has crashed is started again by the next `start`, `base_url` or `api_key`, which
    the log `cellvoice.engine` tells. A forked process never uses its parent's child: it starts
    its own.
    """

    def __init__(
        self,
        *,
        pace: str | None = None,
        options: Sequence[str] = (),
        timeout_s: float = _START_TIMEOUT_S,
    ) -> None:
        """`options` are further ones of `cellvoice serve`, such as `["--fault", "cut@3"]`."""
        self._options = ([] if pace is None else ["--pace", pace]) + list(options)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self.restarts = 0  # how often it was found dead and started again

    def __repr__(self) -> str:
        child = self._child
        state = "running" if child is not None and child.alive() else "not running"
        return f"EngineProcess({state})"

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT/v1`; starts the engine if it is not running."""
        return self._running().base_url

    @property
    def api_key(self) -> str:
        """The key of this engine; starts the engine if it is not running."""
        return self._running().api_key

    @property
    def pid(self) -> int | None:
        """The child's process id, or None."""
        child = self._child
        return child.process.pid if child is not None and child.alive() else None

    def start(self) -> EngineProcess:
        """Wait until the engine answers. Raises EngineError with the end of what it wrote."""
        self._running()
        return self

    def close(self) -> None:
        """End the child. A later use starts a new one."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _running(self) -> _Child:
        with self._lock:
            if self._child is None or not self._child.alive():
                if self._child is not None:
                    self._report(self._child)
                    self._child.end()
                self._child = None
                self._child = _Child(self._options, self._timeout_s)
            return self._child

    def _report(self, child: _Child) -> None:
        if not child.ours():
            return  # after a fork it may well be running
        self.restarts += 1
        _log.warning(
            "the embedded engine had ended by itself (%s) and is started again; the conversation "
            "is kept, spoken answers are sent to it in words",
            child.how_it_ended(),
        )


class _Child:
    def __init__(self, options: Sequence[str], timeout_s: float) -> None:
        command = [sys.executable, "-m", "cellvoice.local", "--port", "0", "--parent-pipe"]
        command += options
        self._owner_pid = os.getpid()
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # Ctrl-C in a terminal is meant for the notebook; the pipe ends the child.
                start_new_session=sys.platform != "win32",
            )
        except OSError as error:
            raise EngineError(
                f"the embedded engine did not start ({error}); set OPENAI_API_KEY to use the "
                "service instead"
            ) from error
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._errors: deque[str] = deque(maxlen=8)
        self._errors_read = _in_background(self._read_errors, self.process.stderr)
        lines: queue.Queue[str] = queue.Queue()
        self._lines_read = _in_background(_read_lines, self.process.stdout, lines)
        self.base_url = self._line(lines, timeout_s)
        self.api_key = self._line(lines, timeout_s).removeprefix("api_key=")

    def ours(self) -> bool:
        """Whether this process started it, not one that this process was forked from."""
        return self._owner_pid == os.getpid()

    def alive(self) -> bool:
        """Whether this process's own child is still running."""
        return self.ours() and self.process.poll() is None

    def how_it_ended(self) -> str:
        """A signal's name or an exit status, and the last that it wrote."""
        code = self.process.poll() or 0
        try:
            how = signal.Signals(-code).name if code < 0 else f"status {code}"
        except ValueError:
            how = f"signal {-code}"
        tail = " | ".join(line for line in self._errors if line)
        return f"{how}: {tail[-300:]}" if tail else how

    def end(self) -> None:
        """Close the pipe, wait a little, and kill what is left."""
        if not self.ours():
            return  # after a fork the child belongs to the other process
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except OSError:
                pass  # it has already ended
        try:
            self.process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._wait_for_readers()

    def _wait_for_readers(self) -> None:
        """Let the readers close the child's output; what the child has started may hold it open."""
        for reader in (self._errors_read, self._lines_read):
            reader.join(1.0)

    def _line(self, lines: queue.Queue[str], timeout_s: float) -> str:
        ended = False
        try:
            line = lines.get(timeout=timeout_s)
            if line:
                return line
            ended = True  # its output is closed
        except queue.Empty:
            pass
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._wait_for_readers()
        tail = " | ".join(line for line in self._errors if line) or "it wrote nothing"
        what = "ended at once" if ended else f"gave no address within {timeout_s:g} s"
        raise EngineError(
            f"the embedded engine did not start: it {what} ({tail[-600:]}); run "
            "`python -m cellvoice.local` to see why, or set OPENAI_API_KEY to use the service"
        )

    def _read_errors(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._errors.append(line.strip())


def _read_lines(stream: IO[str], lines: queue.Queue[str]) -> None:
    with stream:
        for line in stream:
            lines.put(line.strip())
    lines.put("")  # the end; whoever still waits is told


def _in_background(target: object, *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


_shared: EngineProcess | None = None
_shared_pid = 0
_shared_lock = threading.Lock()


def shared_engine() -> EngineProcess:
    """The one engine of this process, not started until it is used; ended at exit."""
    global _shared, _shared_pid
    with _shared_lock:
        if _shared is None or _shared_pid != os.getpid():
            _shared, _shared_pid = EngineProcess(), os.getpid()
            atexit.register(_shared.close)
        return _shared


def _after_fork() -> None:
    """A lock held by another thread at the moment of the fork would be held for ever."""
    global _shared, _shared_lock
    _shared, _shared_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
