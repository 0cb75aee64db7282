"""The table of contents of a cassette, for people. It is made of the exchanges' own files."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any, Final

from cellvoice.errors import UsageError

from ._exchange import VERSION, Exchange, read
from ._store import INDEX, Folder, Zip, exchange_name, write_whole

__all__ = ["Index", "exchanges_in", "table"]

_FORMAT: Final = "cellvoice cassette"
_WORDS_CHARS: Final = 200
_COLUMN_CHARS: Final = 36


def exchanges_in(store: Folder | Zip) -> list[Exchange]:
    """All exchanges, in the order in which they were asked. Raises UsageError for a new version."""
    _check_version(store)
    found = (read(number, store.read(name)) for number, name in store.exchanges().items())
    return [exchange for exchange in found if exchange is not None]


class Index:
    """Writes the index of a folder. Every exchange's file is read once."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[int, dict[str, Any]]] = {}

    def write(self) -> None:
        """Write the index anew. Raises OSError.

        Another process may record into the same folder: whoever writes last must have seen all.
        """
        with self._lock:
            while True:
                seen = self._folder.exchanges()
                entries = [self._entry(number, name) for number, name in seen.items()]
                write_whole(self._folder.path / INDEX, _json([one for one in entries if one]))
                if self._folder.exchanges() == seen:
                    return

    def _entry(self, number: int, name: str) -> dict[str, Any]:
        size = (self._folder.path / name).stat().st_size
        known = self._entries.get(name)
        if known is None or known[0] != size:
            exchange = read(number, self._folder.read(name))
            known = self._entries[name] = (size, _entry(exchange) if exchange else {})
        return known[1]


def table(exchanges: Sequence[Exchange]) -> str:
    """The exchanges as a table for the terminal."""
    head = ("no", "asked (UTC)", "model", "question", "answer", "end", "s")
    rows = [head, *(_row(exchange) for exchange in exchanges)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _json(entries: Sequence[dict[str, Any]]) -> bytes:
    index = {
        "format": _FORMAT,
        "version": VERSION,
        "about": "recorded questions and answers; docs/cassettes.md of cellvoice tells the format",
        "exchanges": entries,
    }
    return json.dumps(index, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def _entry(exchange: Exchange) -> dict[str, Any]:
    told = exchange.told
    sounds = [f"sound/{name}" for name in _sounds_asked(exchange)]
    entry: dict[str, Any] = {
        "file": exchange_name(exchange.number),
        "asked_at": exchange.asked_time,
        "model": exchange.model,
        "question": " ".join(exchange.asked.question),
        "question_sound": sounds,
        "answer": _short(str(told.get("words", "")), _WORDS_CHARS),
        "answer_sound": [f"sound/{name}" for name in _sounds_answered(exchange)],
        "speech_s": told.get("speech_s"),
        "tokens": told.get("tokens"),
        "status": exchange.status,
        "end": exchange.end,
        "seconds": round(exchange.end_s, 2),
    }
    return {name: value for name, value in entry.items() if value not in (None, [], "")}


def _row(exchange: Exchange) -> tuple[str, ...]:
    return (
        str(exchange.number),
        exchange.asked_time.replace("T", " ").removesuffix("Z"),
        exchange.model,
        _short(" ".join(exchange.asked.question), _COLUMN_CHARS),
        _short(str(exchange.told.get("words", "")), _COLUMN_CHARS),
        exchange.end if exchange.status in (None, 200) else f"{exchange.end}, {exchange.status}",
        f"{exchange.end_s:.1f}",
    )


def _sounds_asked(exchange: Exchange) -> list[str]:
    messages = exchange.asked.body.get("messages")
    return sorted(_names(messages[-1])) if isinstance(messages, list) and messages else []


def _sounds_answered(exchange: Exchange) -> list[str]:
    parts = (part for line in exchange.lines for part in line)
    return sorted({sound for part in parts if (sound := getattr(part, "sound", None))})


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = set().union(*(_names(item) for item in value.values()))
        return found | ({value["sound"]} if isinstance(value.get("sound"), str) else set())
    if isinstance(value, list):
        return set().union(*(_names(item) for item in value))
    return set()


def _short(text: str, most: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else f"{one_line[: most - 1]}…"


def _check_version(store: Folder | Zip) -> None:
    """Refuse a newer format also where its exchanges have other names than this one's."""
    try:
        index = json.loads(store.read(INDEX))
    except (UsageError, ValueError):
        return  # it can be made anew from the exchanges
    version = index.get("version") if isinstance(index, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise UsageError(
            f"the cassette {store.path} has format version {version}, this cellvoice reads up to "
            f"{VERSION}; update with pip install -U cellvoice"
        )
