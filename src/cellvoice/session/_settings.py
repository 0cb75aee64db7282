"""Where a session's requests go, with which key and by which way, and what to know before."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from cellvoice.client import ClientOptions, Secret
from cellvoice.errors import AuthError, UsageError
from cellvoice.protocol import AZURE, ListedModel, facts

from ._tape import cassette_for

if TYPE_CHECKING:
    import httpx

    from cellvoice.client import Cassette

__all__ = [
    "EMBEDDED_BADGE",
    "EMBEDDED_NOTICE",
    "Destination",
    "Given",
    "destination",
    "shutdown_notice",
]

KEY_VARIABLE = "OPENAI_API_KEY"
AZURE_KEY_VARIABLE = "AZURE_OPENAI_API_KEY"
ADDRESS_VARIABLE = "OPENAI_BASE_URL"
SERVICE_URL = "https://api.openai.com/v1"
_SHUTDOWN_NOTICE_DAYS = 90
EMBEDDED_BADGE = "embedded engine, not gpt-audio"
EMBEDDED_NOTICE = (
    f"There is no {KEY_VARIABLE}, so the embedded engine on this machine answers, not gpt-audio; "
    f"set {KEY_VARIABLE} before the session is made, or pass api_key=, to talk to gpt-audio."
)


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """The keyword arguments of a session that are about its connection, as they were given.

    Shown as nothing at all, because a traceback may show it before anything was checked.
    """

    api_key: object = None
    base_url: object = None
    headers: object = None
    organization: object = None
    project: object = None
    proxy: object = None
    timeout: object = None
    max_retries: object = None
    azure_api_version: object = None
    http_client: httpx.AsyncClient | None = None
    transport: httpx.AsyncBaseTransport | None = None
    cassette: object = None

    def __repr__(self) -> str:
        return "Given(hidden)"

    @property
    def has_network(self) -> bool:
        """Whether the caller brought a network of its own."""
        return self.transport is not None or self.http_client is not None

    def options(self) -> ClientOptions:
        """The options of the client; what is not given may be in the environment."""
        return ClientOptions.of(
            headers=self.headers,
            organization=_else_environment(self.organization, "OPENAI_ORG_ID"),
            project=_else_environment(self.project, "OPENAI_PROJECT_ID"),
            proxy=self.proxy,
            timeout=self.timeout,
            max_retries=self.max_retries,
            azure_api_version=self.azure_api_version,
            http_client=self.http_client,
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """`engine`: the embedded one, found at the first turn; else `base_url` is where requests go."""

    kind: Literal["service", "engine"]
    # Until the client has checked it there may be a password in it.
    base_url: Secret = field(default_factory=lambda: Secret(""))
    key: Secret | None = None
    options: ClientOptions = field(default_factory=ClientOptions)
    transport: httpx.AsyncBaseTransport | None = None
    cassette: Cassette | None = None

    @property
    def replays(self) -> bool:
        """Whether a recording alone answers."""
        return self.cassette is not None and self.cassette.mode == "replay"

    @property
    def badge(self) -> str:
        """What stands in for the service, or "" if it is asked itself."""
        if self.cassette is not None and self.replays:
            return self.cassette.badge
        return EMBEDDED_BADGE if self.kind == "engine" else ""

    @property
    def prices_at(self) -> str:
        """Whose prices hold there: Azure's, or "" for the service's own."""
        at_azure = self.options.azure_api_version or _is_azure(self.base_url)
        return AZURE if at_azure else ""

    def notice(self, of_model: str) -> str:
        """What the user should know before asking, or ""; `of_model` is what is known of that."""
        if self.cassette is not None and self.replays:
            return self.cassette.notice
        notice = EMBEDDED_NOTICE if self.kind == "engine" else of_model
        if self.cassette is None:
            return notice
        return "; ".join(part for part in (notice.removesuffix("."), self.cassette.notice) if part)


def destination(given: Given) -> Destination:
    """Where requests go.

    Raises AuthError if the service's address was given without a key, UsageError for what can't be.
    The key is the argument, else a header of the caller's own, else the environment's: for Azure's
    addresses AZURE_OPENAI_API_KEY, else OPENAI_API_KEY. The address is the argument, else the
    environment's OPENAI_BASE_URL. With no key, no address and no transport it is the embedded
    engine; a cassette that is replayed needs none of them.
    """
    options = given.options()
    base_url = _base_url(given)
    key = _key(given, base_url, own=options.headers.carry_a_key())
    proven = key is not None or options.headers.carry_a_key() or given.has_network
    tape = cassette_for(given.cassette, can_ask=proven or base_url is not None)
    if tape is not None and tape.mode == "replay":
        proven = True
    if base_url is None and not proven:
        return Destination("engine", options=options, cassette=tape)
    if not proven and _is_at(base_url, "openai.com"):
        raise AuthError(
            f"there is no API key for {_host(base_url)}; set {KEY_VARIABLE} or pass "
            "api_key=, or leave base_url out to use the embedded engine"
        )
    at = base_url or Secret(SERVICE_URL)
    return Destination("service", at, key, options, given.transport, tape)


def _base_url(given: Given) -> Secret | None:
    if given.base_url is None:
        found = Secret(os.environ.get(ADDRESS_VARIABLE, "").strip())
        return found if found.reveal() else None
    if not isinstance(given.base_url, str) or not given.base_url.strip():
        raise UsageError(
            f"base_url={given.base_url!r}: expected an address such as {SERVICE_URL!r}"
        )
    return Secret(given.base_url)


def _key(given: Given, base_url: Secret | None, *, own: bool) -> Secret | None:
    if given.api_key is not None and not isinstance(given.api_key, str):
        raise UsageError(f"api_key is a {type(given.api_key).__name__}, expected a str")
    variables = [KEY_VARIABLE]
    if _is_azure(base_url):
        variables.insert(0, AZURE_KEY_VARIABLE)
    if own:
        # What is in a header was given for this session, what is in the environment was not.
        variables = []
    candidates = [given.api_key, *(os.environ.get(name) for name in variables)]
    found = [Secret(text.strip()) for text in candidates if text and text.strip()]
    del candidates  # a traceback that shows local names must not show them
    return found[0] if found else None


def _else_environment(value: object, name: str) -> object:
    return os.environ.get(name) if value is None else value


def _is_at(base_url: Secret | None, domain: str) -> bool:
    host = _host(base_url)
    return host == domain or host.endswith(f".{domain}")


def _is_azure(base_url: Secret | None) -> bool:
    return _is_at(base_url, "azure.com") or _is_at(base_url, "azure.us")


def _host(base_url: Secret | None) -> str:
    try:
        return (urlsplit(base_url.reveal().strip()).hostname or "").lower() if base_url else ""
    except ValueError:
        return ""


def shutdown_notice(model: str, today: date, listed: ListedModel | None = None) -> str:
    """What is known of a shutdown that is near, in a sentence, or "".

    What the server itself has `listed` of the model counts before the table.
    """
    known = facts(model)
    told = listed.shutdown if listed else None
    day = told or (known.shutdown if known else None)
    if day is None or (day - today).days > _SHUTDOWN_NOTICE_DAYS:
        return ""
    when = f"is to be shut down on {day}" if day > today else f"was shut down on {day}"
    source = "as the service says" if told else "as far as is known"
    then = f"; its successor is {known.successor}" if known and known.successor else ""
    return f"{model} {when}, {source}{then}"
