"""A call that the model made: what it asked for, what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from cellvoice.protocol import mask_keys

from .safe_html import safe_html

__all__ = ["CallState", "ToolCall"]

CallState = Literal["waiting", "running", "done", "failed", "rejected"]

_STATES = ("waiting", "running", "done", "failed", "rejected")
_HASH_CHARS = 16


class ToolCall:
    """One call of a tool in a turn; it changes while the turn runs, and may be read at any time.

    `arguments` are what the model wrote, or what a person changed them to; empty if that is no
    JSON object, which `arguments_text` then shows. `result` is what the tool returned,
    `result_text` what the model was told of it. `error` says why there is no result, or is None.
    `asked_s`, `started_s` and `ended_s` are seconds since the turn's first request was sent, None
    for what has not happened. `round` counts the requests of the turn from 1. `hash` stands for
    the name and the arguments: a decision about a call holds for these only.
    """

    __slots__ = (
        "_changed",
        "_parsed",
        "arguments_text",
        "asked_s",
        "ended_s",
        "error",
        "hash",
        "id",
        "name",
        "progress",
        "result",
        "result_html",
        "result_text",
        "round",
        "started_s",
        "state",
    )

    def __init__(
        self,
        call_id: str,
        name: str,
        arguments_text: str,
        *,
        in_round: int,
        asked_s: float | None,
    ) -> None:
        self.id = call_id
        self.name = name
        self.arguments_text = arguments_text
        self.round = in_round
        self.asked_s = asked_s
        self.started_s: float | None = None
        self.ended_s: float | None = None
        self.state: CallState = "waiting"
        self.result: object = None
        self.result_text: str | None = None
        self.result_html: str | None = None
        self.error: str | None = None
        self.progress = ""
        self._changed = False
        self._parsed = _object_of(arguments_text)
        self.hash = _hash(name, self._parsed, arguments_text)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments; a copy."""
        return dict(self._parsed or {})

    @property
    def is_object(self) -> bool:
        """Whether the arguments are a JSON object at all."""
        return self._parsed is not None

    @property
    def was_changed(self) -> bool:
        """Whether a person ran it with other arguments than the model's."""
        return self._changed

    @property
    def seconds(self) -> float | None:
        """How long the tool ran, or None if it has not ended."""
        if self.started_s is None or self.ended_s is None:
            return None
        return self.ended_s - self.started_s

    def change(self, arguments: Mapping[str, object]) -> None:
        """Run it with these instead; the text that the model wrote stays."""
        if dict(arguments) == self._parsed:
            return
        self._parsed = dict(arguments)
        self._changed = True
        self.hash = _hash(self.name, self._parsed, self.arguments_text)

    def to_json(self) -> dict[str, object]:
        """The form that a card and the journal have of it."""
        return {
            "id": self.id,
            "name": self.name,
            "arguments": _masked(self._parsed),
            "arguments_text": mask_keys(self.arguments_text),
            "state": self.state,
            "result": None if self.result_text is None else mask_keys(self.result_text),
            "result_html": self.result_html,
            "error": None if self.error is None else mask_keys(self.error),
            "asked_s": _rounded(self.asked_s),
            "started_s": _rounded(self.started_s),
            "ended_s": _rounded(self.ended_s),
            "round": self.round,
            "hash": self.hash,
            "changed": self._changed,
            "progress": mask_keys(self.progress),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ToolCall:
        """A call as the journal has it; its result is the text that the model was told."""
        call = cls(
            str(record.get("id") or ""),
            str(record.get("name") or ""),
            str(record.get("arguments_text") or ""),
            in_round=_whole(record.get("round")),
            asked_s=_number(record.get("asked_s")),
        )
        if record.get("changed") and isinstance(record.get("arguments"), dict):
            call.change(record["arguments"])
        call.started_s = _number(record.get("started_s"))
        call.ended_s = _number(record.get("ended_s"))
        state = record.get("state")
        call.state = state if state in _STATES else "failed"
        call.result = call.result_text = _text(record.get("result"))
        shown = _text(record.get("result_html"))
        call.result_html = None if shown is None else safe_html(shown)
        call.error = _text(record.get("error"))
        return call

    def __repr__(self) -> str:
        told = f", {self.error}" if self.error else ""
        return f"<ToolCall {self.shown()} {self.state}{told}>"

    def shown(self, letters: int = 80) -> str:
        """`weather(city='Lyon')`, not longer than so many letters."""
        given = ", ".join(f"{name}={value!r}" for name, value in (self._parsed or {}).items())
        inside = given if self._parsed is not None else self.arguments_text
        text = f"{self.name}({inside})"
        return text if len(text) <= letters else f"{text[: letters - 2]}…)"


def _object_of(text: str) -> dict[str, Any] | None:
    # A function without parameters is called with nothing at all by some servers.
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _hash(name: str, arguments: Mapping[str, Any] | None, text: str) -> str:
    said = text if arguments is None else json.dumps(_ready(arguments), sort_keys=True)
    return hashlib.sha256(f"{name}\0{said}".encode(errors="replace")).hexdigest()[:_HASH_CHARS]


def _ready(arguments: Mapping[str, Any] | None) -> dict[str, object] | None:
    """The arguments as JSON has them; a person may have put other objects in."""
    if arguments is None:
        return None
    found: dict[str, object] = json.loads(json.dumps(arguments, default=str))
    return found


def _masked(arguments: Mapping[str, Any] | None) -> object:
    return None if arguments is None else json.loads(mask_keys(json.dumps(_ready(arguments))))


def _rounded(value_s: float | None) -> float | None:
    return None if value_s is None else round(value_s, 3)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 1


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
