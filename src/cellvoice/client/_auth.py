"""What proves who asks: put on a request for the moment of sending, and taken off it again."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from cellvoice.errors import UsageError

from ._headers import OwnHeaders
from ._secret import MASK, Hidden, Secret, Unseen

__all__ = ["Credentials", "checked_key"]


class Credentials(httpx.Auth):
    """The key and the user's own headers.

    httpx, the transports and their exceptions keep the request; what they keep shows no secret,
    because the values are on it only while it is sent.
    """

    __slots__ = ("_hidden", "_sent", "missing")

    def __init__(self, key: Secret | None, headers: OwnHeaders, *, azure: bool = False) -> None:
        self.missing = key is None and not headers.carry_a_key()
        if key is not None and headers.carry_a_key():
            raise UsageError(
                "headers has a key of its own, and there is an API key besides; give only one"
            )
        self._sent = headers.items()
        if key is not None:
            value = key if azure else Secret(f"Bearer {key.reveal()}")
            self._sent.append(("api-key" if azure else "Authorization", value))
        self._hidden = Hidden([*headers.secrets(), *([key] if key else [])])

    def __repr__(self) -> str:
        return "Credentials(none)" if self.missing else "Credentials(hidden)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the headers; httpx asks for this name, and closes it when there is an answer."""
        for name, value in self._sent:
            request.headers[name] = value.reveal()
        try:
            yield request
        finally:
            for name, _ in self._sent:
                request.headers[name] = MASK

    @property
    def hidden(self) -> Hidden:
        """What has to be masked in whatever the server sends back."""
        return self._hidden


def checked_key(unseen: Unseen) -> Secret | None:
    """The key without spaces around it, or None if there is none. Raises UsageError."""
    found = unseen.value
    given = found if isinstance(found, Secret) else Secret(str(found or "").strip())
    del found
    if not _can_be_a_key(given):
        # Said here, because deeper down the message would quote the key.
        raise UsageError(
            "the API key has spaces, line breaks or letters that no key has; copy it again"
        )
    return given if given.reveal() else None


def _can_be_a_key(key: Secret) -> bool:
    text = key.reveal()
    return text.isascii() and text.isprintable() and " " not in text
