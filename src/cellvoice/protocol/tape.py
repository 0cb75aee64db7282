"""Recorded bytes of a reply as lines to read: text as it is, sound by reference.

`taken_apart(body)` gives the lines and the sounds, `put_together` the same bytes again. It does not
understand the protocol: whatever stands in a place where servers put base64 and decodes to the
letter is sound, everything else is text, so that no byte can be lost to a wrong guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pybase64

from .taped_sound import PCM16, Payload, StoredSound, stored

__all__ = ["Line", "Part", "SoundPart", "Taken", "put_together", "taken_apart"]

# `data` of gpt-audio; a `data:` address; the text of those who send their sound as text, where only
# what is too long for a word can be sound.
_RUN: Final = re.compile(
    rb'(?:"data"\s*:\s*"|;base64,)([A-Za-z0-9+/]{16,}={0,2})'
    rb'|"content"\s*:\s*"([A-Za-z0-9+/]{1024,}={0,2})'
)
_EVENT_END: Final = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class SoundPart:
    """The base64 of `head`, then bytes `start` to `end` of the sound named, then `tail`."""

    sound: str
    start: int
    end: int
    head: bytes = b""
    tail: bytes = b""


# Text is what is valid UTF-8; bytes are what is not.
Part = str | bytes | SoundPart
Line = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A body in lines, one an event, and the sounds that they name."""

    lines: tuple[Line, ...]
    sounds: tuple[StoredSound, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    start: int
    end: int
    payload: Payload


def taken_apart(body: bytes, *, streamed: bool) -> Taken:
    """Split a body into text and sound. The pieces of a stream are joined to one sound."""
    runs = list(_runs(body))
    raw: dict[str, bytes] = {}
    parts, sounds = _joined(runs, raw) if streamed else _each(runs, raw)
    lines: list[Line] = []
    start = 0
    for end in _line_ends(body):
        line: list[Part] = []
        while runs and runs[0].end <= end:
            run = runs.pop(0)
            line += [*_text(body[start : run.start]), parts.pop(0)]
            start = run.end
        lines.append((*line, *_text(body[start:end])))
        start = end
    if put_together(lines, raw.__getitem__) != body:
        return Taken((_text(body),), ())  # a recording must not suffer from a fault in here
    return Taken(tuple(lines), sounds)


def put_together(lines: Iterable[Line], sound: Callable[[str], bytes]) -> bytes:
    """The bytes of these lines; `sound` gives the samples of a name."""
    return b"".join(_bytes(part, sound) for line in lines for part in line)


def _runs(body: bytes) -> Iterator[_Run]:
    for match in _RUN.finditer(body):
        start, end = match.span(match.lastindex or 0)
        if not match[0].endswith(b"="):
            end -= (end - start) % 4  # a piece may stop inside a group; the rest stays text
        text = body[start:end]
        try:
            data = pybase64.b64decode(text, validate=True)
        except ValueError:
            continue
        # Bits that no byte takes part in may be set in the text and would be lost.
        if data and pybase64.b64encode(data) == text:
            yield _Run(start, end, Payload.of(data))


def _joined(runs: list[_Run], raw: dict[str, bytes]) -> tuple[list[Part], tuple[StoredSound, ...]]:
    """One sound of all runs: a container's if it begins as one, else their samples."""
    if not runs:
        return [], ()
    first = runs[0].payload
    if first.kind != PCM16:
        payloads = [_whole(run.payload, first.kind) for run in runs]
    else:
        payloads = [
            run.payload if run.payload.kind == PCM16 else _whole(run.payload, PCM16) for run in runs
        ]
    joined = b"".join(payload.sound for payload in payloads)
    odd = b""
    if first.kind == PCM16 and len(joined) % 2:
        joined, odd = joined[:-1], joined[-1:]
    kept = stored(joined, first.kind, first.sample_rate_hz)
    raw[kept.name] = joined
    parts: list[Part] = []
    start = 0
    for payload in payloads:
        end = start + len(payload.sound)
        # Only the last byte of the last sound can lie past the end.
        rest = odd if end > len(joined) else b""
        parts.append(
            SoundPart(kept.name, start, min(end, len(joined)), payload.head, rest + payload.tail)
        )
        start = end
    return parts, (kept,)


def _each(runs: list[_Run], raw: dict[str, bytes]) -> tuple[list[Part], tuple[StoredSound, ...]]:
    """A sound for every run."""
    parts: list[Part] = []
    sounds: dict[str, StoredSound] = {}
    for run in runs:
        (part,), (kept,) = _joined([run], raw)
        parts.append(part)
        sounds[kept.name] = kept
    return parts, tuple(sounds.values())


def _whole(payload: Payload, kind: str) -> Payload:
    return Payload(kind, 0, b"", payload.head + payload.sound + payload.tail, b"")


def _line_ends(body: bytes) -> list[int]:
    ends = [match.end() for match in _EVENT_END.finditer(body)]
    return ends if ends and ends[-1] == len(body) else [*ends, len(body)]


def _text(data: bytes) -> Line:
    if not data:
        return ()
    try:
        return (data.decode("utf-8"),)
    except UnicodeDecodeError:
        return (data,)


def _bytes(part: Part, sound: Callable[[str], bytes]) -> bytes:
    if isinstance(part, str):
        return part.encode("utf-8")
    if isinstance(part, bytes):
        return part
    found = part.head + sound(part.sound)[part.start : part.end] + part.tail
    return pybase64.b64encode(found)
