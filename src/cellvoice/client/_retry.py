"""Whether a request that got no reply is sent again, and when."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cellvoice.errors import (
    AnswerTimeout,
    BillingError,
    CellvoiceError,
    ConnectionFailed,
    ConnectTimeout,
    RequestTooLarge,
    ServiceError,
)

from ._causes import caused_by

__all__ = ["LONGEST_WAIT_S", "Retry", "RetryPolicy"]

# What is asked for beyond this is told instead: nobody wants to watch a cell wait for it.
LONGEST_WAIT_S = 120.0
_FIRST_WAIT_S, _LAST_WAIT_S = 0.5, 8.0
# `slow_down` is said to those whose rate rose too fast; half a second would only raise it further.
_FIRST_SLOW_WAIT_S, _LAST_SLOW_WAIT_S = 5.0, 30.0
_JITTER = 0.25
_STATUSES = frozenset({408, 409, 429})
_SLOW_DOWN = "slow_down"
_BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Retry:
    """A request that failed before a byte of reply came, and goes out again after `wait_s`.

    `attempt` is the one that failed, from 1.
    """

    attempt: int
    wait_s: float
    error: CellvoiceError

    @property
    def sentence(self) -> str:
        """What happened and what is done about it, for the user."""
        wait = f"{self.wait_s:.1f} s" if self.wait_s >= 0.1 else f"{self.wait_s * 1000:.0f} ms"
        return f"{_what_failed(self.error)}; asking again after {wait}"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The rules; `rand` gives 0…1 and `sleep` waits, so that a test can do without chance and time.

    The service does not recognise a repeated request, so one that it had taken may be billed twice.
    That is why nothing is repeated once the reply has begun, nor after minutes without an answer.
    """

    max_retries: int = 2
    rand: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def wait_s(
        self, attempt: int, error: CellvoiceError, headers: Mapping[str, str]
    ) -> float | None:
        """Seconds to wait after this failed attempt (from 1), or None to give up."""
        if attempt > self.max_retries or not _may_pass(error, headers):
            return None
        told_s = error.retry_after_s if isinstance(error, ServiceError) else None
        if told_s is not None:
            return told_s if told_s <= LONGEST_WAIT_S else None
        first_s, last_s = _FIRST_WAIT_S, _LAST_WAIT_S
        if isinstance(error, ServiceError) and error.code == _SLOW_DOWN:
            first_s, last_s = _FIRST_SLOW_WAIT_S, _LAST_SLOW_WAIT_S
        backoff_s = min(first_s * 2.0 ** (attempt - 1), last_s)
        return backoff_s * (1 - _JITTER * self.rand())


def _may_pass(error: CellvoiceError, headers: Mapping[str, str]) -> bool:
    if isinstance(error, ConnectionFailed):
        # A certificate is not trusted any sooner by asking again.
        certain = caused_by(error, ssl.SSLCertVerificationError)
        return not isinstance(error, AnswerTimeout) and not certain
    if isinstance(error, (BillingError, RequestTooLarge)) or not isinstance(error, ServiceError):
        return False
    wanted = headers.get("x-should-retry", "").strip().lower()
    if wanted in ("true", "false"):
        return wanted == "true"
    status = error.status or 0
    return status in _STATUSES or status >= 500


def _what_failed(error: CellvoiceError) -> str:
    if isinstance(error, ServiceError):
        did = "was busy" if error.status in _BUSY else "failed"
        return f"the service {did} ({error.status})"
    if isinstance(error, ConnectTimeout):
        return "no connection came about in time"
    return "the connection failed"
