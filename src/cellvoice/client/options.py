"""How a client reaches its service: everything but the address and the key."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError

from ._headers import OwnHeaders, own_headers
from ._secret import Secret, Unseen

if TYPE_CHECKING:
    import httpx

__all__ = ["ClientOptions", "Timeouts"]

_MOST_RETRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds; None waits without limit. Each limit has its own error.

    `connect_s` for the connection (ConnectTimeout); `first_byte_s` from sending to the first byte
    of the reply (AnswerTimeout), which for speech that is not streamed is when all of it is made;
    `idle_s` between two bytes of a reply (IdleTimeout); `total_s` for the whole exchange, repeated
    requests and waits included (TotalTimeout). The longest reply, 16,384 tokens, is 10½ minutes of
    speech, so 20 minutes end only what is stuck or endless.
    """

    connect_s: float | None = 5.0
    first_byte_s: float | None = 600.0
    idle_s: float | None = 60.0
    total_s: float | None = 1200.0

    def __post_init__(self) -> None:
        for one in fields(self):
            _check_seconds(f"Timeouts({one.name}=…)", getattr(self, one.name))

    @classmethod
    def of(cls, given: object) -> Timeouts:
        """What `timeout=` means: Timeouts, seconds for the whole exchange, None for the usual."""
        if given is None:
            return cls()
        if isinstance(given, Timeouts):
            return given
        _check_seconds("timeout", given)
        return cls(total_s=given)  # type: ignore[arg-type]  # checked the line before


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Made by `of`, which checks; has no secret in its repr."""

    headers: OwnHeaders = field(default_factory=lambda: OwnHeaders({}))
    organization: str | None = None
    project: str | None = None
    proxy: Secret | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_retries: int = 2
    azure_api_version: str | None = None
    http_client: httpx.AsyncClient | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        *,
        headers: object = None,
        organization: object = None,
        project: object = None,
        proxy: object = None,
        timeout: object = None,
        max_retries: object = None,
        azure_api_version: object = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> ClientOptions:
        """Options as a user gives them. Raises UsageError, which quotes no secret.

        `proxy` is an address, with a name and a password in it if the proxy wants them. An own
        `http_client` is used on the loop that streams, and is never closed.
        """
        unseen = Unseen(headers), Unseen(proxy)
        headers = proxy = None  # a traceback that shows local names must not show them
        own, way = own_headers(unseen[0]), _proxy(unseen[1])
        if way is not None and http_client is not None:
            raise UsageError("proxy= and http_client=: give the proxy to your own client instead")
        return cls(
            headers=own,
            organization=_word("organization", organization),
            project=_word("project", project),
            proxy=way,
            timeouts=Timeouts.of(timeout),
            max_retries=_count(max_retries),
            azure_api_version=_word("azure_api_version", azure_api_version),
            http_client=http_client,
        )


def _check_seconds(name: str, value: object) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (number and 0 < value < math.inf):  # type: ignore[operator]
        raise UsageError(
            f"{name}: {value!r} is no time to wait, expected seconds above 0, or None in Timeouts "
            "to wait without limit"
        )


def _count(value: object) -> int:
    if value is None:
        return 2
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_RETRIES:
        raise UsageError(f"max_retries={value!r}: expected a number from 0 to {_MOST_RETRIES}")
    return value


def _word(name: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
        raise UsageError(f"{name}={value!r}: expected a word as the service shows it")
    return value.strip() or None


def _proxy(unseen: Unseen) -> Secret | None:
    if unseen.value is None:
        return None
    if not isinstance(unseen.value, str) or not unseen.value.strip():
        kind = type(unseen.value).__name__
        raise UsageError(f"proxy is an unusable {kind}, expected 'http://host:port'")
    return Secret(unseen.value.strip())
