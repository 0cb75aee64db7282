"""What a transport raised, as httpx would have said it, without the request it holds.

Of httpx over httpcore the class tells what happened. Over aiohttp it does not: a refused
connection, a hang-up and a time-out may all come as `httpx.ConnectTimeout`; there the cause tells.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, TracebackType

import httpx

__all__ = ["HUNG_UP", "caused_by", "is_of_the_network", "root_of", "translated"]

# h11's own words for a connection that ends where the answer should begin.
HUNG_UP = "without sending"
# Their frames and exceptions hold the request with its headers, and so the key.
_LIBRARIES = ("aiohttp", "anyio", "asyncio", "h11", "httpcore", "httpx", "httpx_aiohttp")
# By name, and the narrower before the wider: who has not loaded aiohttp has none of them.
_OF_AIOHTTP: tuple[tuple[str, type[httpx.RequestError]], ...] = (
    ("ConnectionTimeoutError", httpx.ConnectTimeout),
    ("ServerTimeoutError", httpx.ReadTimeout),
    ("ClientHttpProxyError", httpx.ProxyError),
    ("ClientConnectorError", httpx.ConnectError),
    ("ClientResponseError", httpx.RemoteProtocolError),
    ("ClientError", httpx.ReadError),
)


def is_of_the_network(error: Exception) -> bool:
    """Whether an exception of a transport is about the network, not a fault in a program."""
    return isinstance(error, (httpx.RequestError, OSError, *_aiohttp_kinds("ClientError")))


def translated(error: Exception) -> httpx.RequestError:
    """The exception as the one of httpx's that tells the truth.

    Its cause is the operating system's own exception, if there is one; its frames are those
    above the libraries.
    """
    told = _as_httpx(error)
    root = root_of(error)
    told.__cause__ = told.__context__ = None
    told.__traceback__ = _down_to_libraries(error.__traceback__)
    if root is not None:
        root.__traceback__ = root.__cause__ = root.__context__ = None
        told.__cause__ = root
    return told


def caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether there is one of a kind in the chain of causes."""
    return any(isinstance(seen, kind) for seen in _chain(error))


def root_of(error: BaseException) -> OSError | None:
    """The deepest exception of the operating system, with a number if there is one."""
    found = [
        seen
        for seen in _chain(error)
        if isinstance(seen, OSError) and _room(type(seen).__module__) not in _LIBRARIES
    ]
    numbered = [seen for seen in found if seen.errno is not None]
    return next(reversed(numbered or found), None)


def _as_httpx(error: Exception) -> httpx.RequestError:
    for name, kind in _OF_AIOHTTP:
        found = next(
            (seen for seen in _chain(error) if isinstance(seen, _aiohttp_kinds(name))), None
        )
        if found is not None:
            # Only the class and the status: the words of some of them quote the headers.
            status = getattr(found, "status", None)
            words = [type(found).__name__] if status is None else [str(status)]
            return kind(" ".join(words))
    return error if isinstance(error, httpx.RequestError) else httpx.ReadError(type(error).__name__)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            # One failure for each address of the name; they say the same.
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__


def _aiohttp_kinds(name: str) -> tuple[type[BaseException], ...]:
    aiohttp: ModuleType | None = sys.modules.get("aiohttp")
    kind = getattr(aiohttp, name, None)
    return (kind,) if isinstance(kind, type) else ()


def _down_to_libraries(trace: TracebackType | None) -> TracebackType | None:
    """The frames above the first one of a library: below it, others hold the request as well."""
    if trace is None or _room(str(trace.tb_frame.f_globals.get("__name__", ""))) in _LIBRARIES:
        return None
    rest = _down_to_libraries(trace.tb_next)
    return TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)


def _room(module: str) -> str:
    return module.partition(".")[0]
