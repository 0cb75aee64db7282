"""One event loop in a background thread runs every turn of the process; sync verbs wait on it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from cellvoice.errors import UsageError

__all__ = [
    "background_loop",
    "is_background_thread",
    "on_shutdown",
    "run",
    "shut_down_first",
    "wait_for",
]

T = TypeVar("T")

# On Windows a lock that is waited for without a time-out does not see Ctrl-C; a tenth of a second
# is how late it may be seen there. What is waited for wakes the wait at once in any case.
_POLL_S = 0.1
_SHUTDOWN_S = 3.0


class _Background:
    """The loop, its thread, and what has to be closed before both end."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.closers: dict[object, Callable[[], Awaitable[None]]] = {}
        self.thread = threading.Thread(target=self._run, name="cellvoice-loop", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def shut_down(self) -> None:
        """End the running turns as stopped, close what is open, end the thread."""
        if not self.thread.is_alive():
            return
        future = asyncio.run_coroutine_threadsafe(self._wind_up(), self.loop)
        with contextlib.suppress(Exception):
            future.result(_SHUTDOWN_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(1.0)

    async def _wind_up(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        closing = [close() for close in self.closers.values()]
        await asyncio.gather(*closing, return_exceptions=True)


_lock = threading.Lock()
_background: _Background | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs every turn of this process; its thread is started on first use."""
    return _running().loop


def _running() -> _Background:
    global _background  # noqa: PLW0603 (one per process, and a fork must be able to forget it)
    with _lock:
        if _background is None:
            _background = _Background()
        return _background


def is_background_thread() -> bool:
    """Whether the caller runs on the background loop's own thread."""
    return _background is not None and threading.current_thread() is _background.thread


def on_shutdown(key: object, close: Callable[[], Awaitable[None]] | None) -> None:
    """Have something closed when the process ends; None forgets it. Loop thread only."""
    closers = _running().closers
    if close is None:
        closers.pop(key, None)
    else:
        closers[key] = close


def refuse_background_thread(coroutine: Coroutine[Any, Any, Any] | None = None) -> None:
    """Raise UsageError where a wait would wait for itself."""
    if is_background_thread():
        if coroutine is not None:
            coroutine.close()
        raise UsageError(
            "a call that waits was made on the loop that runs the turns, which would wait for "
            "itself; use session.start_turn(…) there, it does not wait"
        )


def wait_for(ended: threading.Event, timeout_s: float | None = None) -> bool:
    """Wait until an event is set, and see Ctrl-C at once; False if the time ran out first."""
    refuse_background_thread()
    until_s = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left_s = _POLL_S if until_s is None else min(_POLL_S, until_s - time.monotonic())
        if ended.wait(max(left_s, 0.0)):
            return True
        if left_s <= 0:
            return False


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and wait for its result.

    Ctrl-C or the interrupt button cancels the coroutine, waits until it has cleaned up, and
    raises KeyboardInterrupt; a second one does not wait for the clean-up.
    """
    refuse_background_thread(coroutine)
    loop = background_loop()
    job = _Job(coroutine)
    try:
        loop.call_soon_threadsafe(job.start)
        wait_for(job.ended)
    except KeyboardInterrupt:
        loop.call_soon_threadsafe(job.cancel)
        wait_for(job.ended)
        raise
    return job.result()


class _Job(Generic[T]):
    """A coroutine that is started, cancelled and watched from another thread."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.ended = threading.Event()
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._coroutine)
        self._task.add_done_callback(lambda _: self.ended.set())

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:  # interrupted before it was handed over
            self._coroutine.close()
            self.ended.set()

    def result(self) -> T:
        assert self._task is not None, "the wait is over, so it was started"
        return self._task.result()


def _forget_after_fork() -> None:
    # The thread did not survive the fork; the loop's file descriptors belong to the parent.
    global _background, _lock  # noqa: PLW0603
    _background = None
    _lock = threading.Lock()


def _shut_down() -> None:
    if _background is not None:
        _background.shut_down()


def shut_down_first() -> None:
    """Have the loop wound up before everything that was registered for the end until now."""
    atexit.unregister(_shut_down)
    atexit.register(_shut_down)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
atexit.register(_shut_down)
