"""Waiting for a condition outside the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T | None]], what: str, *, timeout_s: float = 60.0) -> T:
    """Ask again until the answer is true and return it; `what` is named when it never is."""
    try:
        async with asyncio.timeout(timeout_s):
            while not (answer := await ask()):  # noqa: ASYNC110
                # Files and other processes give no event to wait for.
                await asyncio.sleep(0.05)
            return answer
    except TimeoutError:
        raise AssertionError(f"waited {timeout_s:.0f} s for {what}") from None
