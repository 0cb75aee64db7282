"""Jobs for the disk, one after the other, on a thread that ends when there is nothing to do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["Writer"]

T = TypeVar("T")

_IDLE_S = 5.0


class Writer:
    """Runs what is submitted, in that order, never on the thread that submits it.

    A disk may take seconds for an answer, and the loop that receives the replies must not wait.
    """

    def __init__(self) -> None:
        self._more = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Run a job after all that were submitted before; the future has its result."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 (it is the one who waits that must know)
                future.set_exception(error)

        with self._more:
            self._jobs.append(run)
            started = self._started()
            self._more.notify()
        if not started:
            self._work_here()
        return future

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until everything that was submitted is done."""
        self.submit(_nothing).result(timeout_s)

    def _started(self) -> bool:
        if self._thread is not None and self._thread.is_alive():
            return True
        thread = threading.Thread(target=self._work, name="cellvoice-journal", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False  # at the end of the process no more threads are started
        self._thread = thread
        return True

    def _work(self) -> None:
        while True:
            with self._more:
                while not self._jobs:
                    if not self._more.wait(_IDLE_S) and not self._jobs:
                        self._thread = None
                        return
                job = self._jobs.popleft()
            job()
            del job  # it may hold a turn, and the next one may be long in coming

    def _work_here(self) -> None:
        while self._jobs:
            self._jobs.popleft()()


def _nothing() -> Any:
    """There is nothing to do but to have come this far."""
