"""What came over the wire for one turn, kept while it comes: bounded, without its sound.

Nothing is decoded here, because most turns are never looked at. `raw_events.py` reads it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ._sound_words import HEAD_LETTERS

__all__ = ["MARK", "RawBatch", "RawLog", "sound_mark", "without_sound"]

# A minute of gpt-audio's speech is 2,000 events, 0.7 MB beside the 2.9 MB of its samples. All of it
# is kept, and of longer replies what says most, the beginning and the end.
_HEAD_BYTES: Final = 393_216
_TAIL_BYTES: Final = 393_216
# What Python adds to the bytes of an event.
_EVENT_BYTES: Final = 64
# No event with sound in it is as short as this, and most events without are.
_SHORT_BYTES: Final = 512
# What comes at once and is larger is kept, and left out, a few events at a time.
_BATCH_BYTES: Final = 32_768
_MOST_EVENT_BYTES: Final = 32_768
_SOUND_BEGINS: Final = re.compile(rb'"data"\s*:\s*"(?=[A-Za-z0-9+/=]{64})')
# A `data:` address, and the text of those who send their sound as text, where only what is too
# long for a word can be sound.
_RARE_SOUND: Final = re.compile(
    rb';base64,([A-Za-z0-9+/]{16,}={0,2})|"content"\s*:\s*"([A-Za-z0-9+/]{1024,}={0,2})'
)
# In the place of what was taken out, between two NULs, which no JSON has: the first letters of a
# sound (none: it goes on as the one before), how many bytes there were, and what it was, `p` a
# piece of sound, `w` the whole of one, `x` the middle of an event that is too long.
MARK: Final = re.compile(rb"\0([A-Za-z0-9+/=]*):(\d{1,12}):([pwx])\0")

# What came at once: when by the log's clock, in answer to which request, the status of a refusal or
# None, and the payloads. A plain tuple, because they are made while a reply streams.
RawBatch = tuple[float, int, int | None, Sequence[bytes]]


class RawLog:
    """Keeps what comes. `clock` gives seconds that only go on; `round` is the request's, from 1.

    At most about 0.8 MB: beyond that the middle is left out and counted. `take` is for one thread,
    everything else may be read from any.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._head: list[RawBatch] = []
        self._tail: deque[RawBatch] = deque()
        self._head_bytes = self._tail_bytes = 0
        # The newest event with sound: how long the sound and the whole were, what stood before and
        # after it, and what is kept of it. Nearly all of a reply are alike.
        self._newest = (-1, 0, b"", b"", b"")
        self.zero_s: float | None = None
        self.round = 1
        self.left_out = 0

    def sent(self, round_: int) -> None:
        """A request goes out; the first one is where time begins."""
        self.round = round_
        if self.zero_s is None:
            self.zero_s = self._clock()

    def take(self, payloads: Sequence[bytes], sounds: Sequence[int]) -> None:
        """The bodies of some `data:` lines have come.

        `sounds`: how many letters of base64 the pieces of sound among them have, in their order,
        as far as it is known.
        """
        at_s = self._clock()
        if sounds:
            payloads = self._without_sounds(payloads, iter(sounds))
        size_bytes = sum(map(len, payloads))
        if size_bytes <= _BATCH_BYTES:
            self._keep((at_s, self.round, None, payloads), size_bytes)
            return
        if max(map(len, payloads)) > _MOST_EVENT_BYTES:
            payloads = [_shortened(one) for one in payloads]
        step = 1 + len(payloads) * _BATCH_BYTES // size_bytes
        for start in range(0, len(payloads), step):
            some = payloads[start : start + step]
            self._keep((at_s, self.round, None, some), sum(map(len, some)))

    def take_body(self, body: bytes, status: int | None = None) -> None:
        """The body of an answer that was no stream has come, whole or cut."""
        kept = _shortened(without_sound(body))
        self._keep((self._clock(), self.round, status, [kept]), len(kept))

    def batches(self) -> tuple[list[RawBatch], list[RawBatch], int]:
        """The first ones, the last ones, and how many events there were between them."""
        head, tail = list(self._head), list(self._tail)
        return head, tail, self.left_out

    def _without_sounds(self, payloads: Sequence[bytes], sounds: Iterator[int]) -> list[bytes]:
        kept: list[bytes] = []
        keep, short_bytes = kept.append, _SHORT_BYTES
        known, size_bytes, before, after, held = self._newest
        for payload in payloads:
            if len(payload) <= short_bytes:
                keep(payload)
                continue
            letters = next(sounds, 0)
            # As the one before but for its sound, which has no quotes: its length is the reader's.
            if (
                letters == known
                and len(payload) == size_bytes
                and payload.startswith(before)
                and payload.endswith(after)
            ):
                keep(held)
                continue
            keep(without_sound(payload))
            found = _SOUND_BEGINS.search(payload)
            end = found.end() + letters if found is not None else 0
            ends_there = letters > HEAD_LETTERS and payload[end : end + 1] == b'"'
            # What follows is short, or it might be another sound.
            if ends_there and len(payload) - end < short_bytes:
                known, size_bytes = letters, len(payload)
                before, after = payload[: end - letters], payload[end:]
                held = before + sound_mark(b"", letters) + after
        self._newest = (known, size_bytes, before, after, held)
        return kept

    def _keep(self, batch: RawBatch, size_bytes: int) -> None:
        size_bytes += _EVENT_BYTES * len(batch[3])
        if self._head_bytes < _HEAD_BYTES:
            self._head_bytes += size_bytes
            self._head.append(batch)
            return
        tail = self._tail
        self._tail_bytes += size_bytes
        tail.append(batch)
        while self._tail_bytes > _TAIL_BYTES and len(tail) > 1:
            gone = tail.popleft()
            self._tail_bytes -= sum(map(len, gone[3])) + _EVENT_BYTES * len(gone[3])
            self.left_out += len(gone[3])


def sound_mark(head: bytes, letters: int, *, whole: bool = False) -> bytes:
    """What stands for so many letters of base64 that begin with `head`."""
    return b"\0%b:%d:%b\0" % (head[:HEAD_LETTERS], letters, b"w" if whole else b"p")


def without_sound(payload: bytes) -> bytes:
    """A payload with a mark in the place of all that looks like sound."""
    for pattern in (_SOUND_BEGINS, _RARE_SOUND):
        parts: list[bytes] = []
        start = 0
        for found in pattern.finditer(payload):
            begin = found.start(found.lastindex) if found.lastindex else found.end()
            end = payload.find(b'"', begin)
            end = len(payload) if end < 0 else end  # the connection ended inside the sound
            head = payload[begin : begin + HEAD_LETTERS]
            parts += [payload[start:begin], sound_mark(head, end - begin)]
            start = end
        if parts:
            payload = b"".join([*parts, payload[start:]])
    return payload


def _shortened(payload: bytes) -> bytes:
    """A payload without the middle of what is far too long."""
    middle_bytes = len(payload) - _MOST_EVENT_BYTES
    if middle_bytes <= 0:
        return payload
    half = _MOST_EVENT_BYTES // 2
    return payload[:half] + b"\0:%d:x\0" % middle_bytes + payload[-half:]
