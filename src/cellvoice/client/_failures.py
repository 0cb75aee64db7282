"""What the network raises, as one sentence about the network, whichever library is below.

Of httpx over httpcore the class tells what happened. Of httpx over aiohttp it does not: a refused
connection, a hang-up and a time-out may all come as `httpx.ConnectTimeout`; there the cause tells.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Iterator
from types import ModuleType, TracebackType

import httpx

from cellvoice.errors import ConnectionFailed, ConnectTimeout, StreamBroken

from ._address import host_of

__all__ = [
    "Cut",
    "caused_by",
    "connection_failed",
    "is_of_the_network",
    "stream_broken",
    "stripped",
]

_CHECK = "check the network and base_url, then ask again"
# Their frames and exceptions hold the request with its headers, and so the key.
_LIBRARIES = ("aiohttp", "anyio", "asyncio", "h11", "httpcore", "httpx", "httpx_aiohttp")


class Cut(httpx.ReadTimeout):
    """A limit of ours that passed in the middle of a body; `told` is what the user gets."""

    def __init__(self, told: StreamBroken) -> None:
        super().__init__(str(told))
        self.told = told


def connection_failed(
    error: Exception, url: httpx.URL, *, connect_s: float | None, proxy: str | None = None
) -> ConnectionFailed:
    """The error for a request that got no answer at all; `proxy` is the host of the proxy used."""
    place = f"the server at {host_of(url)}"
    met = f"the proxy at {proxy}, on the way to {place}," if proxy else place
    if _is_connect_timeout(error):
        limit = f" within {connect_s:g} s" if connect_s is not None else " in time"
        return ConnectTimeout(
            f"{met} could not be reached{limit}; {_CHECK}, or wait longer with "
            "timeout=Timeouts(connect_s=…)"
        )
    return ConnectionFailed(f"{_what_happened(error, place, met)}; {_what_to_do(error)}")


def _what_happened(error: Exception, place: str, met: str) -> str:
    tls = _root(error)  # aiohttp's own are SSLErrors by name, without what those know
    if isinstance(tls, ssl.SSLCertVerificationError):
        reason = (tls.verify_message or "not valid").lower()
        return f"{place} has no certificate that this machine trusts ({reason})"
    if isinstance(tls, ssl.SSLError):
        reason = (tls.reason or str(tls)).replace("_", " ").lower()
        return f"{place} does not speak TLS as expected ({reason})"
    if _is_refused_by_proxy(error):
        return f"{met} got no further: the proxy refused{_proxy_status(error)}"
    if _is_unreachable(error):
        return f"{met} cannot be reached ({_reason(error)})"
    if isinstance(error, httpx.TimeoutException) and not _of_aiohttp(error, "ClientError"):
        return f"{place} did not answer in time"
    if _is_garbage(error):
        return f"{place} answered with something that is not HTTP"
    return f"{place} ended the connection without an answer"


def _what_to_do(error: Exception) -> str:
    if caused_by(error, ssl.SSLCertVerificationError):
        return (
            "if it is your own server or your company's proxy, name the file with its authority's "
            "certificate in SSL_CERT_FILE"
        )
    if _is_refused_by_proxy(error):
        return "check the proxy's address, name and password, then ask again"
    return _CHECK


def stream_broken(error: Exception | None, url: httpx.URL) -> StreamBroken:
    """The error for a reply that ended before it was whole."""
    place = f"the server at {host_of(url)}"
    if isinstance(error, Cut):
        return error.told
    if error is None:
        what = f"{place} ended the reply before it was complete"
    elif isinstance(error, httpx.ReadTimeout) and not _of_aiohttp(error, "ClientError"):
        what = f"{place} fell silent in the middle of the reply"
    else:
        what = f"the connection to {place} broke in the middle of the reply"
    return StreamBroken(f"{what}; what came is kept, ask again for the rest")


def is_of_the_network(error: Exception) -> bool:
    """Whether an exception of a transport is about the network, not a fault in a program."""
    if isinstance(error, (httpx.RequestError, OSError)):
        return True
    return isinstance(error, _aiohttp_kinds("ClientError"))


def stripped(error: Exception) -> httpx.RequestError:
    """The exception as one of httpx's, with only the operating system's own as its cause.

    The exceptions and frames between hold the request with its headers. The same object comes
    back if it is httpx's already.
    """
    told = error if isinstance(error, httpx.RequestError) else httpx.ReadError(_plain(error))
    root = _root(error)
    told.__cause__ = told.__context__ = None
    told.__traceback__ = _without_libraries(error.__traceback__)
    if root is not None:
        root.__traceback__ = root.__cause__ = root.__context__ = None
        told.__cause__ = root
    return told


def caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether there is one of a kind in the chain of causes."""
    return any(isinstance(seen, kind) for seen in _chain(error))


