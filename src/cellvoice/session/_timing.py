"""When what came of a turn came, and which sound can be heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from cellvoice.protocol import AudioChunk, Event, TextChunk, TranscriptChunk

__all__ = ["AUDIBLE_DBFS", "Stopwatch", "Timing", "is_audible"]

# A reply begins with silence that nobody hears as its beginning; speech is far above this.
AUDIBLE_DBFS: Final = -50.0
_AUDIBLE_PEAK: Final = 32_768 * 10 ** (AUDIBLE_DBFS / 20)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from the moment the request was sent; None for what has not happened.

    `upload_s`: the request's last piece was handed to the network (None where it went at once, as
    all short ones do); `first_byte_s`: the head of the answer; `first_event_s`; `first_words_s`:
    the first words of the answer; `first_sound_s`: the first sound loud enough to be heard, above
    −50 dBFS; `tools_s`: how long tools ran in all; `total_s`: the end. Waits before a request was
    sent again are in them.
    """

    first_event_s: float | None = None
    first_sound_s: float | None = None
    total_s: float | None = None
    upload_s: float | None = None
    first_byte_s: float | None = None
    first_words_s: float | None = None
    tools_s: float | None = None


class Stopwatch:
    """Makes a `Timing` while a turn comes. `clock` gives seconds that only go on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start_s: float | None = None
        self.timing = Timing()

    def start(self) -> None:
        """The request goes out, the first time or, whole, once more."""
        self._start_s = self._clock()
        self.timing = Timing()

    def uploaded(self) -> None:
        """The last piece of the request was handed to the network."""
        self.timing = replace(self.timing, upload_s=self._since_s())

    def answered(self) -> None:
        """The head of the answer is there."""
        self.timing = replace(self.timing, first_byte_s=self._since_s())

    def took(self, event: Event) -> None:
        """An event has come."""
        timing = self.timing
        if timing.first_event_s is None:
            timing = replace(timing, first_event_s=self._since_s())
        match event:
            case AudioChunk(pcm, _) if timing.first_sound_s is None and is_audible(pcm):
                timing = replace(timing, first_sound_s=self._since_s())
            case TranscriptChunk(text) | TextChunk(text) if text and timing.first_words_s is None:
                timing = replace(timing, first_words_s=self._since_s())
            case _:
                pass
        self.timing = timing

    def ended(self, tools_s: float | None = None) -> None:
        """The turn has come to its end; its tools ran for `tools_s`."""
        self.timing = replace(self.timing, total_s=self._since_s(), tools_s=tools_s)

    def _since_s(self) -> float | None:
        return None if self._start_s is None else self._clock() - self._start_s


def is_audible(pcm: bytes) -> bool:
    """Whether 16-bit sound has a sample above `AUDIBLE_DBFS`."""
    import numpy as np

    samples = np.frombuffer(pcm, "<i2", count=len(pcm) // 2)
    if not len(samples):
        return False
    return max(int(samples.max()), -int(samples.min())) > _AUDIBLE_PEAK
