"""A reply on disk while it comes: its events in lines, its sound as it is.

`running/<turn id>.jsonl` has the events in their order, `running/<turn id>.pcm16` the samples that
they speak of; both only grow, so that wherever a process was killed, what is there can be read.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cellvoice.protocol import Reply, fold
from cellvoice.protocol.events import (
    AudioChunk,
    AudioExpiry,
    AudioStarted,
    EngineNamed,
    ErrorReceived,
    Event,
    FinishReason,
    Heartbeat,
    LogprobsChunk,
    OtherChoice,
    RefusalChunk,
    ReplyStarted,
    StreamDone,
    TextChunk,
    ToolCallChunk,
    TranscriptChunk,
    UsageReceived,
)
from cellvoice.protocol.usage import Usage

from ._errors import error_from, error_record
from ._layout import RUNNING, unlink_quietly
from ._lines import encoded, lines_in
from ._records import one_line

__all__ = ["Spool", "Spooled", "read_spool", "spool_ids"]

# What a power cut may cost at most; a killed process loses nothing that was written.
_SYNC_EVERY_S = 1.0
_TURN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_PLAIN: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (
        AudioExpiry,
        AudioStarted,
        EngineNamed,
        FinishReason,
        RefusalChunk,
        ReplyStarted,
        StreamDone,
        TextChunk,
        ToolCallChunk,
        TranscriptChunk,
    )
}


class Spool:
    """The files of one running reply. For one thread; raises OSError."""

    def __init__(self, folder: Path, turn_id: str) -> None:
        self._folder = folder / RUNNING
        self._name = turn_id
        self._unsynced: set[Path] = set()
        self._synced_s = time.monotonic()

    def sent(self, request: Mapping[str, object]) -> None:
        """What was asked, as far as it can be shown."""
        self._add("jsonl", encoded({"event": "sent", "request": request}) + b"\n")

    def append(self, events: Sequence[Event]) -> None:
        """Add some events. What was added is safe from the end of the process."""
        sounds: dict[int, bytearray] = {}
        lines: list[bytes] = []
        beats = 0
        for event in events:
            if isinstance(event, Heartbeat):
                beats += 1
                continue
            if beats:
                lines.append(encoded({"event": "Heartbeat", "count": beats}))
                beats = 0
            lines.append(encoded(_record(event, sounds)))
        if beats:
            lines.append(encoded({"event": "Heartbeat", "count": beats}))
        # The sound first: a line must not speak of samples that are not there.
        for index, pcm in sounds.items():
            self._add(_ending(index), bytes(pcm))
        self._add("jsonl", b"".join(line + b"\n" for line in lines))
        if time.monotonic() - self._synced_s >= _SYNC_EVERY_S:
            self._sync()

    def remove(self) -> None:
        """The turn is written: its files are not needed any more."""
        self._unsynced.clear()
        for path in _files_of(self._folder, self._name):
            unlink_quietly(path)

    def _add(self, ending: str, content: bytes) -> None:
        path = self._folder / f"{self._name}.{ending}"
        self._folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(content)
        self._unsynced.add(path)

    def _sync(self) -> None:
        for path in self._unsynced:
            handle = os.open(path, os.O_RDWR)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self._unsynced.clear()
        self._synced_s = time.monotonic()


class Spooled:
    """What was on disk of a reply: the reply itself, and the request it answers."""

    def __init__(self, reply: Reply, request: Mapping[str, Any] | None) -> None:
        self.reply = reply
        self.request = request


def spool_ids(folder: Path) -> set[str]:
    """The turns that have a reply on disk."""
    running = folder / RUNNING
    if not running.is_dir():
        return set()
    return {path.stem for path in running.glob("*.jsonl")}


def read_spool(folder: Path, turn_id: str) -> Spooled | None:
    """The reply as far as it is on disk, put together as it was when it came; None without one.

    Both files may end anywhere. Sound that no line speaks of yet belongs to the reply as well.
    """
    if not _TURN_ID.fullmatch(turn_id):
        return None
    running = folder / RUNNING
    sounds = {index: path.read_bytes() for index, path in _sound_files(running, turn_id)}
    reading = _Reading(sounds)
    request: Mapping[str, Any] | None = None
    try:
        for _, line in lines_in(running / f"{turn_id}.jsonl"):
            if line is None:
                continue
            if line.get("event") == "sent":
                told = line.get("request")
                request = told if isinstance(told, dict) else None
                # Another request of the same turn: what came before was not the end.
                reading.reply.done = False
            else:
                reading.take(line)
    except FileNotFoundError:
        if not sounds:
            return None
    reading.take_the_rest()
    return Spooled(reading.reply, request)


class _Reading:
    """Folds the lines again, each with its samples."""

    def __init__(self, sounds: dict[int, bytes]) -> None:
        self.reply = Reply()
        self._sounds = sounds
        self._used = dict.fromkeys(sounds, 0)
        self._rate_hz: dict[int, int] = {}

    def take(self, line: Mapping[str, Any]) -> None:
        if line.get("event") == "Heartbeat":
            self.reply.heartbeats += int(line.get("count", 1))
            return
        event = self._event(line, 0)
        if event is not None:
            fold(self.reply, event)

    def take_the_rest(self) -> None:
        for index, pcm in self._sounds.items():
            left = pcm[self._used[index] :]
            whole = left[: len(left) - len(left) % 2]
            if whole:
                chunk = AudioChunk(whole, self._rate_hz.get(index, self.reply.sample_rate_hz))
                fold(self.reply, chunk if index == 0 else OtherChoice(index, chunk))

    def _event(self, line: Mapping[str, Any], index: int) -> Event | None:
        name = line.get("event")
        try:
            if name == "AudioChunk":
                return self._chunk(int(line["bytes"]), int(line["sample_rate_hz"]), index)
            if name == "OtherChoice":
                inner = self._event(line["of"], int(line["index"]))
                return None if inner is None else OtherChoice(int(line["index"]), inner)
            return _event(name, line)
        except (KeyError, TypeError, ValueError, msgspec.MsgspecError):
            return None  # not a line of ours

    def _chunk(self, size: int, rate_hz: int, index: int) -> AudioChunk | None:
        self._rate_hz[index] = rate_hz
        start = self._used.get(index, 0)
        pcm = self._sounds.get(index, b"")[start : start + size]
        self._used[index] = start + len(pcm)
        return AudioChunk(pcm[: len(pcm) - len(pcm) % 2], rate_hz)


def _event(name: object, line: Mapping[str, Any]) -> Event | None:
    if name == "LogprobsChunk":
        return LogprobsChunk(encoded(line["of"]))
    if name == "UsageReceived":
        return UsageReceived(Usage.from_json(line["of"]))
    if name == "ErrorReceived":
        error = error_from(line["of"])
        return None if error is None else ErrorReceived(error)
    if name == "Heartbeat":
        return Heartbeat()
    kind = _PLAIN.get(str(name))
    if kind is None:
        return None
    event: Event = msgspec.convert(line["of"], kind)
    return event


def _record(event: Event, sounds: dict[int, bytearray], index: int = 0) -> dict[str, object]:
    match event:
        case AudioChunk(pcm, sample_rate_hz):
            sounds.setdefault(index, bytearray()).extend(pcm)
            return {"event": "AudioChunk", "bytes": len(pcm), "sample_rate_hz": sample_rate_hz}
        case LogprobsChunk(raw):
            return {"event": "LogprobsChunk", "of": one_line(raw)}
        case UsageReceived(usage):
            return {"event": "UsageReceived", "of": usage.to_json()}
        case ErrorReceived(error):
            return {"event": "ErrorReceived", "of": error_record(error)}
        case OtherChoice(other, inner):
            return {"event": "OtherChoice", "index": other, "of": _record(inner, sounds, other)}
        case Heartbeat():
            return {"event": "Heartbeat", "count": 1}
        case _:
            return {"event": type(event).__name__, "of": msgspec.structs.asdict(event)}


def _ending(index: int) -> str:
    return "pcm16" if index == 0 else f"{index}.pcm16"


def _sound_files(running: Path, turn_id: str) -> list[tuple[int, Path]]:
    found: list[tuple[int, Path]] = []
    for path in _files_of(running, turn_id):
        ending = path.name.removeprefix(f"{turn_id}.")
        if ending == "pcm16":
            found.append((0, path))
        elif ending.endswith(".pcm16") and ending.removesuffix(".pcm16").isdigit():
            found.append((int(ending.removesuffix(".pcm16")), path))
    return found


def _files_of(running: Path, turn_id: str) -> list[Path]:
    if not running.is_dir():
        return []
    return sorted(path for path in running.iterdir() if path.name.startswith(f"{turn_id}."))
