"""The messages of requests, each written once: every request repeats those of the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cellvoice.errors import UsageError
from cellvoice.protocol import Request

from ._lines import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KeptRequest", "MessageTable"]

_HASH_CHARS = 16
_LOST: Mapping[str, object] = {"role": "unknown", "content": "⟨this message was lost⟩"}


class KeptRequest(Request):
    """A request as the journal keeps it: to be read, not sent, because its sound is described."""

    def to_dict(self) -> dict[str, object]:
        """As `described`: what is kept of the request has no sound in it."""
        return self.described()

    def described(self) -> dict[str, object]:
        """The request to look at, sound shown as `⟨wav 4.2 s⟩`."""
        return {"model": self.model, "messages": list(self.messages), **self.params}

    def pieces(self) -> Iterator[bytes]:
        """Raises UsageError: there is nothing that could be sent."""
        raise UsageError(
            "this request was read from the journal, which keeps it without its sound; turn.input "
            "has the sound, ask again with session.say(turn.input)"
        )

    @property
    def content_length(self) -> int:
        """Raises UsageError: there is nothing that could be sent."""
        return sum(map(len, self.pieces()))


class MessageTable:
    """Messages by their content. A line names them, and holds those that no earlier line has."""

    def __init__(self) -> None:
        self._messages: dict[str, Mapping[str, object]] = {}
        self._new: dict[str, Mapping[str, object]] = {}

    def records(self, requests: Iterable[Request | None]) -> list[dict[str, object] | None]:
        """The requests of a line, in their order. `written` tells that the line is on the disk."""
        self._new = {}
        return [self._record(request) for request in requests]

    def _record(self, request: Request | None) -> dict[str, object] | None:
        if request is None:
            return None
        told = request.described()
        messages: Any = told.pop("messages")
        new: dict[str, Mapping[str, object]] = {}
        names = [self._name(message, new) for message in messages]
        self._new |= new
        return {**told, "messages": names, "new": new}

    def written(self) -> None:
        """What the last record held need not be written again."""
        self._messages |= self._new

    def read(self, record: object) -> Request | None:
        """The request that a line tells of. Lines must be read in their order."""
        if not isinstance(record, Mapping) or not isinstance(record.get("model"), str):
            return None
        told = dict(record)
        new, names = told.pop("new", None), told.pop("messages", None)
        if isinstance(new, Mapping):
            self._messages |= {name: body for name, body in new.items() if isinstance(body, dict)}
        found = names if isinstance(names, list) else []
        messages = tuple(self._messages.get(str(name), _LOST) for name in found)
        return KeptRequest(told.pop("model"), messages, told)

    def _name(self, message: Mapping[str, object], new: dict[str, Mapping[str, object]]) -> str:
        name = hashlib.sha256(encoded(message)).hexdigest()[:_HASH_CHARS]
        if name not in self._messages and name not in self._new:
            new[name] = message
        return name
