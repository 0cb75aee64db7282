"""The engine behind HTTP on 127.0.0.1, for a child process and for other programs."""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from .engine import Engine
from .refusals import too_large
from .service import MAX_BODY_BYTES, Pace, Service, SoundStream

__all__ = ["LocalServer", "make_app"]

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


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
        return StreamingResponse(_closed_at_the_end(answer.body), answer.status, headers)

    return Starlette(routes=[Route("/{path:path}", everything, methods=_METHODS)])


async def _closed_at_the_end(sound: SoundStream) -> AsyncIterator[bytes]:
    """A client that leaves cancels this generator; the engine must stop with it."""
    try:
        async for piece in sound:
            yield piece
    finally:
        await sound.aclose()


class LocalServer:
    """A server with its engine, its port and its random key; `serve` blocks until `stop`."""

    def __init__(
        self,
        *,
        port: int = 0,
        pace: Pace = "fast",
        corpus_path: Path | None = None,
        engine: Engine | None = None,
    ) -> None:
        self._socket = _bound(port)
        self.api_key = secrets.token_urlsafe(24)
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._engine = engine or Engine(corpus_path=corpus_path)
        service = Service(self._engine, api_key=self.api_key, pace=pace)
        config = uvicorn.Config(
            make_app(service),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)

    def serve(self, ready: Callable[[], None]) -> None:
        """Call `ready` and answer requests until `stop`."""
        self._socket.listen(128)  # from here on a client may connect, though nobody accepts yet
        ready()
        threading.Thread(target=self._engine.warm_up, daemon=True).start()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._engine.close()
            self._socket.close()

    def end_on_signals(self) -> None:
        """Let SIGINT and SIGTERM end `serve` cleanly; only from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Ask the server to end; may be called from any thread."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves the signals alone: uvicorn would raise them again at the end, and exit with them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bound(port: int) -> socket.socket:
    """A listening socket that does not delay small packets.

    asyncio switches the delay off only for sockets whose protocol number says TCP, and a socket
    made without it says 0: 49 ms for every request on a kept connection (uvicorn issue 3149).
    macOS always says 0, hence the option too.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.bind(("127.0.0.1", port))
    return made
