"""Where a session's requests go, and with which key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from cellvoice.errors import AuthError, UsageError

__all__ = ["EMBEDDED_BADGE", "EMBEDDED_NOTICE", "Destination", "Secret", "destination"]

KEY_VARIABLE = "OPENAI_API_KEY"
SERVICE_URL = "https://api.openai.com/v1"
EMBEDDED_BADGE = "embedded engine, not gpt-audio"
EMBEDDED_NOTICE = (
    f"There is no {KEY_VARIABLE}, so the embedded engine on this machine answers, not gpt-audio; "
    f"set {KEY_VARIABLE} before the session is made, or pass api_key=, to talk to gpt-audio."
)


class Secret:
    """A key that no repr, f-string or traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def reveal(self) -> str:
        """The key itself, for the client only."""
        return self._value

    def hidden_in(self, text: str) -> str:
        """The text with the key masked."""
        return text.replace(self._value, "***") if len(self._value) >= 6 else text


@dataclass(frozen=True, slots=True)
class Destination:
    """`engine`: the embedded one, found at the first turn; else `base_url` is where requests go."""

    kind: Literal["service", "engine"]
    base_url: str
    key: Secret | None


def destination(api_key: object, base_url: object, has_transport: bool) -> Destination:
    """Where requests go. Raises AuthError if the service's address was given and there is no key.

    The key is the argument, else the environment's OPENAI_API_KEY. With neither a key, an address
    nor a transport it is the embedded engine.
    """
    key = _key(api_key)
    if base_url is None:
        if key is None and not has_transport:
            return Destination("engine", "", None)
        return Destination("service", SERVICE_URL, key)
    if not isinstance(base_url, str) or not base_url.strip():
        raise UsageError(f"base_url={base_url!r}: expected an address such as {SERVICE_URL!r}")
    if key is None and not has_transport and _is_service(base_url):
        raise AuthError(
            f"there is no API key for {urlsplit(base_url).hostname}; set {KEY_VARIABLE} or pass "
            "api_key=, or leave base_url out to use the embedded engine"
        )
    return Destination("service", base_url, key)


def _key(api_key: object) -> Secret | None:
    if api_key is not None and not isinstance(api_key, str):
        raise UsageError(f"api_key is a {type(api_key).__name__}, expected a str")
    found = (api_key or "").strip() or os.environ.get(KEY_VARIABLE, "").strip()
    return Secret(found) if found else None


def _is_service(base_url: str) -> bool:
    host = (urlsplit(base_url.strip()).hostname or "").lower()
    return host == "openai.com" or host.endswith(".openai.com")
