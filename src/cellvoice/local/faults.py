"""Faults that the engine can be told to have, for teaching and for testing clients.

A fault is written `NAME[:REQUESTS][@PIECES]`: how many requests it hits (then all is well again),
and after how many pieces of sound, or of writing in a written reply, it happens. For `slow`, the
number behind the @ is bytes a second.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from cellvoice.errors import UsageError

from .refusals import Refusal

__all__ = ["FAULT_NAMES", "MALFORMED", "STREAM_ERROR", "Fault", "Faults", "parse_fault"]

# Instead of an answer, with the number of requests that each hits if nothing is said.
_REFUSING: dict[str, int | None] = {
    "rate-limit": 1,
    "quota": None,
    "overloaded": 1,
    "server-error": 1,
}
_IN_STREAM = ("cut", "stall", "malformed", "error", "slow")
FAULT_NAMES = (*_REFUSING, *_IN_STREAM)
_FORM = re.compile(r"(?P<name>[a-z-]+)(?::(?P<requests>[0-9]{1,6}))?(?:@(?P<at>[0-9]{1,9}))?")
_SLOW_BYTES_PER_S = 8_000

# The beginning of an event whose end was lost.
MALFORMED = (
    b'data: {"id":"chatcmpl-lost","object":"chat.completion.chunk","choices":[{"index":0,\n\n'
)
STREAM_ERROR = Refusal(
    "The server had an error while processing your request. Sorry about that!",
    status=500,
    kind="server_error",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `requests` is how many it hits, None for all of them."""

    name: str
    requests: int | None = None
    pieces: int = 1
    bytes_per_s: int = _SLOW_BYTES_PER_S

    def __str__(self) -> str:
        return self.name if self.requests is None else f"{self.name}:{self.requests}"

    @property
    def in_stream(self) -> bool:
        """Whether it breaks a streamed reply; else the request is refused."""
        return self.name in _IN_STREAM

    def refusal(self) -> Refusal:
        """The service's answer in its place, for those that are not in the stream."""
        if self.name == "rate-limit":
            return Refusal(
                "Rate limit reached for gpt-audio in organization org-embedded on tokens per min "
                "(TPM): Limit 30000, Used 29937, Requested 385. Please try again in 200ms. Visit "
                "https://platform.openai.com/account/rate-limits to learn more.",
                status=429,
                kind="tokens",
                code="rate_limit_exceeded",
                headers={"retry-after-ms": "200", "retry-after": "1"},
            )
        if self.name == "quota":
            return Refusal(
                "You exceeded your current quota, please check your plan and billing details.",
                status=429,
                kind="insufficient_quota",
                code="insufficient_quota",
            )
        if self.name == "overloaded":
            return Refusal(
                "The engine is currently overloaded, please try again later",
                status=503,
                kind="service_unavailable_error",
                code="server_is_overloaded",
                headers={"retry-after": "1"},
            )
        return STREAM_ERROR


def parse_fault(text: str) -> Fault:
    """Read `NAME[:REQUESTS][@PIECES]`. Raises UsageError that lists the names."""
    found = _FORM.fullmatch(text.strip())
    if found is None or found["name"] not in FAULT_NAMES:
        raise UsageError(
            f"there is no fault {text!r}, expected NAME[:REQUESTS][@PIECES] with one of "
            f"{', '.join(FAULT_NAMES)}; for example rate-limit:2 or cut@3"
        )
    name = found["name"]
    requests = int(found["requests"]) if found["requests"] else _REFUSING.get(name)
    at = int(found["at"]) if found["at"] else 0
    if name == "slow":
        return Fault(name, requests, bytes_per_s=at or _SLOW_BYTES_PER_S)
    return Fault(name, requests, pieces=max(1, at))


class Faults:
    """Hands out the faults in the order given, each as often as it says; from any thread."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._left: list[tuple[Fault, int | None]] = [(each, each.requests) for each in faults]
        self._lock = threading.Lock()

    def refusal(self) -> Refusal | None:
        """What to answer instead, or None."""
        fault = self._next(in_stream=False)
        return fault.refusal() if fault is not None else None

    def in_stream(self) -> Fault | None:
        """What is to happen in a reply that is about to be streamed, or None."""
        return self._next(in_stream=True)

    def _next(self, in_stream: bool) -> Fault | None:
        with self._lock:
            for at, (fault, left) in enumerate(self._left):
                if fault.in_stream == in_stream and left != 0:
                    self._left[at] = (fault, None if left is None else left - 1)
                    return fault
        return None
