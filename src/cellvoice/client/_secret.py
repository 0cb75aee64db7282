"""Keys and passwords: held in one place each, and taken out of whatever comes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

__all__ = ["MASK", "Hidden", "Secret", "Unseen"]

MASK = "***"
# Shorter ones would tear ordinary words apart.
_SHORTEST_TO_HIDE = 6


class Secret:
    """A key that no repr, f-string, traceback or pickle shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled; make the session where it is used")

    def reveal(self) -> str:
        """The key itself, for the wire only."""
        return self._value

    def hidden_in(self, text: str) -> str:
        """The text with the key masked."""
        return text.replace(self._value, MASK) if len(self._value) >= _SHORTEST_TO_HIDE else text


class Unseen:
    """What a user gave and nobody has looked at yet: a traceback that shows local names shows none.

    It may be anything, and a key in the wrong place is a key all the same.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Unseen(hidden)"


class Hidden:
    """All secrets of one client, to be masked together."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[Secret]) -> None:
        # A longer one may hold a shorter one, and half of it would be left.
        self._secrets = sorted(secrets, key=lambda secret: -len(secret.reveal()))

    def __repr__(self) -> str:
        return f"Hidden({len(self._secrets)})"

    def in_text(self, text: str) -> str:
        """The text with every secret masked."""
        for secret in self._secrets:
            text = secret.hidden_in(text)
        return text

    def in_body(self, body: bytes) -> bytes:
        """The bytes of a body with every secret masked."""
        for secret in self._secrets:
            if len(secret.reveal()) >= _SHORTEST_TO_HIDE:
                body = body.replace(secret.reveal().encode(), MASK.encode())
        return body
