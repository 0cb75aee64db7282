"""One async connection to a service that speaks chat completions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from cellvoice.errors import AuthError, CellvoiceError, ServiceError, UsageError
from cellvoice.protocol import ListedModel, RawLog, Request, error_from_response, models_in

from ._address import DEFAULT_BASE_URL, address_of, host_of
from ._auth import Credentials, checked_key
from ._body import content_of
from ._causes import is_of_the_network, translated
from ._failures import connection_failed
from ._kind import EVENT_STREAM, JSON, is_stream
from ._limits import Limits
from ._network import Way, way_to
from ._retry import Retry, RetryPolicy
from ._secret import Hidden, Secret, Unseen
from .options import ClientOptions
from .stream import EventStream

if TYPE_CHECKING:
    from .cassette import Cassette

__all__ = ["DEFAULT_BASE_URL", "Client"]

# Error bodies are a few hundred bytes; a proxy's page may be larger, and its start is enough.
_MAX_ERROR_BYTES = 100_000


class Client:
    """Send requests and stream their events.

    `transport` takes the place of the network; a `cassette` stands before either. Proxies of the
    environment are used, except for addresses of this machine. An own `options.http_client` belongs
    to the loop that streams and is left open. Raises UsageError for an unusable address, key or
    proxy.
    """

    def __init__(
        self,
        base_url: Secret | str = DEFAULT_BASE_URL,
        api_key: Secret | str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        options: ClientOptions | None = None,
        cassette: Cassette | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        place = Unseen(base_url.reveal() if isinstance(base_url, Secret) else base_url)
        unseen = Unseen(api_key)
        api_key, base_url = None, ""  # a traceback that shows local names must not show them
        key = checked_key(unseen)
        self._options = options or ClientOptions()
        if transport is not None and self._options.http_client is not None:
            raise UsageError("transport= and http_client=: expected one of them at most")
        if cassette is not None and self._options.http_client is not None:
            raise UsageError(
                "cassette= and http_client=: give the cassette to your own client instead, as "
                "httpx.AsyncClient(transport=cassette)"
            )
        self._retry = retry or RetryPolicy(self._options.max_retries)
        self._at = address_of(place, self._options.azure_api_version)
        self._credentials = Credentials(key, self._options.headers, azure=self._at.azure)
        self._post_to = self._at.completions
        self._proxy_host: str | None = None
        self._own = self._options.http_client is None
        self._http = self._options.http_client or self._opened(transport, cassette)

    def __repr__(self) -> str:
        if not hasattr(self, "_http"):  # a traceback shows local names of a failed __init__
            return "Client(not made)"
        key = "none" if self._credentials.missing else "hidden"
        return f"Client({self.base_url!r}, api_key={key})"

    @property
    def base_url(self) -> str:
        """The service's address, without a slash at its end."""
        return str(self._at.base)

    @property
    def hidden(self) -> Hidden:
        """The secrets of this client, to be masked in whatever is shown."""
        return self._credentials.hidden

    @asynccontextmanager
    async def stream(
        self,
        request: Request,
        *,
        on_retry: Callable[[Retry], object] | None = None,
        on_sent: Callable[[], object] | None = None,
        log: RawLog | None = None,
    ) -> AsyncIterator[EventStream]:
        """Send a request and give its reply as an EventStream.

        A request that fails before its reply begins is sent again where that may help (at most
        `options.max_retries` times); `on_retry` is told at the start of each wait. `on_sent` is
        called when the network has taken the last piece of a request that goes in pieces (64 KB
        and more), not when it goes at once. `log` is told what comes, refusals included. Leaving
        the block early, also by a cancel, closes the connection, and the service stops; a cancel
        ends a wait at once. Raises AuthError, QuotaError, ServiceError, ConnectionFailed,
        TotalTimeout or ProtocolError when there is no reply to stream.
        """
        limits = Limits(self._options.timeouts, f"the server at {host_of(self._at.base)}")
        response = await self._answered(request, limits, on_retry, on_sent, log)
        try:
            choices = request.params.get("n")
            stream = EventStream(
                response,
                streamed=await is_stream(response, request),
                choices=choices if isinstance(choices, int) else 1,
                log=log,
            )
            yield stream
            await stream.drain()
        finally:
            await response.aclose()

    async def models(self) -> tuple[ListedModel, ...]:
        """The models that the server says it has, with the day on which one is to end.

        Raises what `stream` raises; a server without such a list answers with a ServiceError.
        """
        limits = Limits(self._options.timeouts, f"the server at {host_of(self._at.base)}")
        asked = self._http.build_request(
            "GET", self._at.models, headers=self._headers(), timeout=self._connecting()
        )
        answer = await self._answer(asked, limits)
        if isinstance(answer, CellvoiceError):
            raise answer
        if answer.status_code >= 300:
            raise await self._refusal(answer)
        try:
            return models_in(b"".join([piece async for piece in answer.aiter_bytes()]))
        except httpx.RequestError as error:
            raise self._no_answer(error) from error
        finally:
            await answer.aclose()

    async def aclose(self) -> None:
        """Close the connections; streams that still run end with an error."""
        if self._own:
            await self._http.aclose()

    def _opened(
        self, transport: httpx.AsyncBaseTransport | None, cassette: Cassette | None
    ) -> httpx.AsyncClient:
        if cassette is not None:
            over = cassette.over(lambda: transport or self._way().open())
            return httpx.AsyncClient(transport=over, trust_env=False)
        transport = transport or self._way().open()
        return httpx.AsyncClient(transport=transport, trust_env=False)

    def _way(self) -> Way:
        way = way_to(self._at.base, self._options.proxy)
        self._proxy_host = way.proxy_host
        return way

    async def _answered(
        self,
        request: Request,
        limits: Limits,
        on_retry: Callable[[Retry], object] | None,
        on_sent: Callable[[], object] | None,
        log: RawLog | None,
    ) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            headers = httpx.Headers()
            answer = await self._send(request, limits, on_sent)
            if isinstance(answer, httpx.Response):
                if answer.status_code < 300:
                    return answer
                headers = answer.headers
                answer = await self._refusal(answer, log)
            wait_s = self._retry.wait_s(attempt, answer, headers)
            # A wait that would outlast the whole exchange would hide the reason behind its end.
            if wait_s is None or wait_s >= limits.left_s:
                raise answer
            if on_retry is not None:
                on_retry(Retry(attempt, wait_s, answer))
            await self._retry.sleep(wait_s)

    async def _send(
        self, request: Request, limits: Limits, on_sent: Callable[[], object] | None
    ) -> httpx.Response | CellvoiceError:
        """The head of the answer, or the error of a network that gave none."""
        content, length = content_of(request, on_sent)
        http_request = self._http.build_request(
            "POST",
            self._post_to,
            content=content,
            headers={**self._headers(), "Content-Length": str(length)},
            timeout=self._connecting(),
        )
        return await self._answer(http_request, limits)

    async def _answer(
        self, http_request: httpx.Request, limits: Limits
    ) -> httpx.Response | CellvoiceError:
        sending = self._http.send(
            http_request, stream=True, auth=self._auth(), follow_redirects=False
        )
        try:
            response = await limits.answer(sending)
        except Exception as error:
            if isinstance(error, CellvoiceError) or not is_of_the_network(error):
                raise
            failed = self._no_answer(error)
        else:
            limits.watch(response)
            return response
        return failed

    def _connecting(self) -> httpx.Timeout:
        return httpx.Timeout(None, connect=self._options.timeouts.connect_s)

    def _headers(self) -> dict[str, str]:
        headers = {
            "Accept": f"{EVENT_STREAM}, {JSON}",
            "Accept-Encoding": "identity",
            "Content-Type": JSON,
        }
        if self._options.organization is not None:
            headers["OpenAI-Organization"] = self._options.organization
        if self._options.project is not None:
            headers["OpenAI-Project"] = self._options.project
        return headers

    def _auth(self) -> httpx.Auth | httpx._client.UseClientDefault:
        # An own client may prove who asks in its own way.
        if self._credentials.missing and not self._own:
            return httpx.USE_CLIENT_DEFAULT
        return self._credentials

    def _no_answer(self, error: Exception) -> CellvoiceError:
        return connection_failed(
            translated(error),
            self._at.base,
            connect_s=self._options.timeouts.connect_s,
            proxy=self._proxy_host,
        )

    async def _refusal(self, response: httpx.Response, log: RawLog | None = None) -> ServiceError:
        """The error that an answer of 300 or above stands for; closes the answer."""
        body = b""
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_ERROR_BYTES:
                    break
        except httpx.RequestError:
            # The status says enough; a body that is cut off is read as far as it came.
            pass
        finally:
            await response.aclose()
        body = self._credentials.hidden.in_body(body)
        if log is not None:
            log.take_body(body, response.status_code)
        if response.status_code == 401 and self._credentials.missing:
            return AuthError(
                "the service wants an API key and there is none (401); "
                "set OPENAI_API_KEY or pass api_key=",
                status=401,
                request_id=response.headers.get("x-request-id"),
            )
        return error_from_response(
            response.status_code,
            body,
            response.headers,
            now_s=time.time(),
        )
