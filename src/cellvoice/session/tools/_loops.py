"""Work on the background loop that any other loop may wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from cellvoice.session import _loop

__all__ = ["on_the_loop"]

T = TypeVar("T")


async def on_the_loop(work: Coroutine[Any, Any, T]) -> T:
    """Do something on the background loop; cancelling the wait cancels the work."""
    loop = _loop.background_loop()
    if asyncio.get_running_loop() is loop:
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))
