"""Headers that a user adds to every request."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cellvoice.errors import UsageError

from ._secret import Secret, Unseen

__all__ = ["AUTH_HEADERS", "OwnHeaders", "own_headers"]

# What carries the key: the service's header, and Azure's.
AUTH_HEADERS = ("authorization", "api-key")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# They describe the body or the connection, which are the client's own matter.
_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "transfer-encoding"}
)
_SECRET_NAME = re.compile(r"auth|key|token|secret|cookie|passw|credential|signature", re.IGNORECASE)
# Long and of one word, as keys are and words are not.
_SECRET_VALUE = re.compile(r"\S*(?=\S*\d)(?=\S*[A-Za-z])\S{20,}")


class OwnHeaders:
    """Names and values; the values are shown nowhere, because many of them are keys."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Secret]) -> None:
        self._values = dict(values)

    def __repr__(self) -> str:
        return f"OwnHeaders({', '.join(self._values)})"

    def items(self) -> list[tuple[str, Secret]]:
        """Names as they were written, with their values."""
        return list(self._values.items())

    def carry_a_key(self) -> bool:
        """Whether one of them is what the key would go into."""
        return any(name.lower() in AUTH_HEADERS for name in self._values)

    def secrets(self) -> list[Secret]:
        """Those values that look like keys, and the key alone of those like `Bearer …`."""
        found: list[Secret] = []
        for name, value in self._values.items():
            text = value.reveal()
            if _SECRET_NAME.search(name) or _SECRET_VALUE.fullmatch(text):
                found += [value, Secret(text.rpartition(" ")[2])]
        return found


def own_headers(unseen: Unseen) -> OwnHeaders:
    """Check what the user gave as `headers=`. Raises UsageError, which quotes no value."""
    if unseen.value is None:
        return OwnHeaders({})
    if not isinstance(unseen.value, Mapping):
        raise UsageError(
            f"headers is a {type(unseen.value).__name__}, expected a dict such as "
            "{'X-Team': 'red'}"
        )
    values: dict[str, Secret] = {}
    for name in unseen.value:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError(f"headers: {name!r} is no header's name, expected one like 'X-Team'")
        if name.lower() in _OURS:
            raise UsageError(f"headers: {name} is set by cellvoice itself; leave it out")
        if name.lower() in (known.lower() for known in values):
            raise UsageError(f"headers: {name} is given twice; names differ in more than case")
        if not _can_be_sent(unseen.value[name]):
            raise UsageError(
                f"headers: the value of {name} is not a str of one line in ASCII; encode it first"
            )
        values[name] = Secret(unseen.value[name].strip())
    return OwnHeaders(values)


def _can_be_sent(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.strip().isprintable()
