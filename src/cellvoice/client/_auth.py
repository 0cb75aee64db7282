"""The key, in the one place that holds it."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from cellvoice.errors import UsageError

_SHORTEST_KEY_TO_HIDE = 6


class BearerKey(httpx.Auth):
    """Put the key on each request, and take it out of whatever comes back."""

    __slots__ = ("_key",)

    def __init__(self, api_key: str | None) -> None:
        key = (api_key or "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            # Said here, because deeper down the message would quote the key.
            raise UsageError(
                "the API key has spaces, line breaks or letters that no key has; copy it again"
            )
        self._key = key

    def __repr__(self) -> str:
        return "BearerKey(hidden)" if self._key else "BearerKey(none)"

    @property
    def missing(self) -> bool:
        """Whether there is no key at all."""
        return not self._key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header; httpx asks for this name."""
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        yield request

    def hidden_in(self, body: bytes) -> bytes:
        """The bytes with the key masked, whatever form the key has."""
        if len(self._key) < _SHORTEST_KEY_TO_HIDE:
            return body
        return body.replace(self._key.encode("ascii"), b"***")
