"""Where in a JSON text the next byte stands, while the text is being written."""

from __future__ import annotations

import json
from typing import Literal

__all__ = ["Cursor", "Place"]

Place = Literal["key", "value", "after"]
_DIGITS = frozenset(b"+-.0123456789eEaflnrstu")


class Cursor:
    """Follows JSON without white space, byte by byte.

    `place` is "key" or "value" while one begins or is being written, else "after". `begun` is what
    of it is written. `keys` are the keys that lead here; `used` are those of each open object;
    `values` are the strings, numbers and words that are whole.
    """

    def __init__(self) -> None:
        self.place: Place = "value"
        self.begun = bytearray()
        self.keys: list[str] = []
        self.used: list[list[str]] = []
        self.values: list[str] = []
        self._open: list[str] = []
        self._in_string = False
        self._escaped = False

    @property
    def key(self) -> str:
        """The nearest key, or "" at the root."""
        return next((key for key in reversed(self.keys) if key), "")

    @property
    def in_list(self) -> bool:
        """Whether the innermost open container is a list."""
        return bool(self._open) and self._open[-1] == "["

    def feed(self, data: bytes) -> None:
        """More of the text."""
        for byte in data:
            self._feed(byte)

    def _feed(self, byte: int) -> None:
        if self._in_string:
            self._string(byte)
        elif byte == 0x22:
            self.begun.append(byte)
            self._in_string = True
        elif byte in b"{[":
            self._open.append(chr(byte))
            self.keys.append("")
            self.used.append([])
            self.place = "key" if byte == 0x7B else "value"
        elif byte in b"}]":
            self._ended()
            if self._open:
                self._open.pop()
                self.keys.pop()
                self.used.pop()
        elif byte == 0x2C:
            self._ended()
            self.place = "value" if self.in_list else "key"
        elif byte == 0x3A:
            self.begun.clear()
            self.place = "value"
        elif byte in _DIGITS:
            self.begun.append(byte)

    def _string(self, byte: int) -> None:
        self.begun.append(byte)
        if self._escaped:
            self._escaped = False
        elif byte == 0x5C:
            self._escaped = True
        elif byte == 0x22:
            self._in_string = False
            if self.place == "key":
                name = str(json.loads(bytes(self.begun)))
                self.keys[-1] = name
                self.used[-1].append(name)
            self._ended()

    def _ended(self) -> None:
        if self.begun and self.place == "value":
            self.values.append(self.begun.decode("utf-8", "replace"))
        self.begun.clear()
        self.place = "after"
