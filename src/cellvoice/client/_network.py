"""The way to a server: with or without a proxy, over the transport that is the default."""

from __future__ import annotations

import urllib.request

import httpx
from httpx_aiohttp.transport import AiohttpResponseStream, AiohttpTransport

from cellvoice.errors import UsageError

from ._address import host_of, is_loopback
from ._secret import Secret

__all__ = ["Way", "way_to"]

# People think between two turns. A connection that the server closed meanwhile is noticed before it
# is used; a few minutes on, routers forget idle ones without a word.
_KEEP_IDLE_S = 120.0
_READ_BYTES = 131_072


class Way:
    """The proxy to a server, if there is one, and where it is named."""

    __slots__ = ("_proxy", "_url")

    def __init__(self, url: httpx.URL, proxy: httpx.Proxy | None) -> None:
        self._url = url
        self._proxy = proxy

    @property
    def proxy_host(self) -> str | None:
        """The proxy's host and port, or None if the server is asked directly."""
        return host_of(self._proxy.url) if self._proxy else None

    def open(self) -> httpx.AsyncBaseTransport:
        """A transport that goes this way. SSL_CERT_FILE and SSL_CERT_DIR name further authorities.

        Where nothing is encrypted no certificates are loaded, which would take longer than all
        else.
        """
        encrypted = self._url.scheme == "https" or (
            self._proxy is not None and self._proxy.url.scheme == "https"
        )
        limits = httpx.Limits(
            max_connections=100, max_keepalive_connections=20, keepalive_expiry=_KEEP_IDLE_S
        )
        return _Transport(verify=encrypted, proxy=self._proxy, limits=limits)


class _Transport(AiohttpTransport):
    """Reads what has arrived in larger pieces; ten minutes of speech in one reply are 38 MB."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, AiohttpResponseStream):
            response.stream.CHUNK_SIZE = _READ_BYTES
        return response


def way_to(url: httpx.URL, own_proxy: Secret | None) -> Way:
    """The way to an address: `proxy=`, else the environment's proxy, and none to this machine.

    Raises UsageError for a proxy that can't be used; its address is not shown, because it may hold
    a password.
    """
    if is_loopback(url.host):
        return Way(url, None)
    if own_proxy is not None:
        return Way(url, _proxy("proxy=", own_proxy))
    named = urllib.request.getproxies()
    address = Secret(named.get(url.scheme) or named.get("all") or "")
    del named
    if not address.reveal() or urllib.request.proxy_bypass(url.host):
        return Way(url, None)
    return Way(url, _proxy("HTTPS_PROXY, HTTP_PROXY or ALL_PROXY", address))


def _proxy(named_by: str, address: Secret) -> httpx.Proxy:
    try:
        found = httpx.Proxy(_with_scheme(address))
    except (ValueError, httpx.InvalidURL):
        found = None
    scheme = _with_scheme(address).partition("://")[0].lower()
    if scheme.startswith("socks"):
        raise UsageError(
            f"the proxy that {named_by} names is a SOCKS proxy, which is not supported; name an "
            "http:// proxy, or pass http_client=httpx.AsyncClient(proxy=…) with httpx[socks]"
        )
    if found is None or scheme not in ("http", "https") or not found.url.host:
        raise UsageError(
            f"the proxy that {named_by} names cannot be used, expected an address such as "
            "http://host:3128; correct it or unset it"
        )
    return found


def _with_scheme(address: Secret) -> str:
    return address.reveal() if "://" in address.reveal() else f"http://{address.reveal()}"