def _is_connect_timeout(error: Exception) -> bool:
    if _of_aiohttp(error, "ClientError"):
        return _of_aiohttp(error, "ConnectionTimeoutError") or _os_timed_out(error)
    return isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)) or _os_timed_out(error)


def _os_timed_out(error: Exception) -> bool:
    # The operating system gives up on its own after some minutes.
    return _is_unreachable(error) and isinstance(_root(error), TimeoutError)


def _is_unreachable(error: Exception) -> bool:
    return isinstance(error, httpx.ConnectError) or _of_aiohttp(error, "ClientConnectorError")


def _is_refused_by_proxy(error: Exception) -> bool:
    if _of_aiohttp(error, "ClientConnectorError"):
        return False
    return isinstance(error, httpx.ProxyError) or _of_aiohttp(error, "ClientHttpProxyError")


def _proxy_status(error: Exception) -> str:
    for seen in _chain(error):
        status = getattr(seen, "status", None)
        if isinstance(status, int):
            return f" ({status})"
    words = str(error).split()
    return f" ({words[0]})" if words and words[0].isdigit() else ""


def _is_garbage(error: Exception) -> bool:
    if _of_aiohttp(error, "ClientResponseError"):
        return True
    # h11's sentence for a hang-up is the one that is no complaint about what came.
    hung_up = "without sending" in str(error)
    return isinstance(error, httpx.RemoteProtocolError) and not hung_up


def _reason(error: Exception) -> str:
    """The operating system's words, from the depths of the chain of causes."""
    root = _root(error)
    if root is None:
        return str(error).lower() or "connection failed"
    # asyncio writes the address into strerror, in Python's notation; names have codes of their own.
    if isinstance(root, socket.gaierror) or not root.errno:
        return (root.strerror or str(root)).lower()
    return os.strerror(root.errno).lower()


def _root(error: BaseException) -> OSError | None:
    """The deepest exception of the operating system, with a number if there is one."""
    found = [
        seen
        for seen in _chain(error)
        if isinstance(seen, OSError) and type(seen).__module__.partition(".")[0] not in _LIBRARIES
    ]
    numbered = [seen for seen in found if seen.errno is not None]
    return next(reversed(numbered or found), None)


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


def _of_aiohttp(error: BaseException, name: str) -> bool:
    kinds = _aiohttp_kinds(name)
    return any(isinstance(seen, kinds) for seen in _chain(error))


def _aiohttp_kinds(name: str) -> tuple[type[BaseException], ...]:
    # Who has not loaded it has none of its exceptions.
    aiohttp: ModuleType | None = sys.modules.get("aiohttp")
    kind = getattr(aiohttp, name, None)
    return (kind,) if isinstance(kind, type) else ()


def _plain(error: Exception) -> str:
    return type(error).__name__


def _without_libraries(trace: TracebackType | None) -> TracebackType | None:
    """The frames outside the libraries: local names of theirs hold headers."""
    if trace is None:
        return None
    rest = _without_libraries(trace.tb_next)
    room = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    if room in _LIBRARIES:
        return rest
    return TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
