"""The engine behind HTTP, for a child process and for other programs."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import secrets
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cellvoice.errors import UsageError

from .engine import Engine
from .faults import Fault
from .limits import REQUESTS_PER_MINUTE
from .refusals import too_large
from .service import MAX_BODY_BYTES, Service
from .streaming import Body, ConnectionCut, Pace

__all__ = ["LOOPBACK", "LocalServer", "is_loopback", "make_app"]

LOOPBACK = "127.0.0.1"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_SHORTEST_KEY = 16


def make_app(service: Service) -> Starlette:
    """The service as an ASGI application."""

    async def everything(request: Request) -> Response:
        body = bytearray()
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    refusal = too_large(MAX_BODY_BYTES // 1024**2)
                    return Response(refusal.body(), 413, media_type="application/json")
        except ClientDisconnect:
            return Response(status_code=400)
        answer = await service.answer(
            request.method, request.url.path, request.headers.get("authorization"), bytes(body)
        )
        headers = dict(answer.headers)
        if isinstance(answer.body, bytes):
            return Response(answer.body, answer.status, headers)
        return _Streamed(_closed_at_the_end(answer.body), answer.status, headers)

    return Starlette(routes=[Route("/{path:path}", everything, methods=_METHODS)])


async def _closed_at_the_end(body: Body) -> AsyncIterator[bytes]:
    """A client that leaves cancels this generator; the engine must stop with it."""
    try:
        async for piece in body:
            yield piece
    finally:
        await body.aclose()


class _Streamed(StreamingResponse):
    """A stream that may be broken off: uvicorn closes the connection of a body without an end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except ConnectionCut:
            return
        except ExceptionGroup as group:
            # Starlette sends from a task group on servers that do not tell of clients that leave.
            if group.split(ConnectionCut)[1] is not None:
                raise


def _is_unintended(record: logging.LogRecord) -> bool:
    """uvicorn would report every fault that was asked for as an error."""
    return "without completing response" not in record.getMessage()


class LocalServer:
    """A server with its engine, its port and its key; `serve` blocks until `stop`.

    Raises UsageError when the port is taken, or when others could reach it with a weak key.
    """

    def __init__(
        self,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        api_key: str | None = None,
        pace: Pace = "fast",
        strict: bool = False,
        faults: Sequence[Fault] = (),
        requests_per_minute: int = REQUESTS_PER_MINUTE,
        corpus_path: Path | None = None,
        engine: Engine | None = None,
        grace_s: int = 1,
    ) -> None:
        """`api_key=None` makes a random key; `grace_s` is how long a reply may go on at the end."""
        if api_key is not None and len(api_key) < _SHORTEST_KEY and not is_loopback(host):
            raise UsageError(
                f"the key has {len(api_key)} characters, expected at least {_SHORTEST_KEY} where "
                "other machines can reach the engine; leave it out to get a random one"
            )
        self._socket = _bound(host, port)
        self.api_key = api_key or secrets.token_urlsafe(24)
        self.base_url = f"http://{_reached_at(host)}:{self._socket.getsockname()[1]}/v1"
        self._engine = engine or Engine(corpus_path=corpus_path)
        service = Service(
            self._engine,
            api_key=self.api_key,
            pace=pace,
            strict=strict,
            faults=faults,
            requests_per_minute=requests_per_minute,
        )
        config = uvicorn.Config(
            make_app(service),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=grace_s,
        )
        if any(fault.in_stream for fault in faults):
            logging.getLogger("uvicorn.error").addFilter(_is_unintended)
        self._server = _Server(config)

    def serve(self, ready: Callable[[], None]) -> None:
        """Call `ready` and answer requests until `stop`."""
        self._socket.listen(128)  # from here on a client may connect, though nobody accepts yet
        ready()
        threading.Thread(target=self._engine.warm_up, daemon=True).start()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.close()

    def close(self) -> None:
        """Give the port back and end the engine's parts; `serve` does it at its end."""
        self._engine.close()
        self._socket.close()

    def end_on_signals(self) -> None:
        """Let SIGINT and SIGTERM end `serve` cleanly; only from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Ask the server to end, the second time without grace; may be called from any thread."""
        self._server.force_exit = self._server.should_exit
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves the signals alone: uvicorn would raise them again at the end, and exit with them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reached_at(host: str) -> str:
    """The host as it stands in an address: all interfaces include this machine's own."""
    if host in ("", "0.0.0.0", "localhost"):
        return LOOPBACK
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket that does not delay small packets. Raises UsageError if it can't be had.

    asyncio switches the delay off only for sockets whose protocol number says TCP, and a socket
    made without it says 0: 49 ms for every request on a kept connection (uvicorn issue 3149).
    macOS always says 0, hence the option too.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform != "win32":
        # Else a port would stay taken for a minute after its last connection. Windows means
        # something else by it: there two servers could share the port.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except (OSError, OverflowError) as error:
        made.close()
        raise UsageError(_why_not_bound(host, port, error)) from error
    return made


def _why_not_bound(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken by another program; choose another with --port, or "
            "--port 0 for a free one"
        )
    if number == errno.EACCES:
        return (
            f"port {port} needs more rights than this user has; choose one above 1023 with --port"
        )
    if isinstance(error, OverflowError):
        return f"there is no port {port}, expected 0…65535"
    return f"{host} is no address of this machine ({error}); see --host"
