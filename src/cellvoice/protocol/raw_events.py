"""What came over the wire for one turn, to look at: event by event, sound as its length."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, SupportsIndex, overload

from ._json import NotJSON, decode
from ._sound_words import SoundNamer
from .fault import mask_keys
from .raw_log import MARK, RawLog, without_sound

__all__ = ["RawEvent", "RawEvents", "raw_events"]

_SHOWN_EVENTS: Final = 24
_SHOWN_LETTERS: Final = 96


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event as it came: the text of its `data:` line, or a whole body that was no stream.

    `at_s` is in seconds since the turn's first request was sent, `round` says which of its requests
    it answers, from 1. `status` is the HTTP status of an answer that was a refusal, else None.
    `size_bytes` is what came; in `text` sound is only named, as in ⟨pcm16 0.35 s⟩, keys are masked,
    and the middle of what is longer than 32 kB is left out.
    """

    at_s: float
    round: int
    text: str
    size_bytes: int
    status: int | None = None

    @property
    def data(self) -> Any:
        """The text as JSON, decoded anew each time; None for what is none, such as `[DONE]`."""
        try:
            return decode(self.text.encode("utf-8", "replace"))
        except NotJSON:
            return None

    def to_json(self) -> dict[str, object]:
        """The form that a page is sent."""
        return {
            "at_s": round(self.at_s, 4),
            "round": self.round,
            "status": self.status,
            "size_bytes": self.size_bytes,
            "text": self.text,
        }


class RawEvents(Sequence[RawEvent]):
    """The events of a turn in the order in which they came, as they were when it was asked for.

    About 0.8 MB of a turn is kept, which is a minute of speech: of a longer one the first and the
    last events. `left_out` is how many are missing, `left_out_at` the index before which they were.
    """

    def __init__(
        self, events: Iterable[RawEvent] = (), *, left_out: int = 0, left_out_at: int | None = None
    ) -> None:
        self._events = tuple(events)
        self.left_out = left_out
        self.left_out_at = left_out_at if left_out else None

    @overload
    def __getitem__(self, at: SupportsIndex) -> RawEvent: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[RawEvent, ...]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> RawEvent | tuple[RawEvent, ...]:
        return self._events[at]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[RawEvent]:
        return iter(self._events)

    def of_round(self, number: int) -> tuple[RawEvent, ...]:
        """The answers to one of the turn's requests, from 1."""
        return tuple(event for event in self._events if event.round == number)

    def to_json(self) -> dict[str, object]:
        """All of it in the form that a page is sent."""
        return {
            "events": [event.to_json() for event in self._events],
            "left_out": self.left_out,
            "left_out_at": self.left_out_at,
        }

    def __repr__(self) -> str:
        if not self._events:
            return "<RawEvents: none>"
        first = next((event.text for event in self._events if event.status is None), "")
        lines = [_line(event, first) for event in self._events[:_SHOWN_EVENTS]]
        rest = len(self._events) - len(lines)
        if rest:
            lines.append(f"… {rest:,} more")
        if self.left_out:
            lines.append(f"{self.left_out:,} events in the middle were not kept")
        return "\n".join(lines)


def raw_events(log: RawLog, hide: Callable[[str], str] = str) -> RawEvents:
    """What a log has kept, readable; `hide` takes the session's own secrets out of a text."""
    head, tail, left_out = log.batches()
    zero_s = log.zero_s or 0.0
    found: list[RawEvent] = []
    answers = groupby([*head, *tail], key=lambda batch: (batch[1], batch[2]))
    for (number, status), batches in answers:
        namer = SoundNamer()
        for at_s, _, _, payloads in batches:
            for payload in payloads:
                text, size_bytes = _told(payload, namer)
                text = _masked(hide(text))
                found.append(RawEvent(at_s - zero_s, number, text, size_bytes, status))
    return RawEvents(found, left_out=left_out, left_out_at=sum(len(batch[3]) for batch in head))


def _told(payload: bytes, namer: SoundNamer) -> tuple[str, int]:
    """A payload as text, and how many bytes it had."""
    payload = without_sound(payload)
    taken_bytes = 0

    def named(mark: re.Match[bytes]) -> bytes:
        nonlocal taken_bytes
        head, amount, kind = mark[1], int(mark[2]), mark[3]
        taken_bytes += amount - len(mark[0])
        if kind == b"x":
            return f"⟨{amount:,} bytes left out⟩".encode()
        return namer.name(head, amount, whole=kind == b"w").encode()

    text = MARK.sub(named, payload).decode("utf-8", "replace")
    return text, len(payload) + taken_bytes


def _masked(text: str) -> str:
    """The text without keys; JSON stays JSON, whose quotes a mask over all of it might swallow."""
    hidden = mask_keys(text)
    if hidden == text:
        return text
    try:
        found = decode(text.encode("utf-8", "replace"))
    except NotJSON:
        return hidden
    return json.dumps(_masked_value(found), ensure_ascii=False, separators=(",", ":"))


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask_keys(value)
    if isinstance(value, list):
        return [_masked_value(one) for one in value]
    if isinstance(value, dict):
        return {mask_keys(name): _masked_value(one) for name, one in value.items()}
    return value


def _line(event: RawEvent, first: str) -> str:
    """One event, without what it has in common with the first one: an id, a model, a date."""
    pairs = enumerate(zip(event.text, first, strict=False))
    same = 0 if event.text is first else next((at for at, (a, b) in pairs if a != b), len(first))
    begin = event.text.rfind(",", 0, same) + 1
    shown = f"{'…' if begin else ''}{event.text[begin : begin + 2 * _SHOWN_LETTERS]}"
    text = " ".join(shown.split())
    short = text if len(text) <= _SHOWN_LETTERS else f"{text[: _SHOWN_LETTERS - 1]}…"
    status = f"{event.status} " if event.status is not None else ""
    return f"{event.at_s:8.3f} s  {event.round}  {event.size_bytes:>7,} B  {status}{short}"
