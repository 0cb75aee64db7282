"""A file of JSON lines that only grows, and is readable wherever it was cut."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["LineFile", "encoded", "lines_in"]

Line = dict[str, Any]


class LineFile:
    """Appends lines. A line that was not written whole is taken back, or cut off at the next open.

    For one thread; every method raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._checked = False

    def append(self, line: bytes, *, sync: bool = True) -> None:
        """Add one line, without its end; with `sync` it is on the disk when this returns."""
        if not self._checked:
            _mend(self.path)
            self._checked = True
        with self.path.open("ab", buffering=0) as file:
            start = file.seek(0, os.SEEK_END)
            try:
                _write_all(file.fileno(), line + b"\n")
                if sync:
                    os.fsync(file.fileno())
            except OSError:
                # Half a line would spoil the next one.
                _cut_back(self.path, start)
                self._checked = False
                raise


def encoded(record: Mapping[str, object]) -> bytes:
    """One line of JSON, in UTF-8, without its end. `msgspec.Raw` is taken as it is."""
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        # Half a surrogate pair, which no file can hold: somebody cut a text in the middle.
        return msgspec.json.encode(_storable(record))


def lines_in(path: Path) -> Iterator[tuple[int, Line | None]]:
    """The lines with their numbers from 1; None for one that is no JSON object.

    A last line that was cut is not told; one that is whole but for its end is. Raises OSError.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = _parsed(raw)
            if line is None and not raw.endswith(b"\n"):
                return
            if line is not None or raw.strip():
                yield number, line


def _parsed(raw: bytes) -> Line | None:
    try:
        # Python's own reader takes also what msgspec refuses, such as half a surrogate pair.
        found = json.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _mend(path: Path) -> None:
    """Take away a last line that was cut, or give a whole one the end that it lacks."""
    try:
        content_bytes = path.stat().st_size
    except FileNotFoundError:
        return
    with path.open("r+b") as file:
        start = _start_of_last_line(file.fileno(), content_bytes)
        if start == content_bytes:
            return
        file.seek(start)
        if _parsed(file.read()) is not None:
            file.write(b"\n")
        else:
            file.truncate(start)


def _start_of_last_line(handle: int, content_bytes: int) -> int:
    """Where the text after the last line's end begins."""
    end = content_bytes
    while end > 0:
        start = max(end - 65_536, 0)
        os.lseek(handle, start, os.SEEK_SET)
        found = os.read(handle, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _write_all(handle: int, content: bytes) -> None:
    left = memoryview(content)
    # A disk that is almost full takes a part, and refuses the next one.
    while left:
        left = left[os.write(handle, left) :]


def _cut_back(path: Path, size: int) -> None:
    try:
        os.truncate(path, size)
    except OSError:
        pass  # the disk says no to everything; the next open mends it


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(item) for item in value]
    return value
