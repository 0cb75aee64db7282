"""Sync tools in threads of their own, in the context of the cell that asked."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run something that blocks, in the caller's context, and give its result.

    On a daemon thread of its own: a function that never returns must neither use up a pool that
    others wait for nor keep the process from ending. When the wait is cancelled the thread goes on
    and what it gives is dropped. Whatever it raises is raised here.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # of T where there is no error

    def run() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = context.run(work)
        except StopIteration as error:
            # A future takes any exception but this one.
            failure = RuntimeError(f"it raised StopIteration: {error}")
        except BaseException as error:  # noqa: BLE001 (sys.exit() in a tool is the tool's failure)
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            return  # the loop has ended with the process, and with it whoever waited

    threading.Thread(target=run, name="cellvoice-tool", daemon=True).start()
    return await done
