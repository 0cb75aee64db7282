"""How long a service asks to be left alone, in whichever of its forms it says so."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

__all__ = ["told_delay_s"]

# `Please try again in 6m0.5s` (OpenAI), `please retry after 20 seconds` (Azure).
_IN_WORDS = re.compile(
    r"\b(?:try\s+again\s+in|retry\s+(?:after|in))\s+"
    r"((?:\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|minutes?|hours?|s|m|h)(?![a-z])\s*)+)",
    re.IGNORECASE,
)
_ONE_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|[smh])", re.IGNORECASE)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def told_delay_s(headers: Mapping[str, str], message: str, now_s: float) -> float | None:
    """Seconds to wait before asking again, or None if nothing (that makes sense) was said.

    `retry-after-ms` goes before `retry-after` (seconds, or a date that `now_s`, in Unix seconds, is
    taken from), and both before the message's words: "try again in 644ms" is 0.644. The
    `x-ratelimit-reset-…` headers are left out: they tell when the whole allowance is back, which is
    long after the next request would pass.
    """
    found = (
        _seconds(headers.get("retry-after-ms"), 0.001),
        _seconds(headers.get("retry-after"), 1.0),
        _until(headers.get("retry-after"), now_s),
        _in_words(message),
    )
    return next((delay_s for delay_s in found if delay_s is not None and delay_s > 0), None)


def _seconds(text: str | None, unit_s: float) -> float | None:
    try:
        seconds = float(text or "") * unit_s
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _until(text: str | None, now_s: float) -> float | None:
    # Rare, and slow to load.
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text or "").timestamp() - now_s
    except (ValueError, OverflowError):
        return None


def _in_words(message: str) -> float | None:
    words = _IN_WORDS.search(message)
    if words is None:
        return None
    total_s = 0.0
    for number, unit in _ONE_STEP.findall(words[1]):
        short = unit.lower()
        in_ms = short.startswith(("ms", "mil"))
        total_s += float(number) * (0.001 if in_ms else _SECONDS[short[0]])
    return total_s
