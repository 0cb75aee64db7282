"""One async connection to a service that speaks chat completions."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from httpx_aiohttp import HttpxAiohttpClient

from cellvoice.errors import AuthError, CellvoiceError, ConnectionFailed, ProtocolError, UsageError
from cellvoice.protocol import Request, error_from_response

from ._auth import BearerKey
from ._body import content_of
from ._failures import connection_failed
from .stream import EventStream

__all__ = ["DEFAULT_BASE_URL", "Client"]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 600.0
# Error bodies are a few hundred bytes; a proxy's page may be larger, and its start is enough.
_MAX_ERROR_BYTES = 100_000
_EVENT_STREAM = "text/event-stream"
_JSON = "application/json"


class Client:
    """Send requests and stream their events.

    `transport` takes the place of the network. Proxies of the environment are used, except for
    addresses of this machine. Raises UsageError for an unusable address or key.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        api_key: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        connect_timeout_s: float = _CONNECT_TIMEOUT_S,
        read_timeout_s: float = _READ_TIMEOUT_S,
    ) -> None:
        self._url = _checked_url(base_url)
        self._key = BearerKey(api_key)
        self._read_timeout_s = read_timeout_s
        try:
            self._http = HttpxAiohttpClient(
                transport=transport,
                auth=self._key,
                timeout=httpx.Timeout(read_timeout_s, connect=connect_timeout_s),
                trust_env=not _is_loopback(self._url.host),
                headers={"Accept": f"{_EVENT_STREAM}, {_JSON}", "Accept-Encoding": "identity"},
            )
        except (ImportError, ValueError) as error:
            # The proxy's address is not shown: it may hold a password.
            raise UsageError(
                "the proxy that the environment names cannot be used; for a SOCKS proxy "
                "pip install 'httpx[socks]', else correct or unset HTTPS_PROXY and ALL_PROXY"
            ) from error

    def __repr__(self) -> str:
        return f"Client({str(self._url)!r}, api_key={'none' if self._key.missing else 'hidden'})"

    @property
    def base_url(self) -> str:
        """The service's address, without a slash at its end."""
        return str(self._url)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[EventStream]:
        """Send a request and give its reply as an EventStream.

        Leaving the block early, also by a cancel, closes the connection, and the service stops.
        Raises AuthError, QuotaError, ServiceError, ConnectionFailed or ProtocolError when there
        is no reply to stream.
        """
        response = await self._send(request)
        try:
            if response.status_code >= 300:
                raise await self._refusal(response)
            choices = request.params.get("n")
            stream = EventStream(
                response,
                streamed=_is_stream(response, request),
                choices=choices if isinstance(choices, int) else 1,
            )
            yield stream
            await stream.drain()
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close the connections; streams that still run end with an error."""
        await self._http.aclose()

    async def _send(self, request: Request) -> httpx.Response:
        content, length = content_of(request)
        http_request = self._http.build_request(
            "POST",
            f"{self._url}/chat/completions",
            content=content,
            headers={"Content-Type": _JSON, "Content-Length": str(length)},
        )
        try:
            return await self._http.send(http_request, stream=True)
        except httpx.RequestError as error:
            raise self._no_answer(error) from error

    def _no_answer(self, error: httpx.HTTPError) -> ConnectionFailed:
        return connection_failed(error, self._url, self._read_timeout_s)

    async def _refusal(self, response: httpx.Response) -> CellvoiceError:
        body = b""
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_ERROR_BYTES:
                    break
        except httpx.RequestError:
            # The status says enough; a body that is cut off is read as far as it came.
            pass
        if response.status_code == 401 and self._key.missing:
            return AuthError(
                "the service wants an API key and there is none (401); "
                "set OPENAI_API_KEY or pass api_key=",
                status=401,
                request_id=response.headers.get("x-request-id"),
            )
        return error_from_response(
            response.status_code, self._key.hidden_in(body), response.headers
        )


def _checked_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url.strip().rstrip("/"))
    except (httpx.InvalidURL, AttributeError, TypeError) as error:
        raise UsageError(_not_a_url(base_url)) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(_not_a_url(base_url))
    if url.userinfo or url.query or url.fragment:
        # Not quoted: what stands there is often a password or a key.
        raise UsageError(
            "base_url has a user, a '?' or a '#' in it, expected a plain address such as "
            f"{DEFAULT_BASE_URL!r}; a key goes into api_key="
        )
    return url


def _not_a_url(base_url: object) -> str:
    return f"base_url={base_url!r}: expected an address such as {DEFAULT_BASE_URL!r}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_stream(response: httpx.Response, request: Request) -> bool:
    """Whether the body is an event stream: what the server says, else what was asked for."""
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == _EVENT_STREAM:
        return True
    if media == _JSON:
        return False
    if media == "text/html":
        raise ProtocolError(
            f"the server at {response.request.url.host} answered with a web page, "
            "expected a reply; check base_url, it usually ends in /v1"
        )
    return request.streams
