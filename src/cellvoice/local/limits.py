"""How much a caller may ask for in a minute, and the headers that tell what is left."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cellvoice.audio import Clip

from .messages import Message
from .refusals import Refusal

__all__ = ["REQUESTS_PER_MINUTE", "TOKENS_PER_MINUTE", "Limits", "estimated_tokens"]

# The service's highest tier. The engine does not reach it by itself, so that nobody is refused
# who has not asked for a lower limit.
REQUESTS_PER_MINUTE = 10_000
TOKENS_PER_MINUTE = 30_000_000
_MINUTE_S = 60.0


def estimated_tokens(messages: Sequence[Message]) -> int:
    """What a request will about need, before it is answered: ten a second of sound, and a token
    for four characters, as the service does for its limits.
    """
    tokens = 0.0
    for message in messages:
        for part in message.parts:
            tokens += 10 * part.duration_s if isinstance(part, Clip) else len(part) / 4
        if message.earlier is not None:
            tokens += message.earlier.audio_tokens + len(message.earlier.transcript) / 4
    return math.ceil(tokens)


class Limits:
    """Counts requests and tokens of the last minute; safe to use from several threads."""

    def __init__(
        self,
        clock: Callable[[], float],
        requests_per_minute: int = REQUESTS_PER_MINUTE,
        tokens_per_minute: int = TOKENS_PER_MINUTE,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = {
            "requests": _Count("requests per min (RPM)", requests_per_minute),
            "tokens": _Count("tokens per min (TPM)", tokens_per_minute),
        }

    def take(self, model: str, tokens: int) -> None:
        """Count one request. Raises Refusal (429) for one that is too many or too large."""
        with self._lock:
            now = self._clock()
            wanted = {"requests": 1, "tokens": tokens}
            for kind, count in self._counts.items():
                count.forget(now)
                if wanted[kind] > count.limit:
                    raise _too_large(model, kind, count, wanted[kind])
                wait_s = count.wait_s(now, wanted[kind])
                if wait_s > 0:
                    raise _reached(model, kind, count, wanted[kind], wait_s)
            for kind, count in self._counts.items():
                count.taken.append((now, wanted[kind]))

    def headers(self) -> dict[str, str]:
        """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as they stand now."""
        with self._lock:
            now = self._clock()
            told: dict[str, str] = {}
            for kind, count in self._counts.items():
                count.forget(now)
                told[f"x-ratelimit-limit-{kind}"] = str(count.limit)
                told[f"x-ratelimit-remaining-{kind}"] = str(count.limit - count.used)
                told[f"x-ratelimit-reset-{kind}"] = _go_duration(count.reset_s(now))
            return told


@dataclass(slots=True)
class _Count:
    name: str
    limit: int
    taken: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def used(self) -> int:
        return sum(amount for _, amount in self.taken)

    def forget(self, now: float) -> None:
        while self.taken and self.taken[0][0] <= now - _MINUTE_S:
            self.taken.popleft()

    def wait_s(self, now: float, wanted: int) -> float:
        """Until `wanted` more fit; 0 if they do now."""
        over = self.used + wanted - self.limit
        for at, amount in self.taken:
            if over <= 0:
                break
            over -= amount
            if over <= 0:
                return at + _MINUTE_S - now
        return 0.0

    def reset_s(self, now: float) -> float:
        return self.taken[-1][0] + _MINUTE_S - now if self.taken else 0.0


def _reached(model: str, kind: str, count: _Count, wanted: int, wait_s: float) -> Refusal:
    return Refusal(
        f"Rate limit reached for {model} in organization org-embedded on {count.name}: "
        f"Limit {count.limit}, Used {count.used}, Requested {wanted}. "
        f"Please try again in {_go_duration(wait_s)}.",
        status=429,
        kind=kind,
        code="rate_limit_exceeded",
        headers={
            "retry-after-ms": str(math.ceil(wait_s * 1000)),
            "retry-after": str(math.ceil(wait_s)),
        },
    )


def _too_large(model: str, kind: str, count: _Count, wanted: int) -> Refusal:
    return Refusal(
        f"Request too large for {model} in organization org-embedded on {count.name}: "
        f"Limit {count.limit}, Requested {wanted}. "
        "The input or output tokens must be reduced in order to run successfully.",
        status=429,
        kind=kind,
        code="rate_limit_exceeded",
    )


def _go_duration(seconds: float) -> str:
    """`0s`, `120ms`, `8.64s`, `1m0s`: as the service writes durations."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds <= 0:
        return "0s"
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    shown = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{minutes}m{shown}" if minutes else shown
