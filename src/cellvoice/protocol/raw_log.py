"""What came over the wire for one turn, kept while it comes: bounded, without its sound.

Nothing is decoded here, because most turns are never looked at. `raw_events.py` reads it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ._sound_words import HEAD_LETTERS

__all__ = ["RawBatch", "RawLog", "RawPart", "RawPayload", "SoundCut", "without_sound"]

# A minute of gpt-audio's speech is 2,000 events, 0.5 MB beside the 2.9 MB of its samples: nearly
# all of it is kept, and of longer replies what says most, the beginning and the end.
_HEAD_BYTES: Final = 262_144
_TAIL_BYTES: Final = 262_144
# What Python adds to the bytes of an event.
_EVENT_BYTES: Final = 64
# No event with sound in it is as short as this, and most events without are.
_SHORT_BYTES: Final = 512
# What comes at once and is larger is kept, and left out, a few events at a time.
_BATCH_BYTES: Final = 32_768
_BATCH_EVENTS: Final = 8
_MOST_PART_BYTES: Final = 32_768
_SOUND: Final = b'"data":"'
# No payload begins so.
_NEVER: Final = b"\n"
_SOUND_BEGINS: Final = re.compile(rb'"data"\s*:\s*"(?=[A-Za-z0-9+/=]{64})')
# A `data:` address, and the text of those who send their sound as text, where only what is too
# long for a word can be sound.
_RARE_SOUND: Final = re.compile(
    rb';base64,([A-Za-z0-9+/]{16,}={0,2})|"content"\s*:\s*"([A-Za-z0-9+/]{1024,}={0,2})'
)


# Plain tuples, because they are made while a reply streams.
# In the place of base64: how it began, how many letters it had, whether it was all of a sound.
SoundCut = tuple[bytes, int, bool]
# An int is how many bytes were left out of what was too long.
RawPart = bytes | SoundCut | int
# The payload of a `data:` line or a body: as it came, or in parts where something was taken out.
RawPayload = bytes | tuple[RawPart, ...]
# What came at once: when by the log's clock, in answer to which request, the status of a refusal or
# None, the payloads, and how many bytes of them are kept.
RawBatch = tuple[float, int, int | None, Sequence[RawPayload], int]


class RawLog:
    """Keeps what comes. `clock` gives seconds that only go on; `round` is the request's, from 1.

    At most about 0.5 MB: beyond that the middle is left out and counted. `take` is for one thread,
    everything else may be read from any.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._head: list[RawBatch] = []
        self._tail: deque[RawBatch] = deque()
        self._head_bytes = self._tail_bytes = 0
        # What the events with sound of a reply have before it, which is the same in nearly all.
        self._before_sound = _NEVER
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
        at_s, size_bytes = self._clock(), sum(map(len, payloads))
        kept: Sequence[RawPayload] = payloads
        if sounds:
            kept, size_bytes = self._without_sounds(payloads, iter(sounds))
        if size_bytes <= _BATCH_BYTES:
            self._keep((at_s, self.round, None, kept, size_bytes))
            return
        for start in range(0, len(kept), _BATCH_EVENTS):
            some = kept[start : start + _BATCH_EVENTS]
            size_bytes = sum(map(_held_bytes, some))
            if size_bytes > _MOST_PART_BYTES:
                some = [_shortened(one) for one in some]
                size_bytes = sum(map(_held_bytes, some))
            self._keep((at_s, self.round, None, some, size_bytes))

    def take_body(self, parts: Sequence[RawPart], status: int | None = None) -> None:
        """The body of an answer that was no stream has come, whole or cut."""
        cut = [one for part in parts for one in _parts(part)]
        kept = _shortened(tuple(cut))
        self._keep((self._clock(), self.round, status, [kept], _held_bytes(kept)))

    def batches(self) -> tuple[list[RawBatch], list[RawBatch], int]:
        """The first ones, the last ones, and how many events there were between them."""
        head, tail = list(self._head), list(self._tail)
        return head, tail, self.left_out

    def _without_sounds(
        self, payloads: Sequence[bytes], sounds: Iterator[int]
    ) -> tuple[list[RawPayload], int]:
        """Some payloads without their sound, and how many bytes that leaves."""
        kept: list[RawPayload] = []
        cut_letters, before = 0, self._before_sound
        for payload in payloads:
            if len(payload) <= _SHORT_BYTES:
                kept.append(payload)
                continue
            begin, letters = len(before), next(sounds, 0)
            end = begin + letters
            # The service's own form: all up to the sound is as before, little comes after it.
            if payload.startswith(before) and payload[end : end + 2] == b'"}' and letters > 64:
                head = (payload[begin : begin + HEAD_LETTERS], letters, False)
                kept.append((before, head, payload[end:]))
                cut_letters += letters
                continue
            before = payload[: payload.find(_SOUND) + len(_SOUND)]
            parts = without_sound(payload)
            kept.append(parts)
            cut_letters += len(payload) - _held_bytes(parts)
        self._before_sound = before
        return kept, sum(map(len, payloads)) - cut_letters

    def _keep(self, batch: RawBatch) -> None:
        size_bytes = batch[4] + _EVENT_BYTES * len(batch[3])
        if self._head_bytes < _HEAD_BYTES:
            self._head_bytes += size_bytes
            self._head.append(batch)
            return
        tail = self._tail
        self._tail_bytes += size_bytes
        tail.append(batch)
        while self._tail_bytes > _TAIL_BYTES:
            gone = tail.popleft()
            self._tail_bytes -= gone[4] + _EVENT_BYTES * len(gone[3])
            self.left_out += len(gone[3])


def without_sound(payload: bytes) -> tuple[RawPart, ...]:
    """A payload in parts, all that looks like sound taken out."""
    parts: list[RawPart] = []
    start = 0
    for pattern in (_SOUND_BEGINS, _RARE_SOUND):
        for found in pattern.finditer(payload, start):
            begin = found.start(found.lastindex) if found.lastindex else found.end()
            end = payload.find(b'"', begin)
            end = len(payload) if end < 0 else end  # the connection ended inside the sound
            parts += [
                payload[start:begin],
                (payload[begin : begin + HEAD_LETTERS], end - begin, False),
            ]
            start = end
        if parts:
            break
    return (*parts, payload[start:]) if parts else (payload,)


def _parts(part: RawPart) -> tuple[RawPart, ...]:
    return without_sound(part) if isinstance(part, bytes) else (part,)


def _shortened(payload: RawPayload) -> RawPayload:
    """A payload without the middle of what is far too long."""
    given = (payload,) if isinstance(payload, bytes) else payload
    if all(_part_bytes(part) <= _MOST_PART_BYTES for part in given):
        return payload
    half, parts = _MOST_PART_BYTES // 2, list[RawPart]()
    for part in given:
        if isinstance(part, bytes) and len(part) > _MOST_PART_BYTES:
            parts += [part[:half], len(part) - 2 * half, part[-half:]]
        else:
            parts.append(part)
    return tuple(parts)


def _held_bytes(payload: RawPayload) -> int:
    return len(payload) if isinstance(payload, bytes) else sum(map(_part_bytes, payload))


def _part_bytes(part: RawPart) -> int:
    return len(part) if isinstance(part, bytes) else HEAD_LETTERS
