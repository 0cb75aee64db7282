"""Where requests go: a plain address, or Azure's form of it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import httpx

from cellvoice.errors import UsageError

from ._secret import Secret, Unseen

__all__ = ["DEFAULT_BASE_URL", "Address", "address_of", "host_of", "is_loopback"]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_API_VERSION = "api-version"
_AZURE_HOSTS = (
    ".openai.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
)
_AZURE_FORMS = (
    "https://NAME.openai.azure.com/openai/v1, or "
    "https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT with azure_api_version="
    "'2025-01-01-preview' or later"
)


@dataclass(frozen=True, slots=True)
class Address:
    """`base` has no slash at its end and no query; `azure` is whether the key is an `api-key`."""

    base: httpx.URL
    azure: bool = False
    api_version: str | None = None

    @property
    def completions(self) -> httpx.URL:
        """What chat completions are posted to."""
        return self._at("/chat/completions")

    @property
    def models(self) -> httpx.URL:
        """Where the server lists its models."""
        return self._at("/models")

    def _at(self, path: str) -> httpx.URL:
        url = httpx.URL(f"{self.base}{path}")
        return url.copy_merge_params({_API_VERSION: self.api_version}) if self.api_version else url


def address_of(unseen: Unseen, azure_api_version: str | None = None) -> Address:
    """Check an address. Raises UsageError; it quotes nothing that may hold a key."""
    url = _parsed(unseen)
    query = dict(url.params)
    api_version = query.pop(_API_VERSION, "") or azure_api_version
    if url.userinfo or query or url.fragment:
        del url, query  # a traceback that shows local names must not show them
        raise UsageError(
            "base_url has a user, a '?' or a '#' in it, expected a plain address such as "
            f"{DEFAULT_BASE_URL!r}; a key goes into api_key="
        )
    base = httpx.URL(str(url.copy_with(query=None)).rstrip("/"))
    azure = base.host.endswith(_AZURE_HOSTS) or api_version is not None
    if azure:
        _check_azure(base, api_version)
    return Address(base, azure, api_version)


def _parsed(unseen: Unseen) -> httpx.URL:
    found = unseen.value
    text = Secret(found.strip().rstrip("/")) if isinstance(found, str) else Secret("")
    del found
    try:
        url = httpx.URL(text.reveal())
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        del url
        raise UsageError(
            f"base_url={_shown(unseen)}: expected an address such as {DEFAULT_BASE_URL!r}"
        )
    return url


def _check_azure(base: httpx.URL, api_version: str | None) -> None:
    in_deployment = "/deployments/" in base.path
    if base.path in ("", "/") or (in_deployment and api_version is None):
        missing = "its api-version" if in_deployment else "its path"
        raise UsageError(f"base_url={str(base)!r} lacks {missing}, expected {_AZURE_FORMS}")


def _shown(unseen: Unseen) -> str:
    # What follows such a letter, or stands before it, is often a password or a key.
    return "⟨hidden⟩" if {"@", "?", "#"} & set(str(unseen.value)) else repr(unseen.value)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: httpx.URL) -> str:
    """The host, with the port where it is not the usual one."""
    return url.netloc.decode("ascii").rpartition("@")[2]
