"""What httpx raises, as one sentence about the network."""

from __future__ import annotations

import os
import socket
import ssl

import httpx

from cellvoice.errors import ConnectionFailed, StreamBroken


def connection_failed(error: httpx.HTTPError, url: httpx.URL, waited_s: float) -> ConnectionFailed:
    """The error for a request that got no answer at all."""
    place = f"the server at {host_of(url)}"
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            what = f"{place} could not be reached in time"
        case httpx.TimeoutException():
            what = f"{place} did not answer within {waited_s:.0f} s"
        case httpx.ProxyError():
            what = f"the proxy on the way to {place} refused"
        case httpx.ConnectError() if _caused_by(error, ssl.SSLError):
            what = f"{place} has no certificate that this machine trusts"
        case httpx.ConnectError():
            what = f"{place} cannot be reached ({_reason(error)})"
        case _:
            what = f"{place} ended the connection without an answer"
    return ConnectionFailed(f"{what}; check the network and base_url, then ask again")


def stream_broken(error: httpx.HTTPError | None, url: httpx.URL) -> StreamBroken:
    """The error for a reply that ended before it was whole."""
    place = f"the server at {host_of(url)}"
    match error:
        case None:
            what = f"{place} ended the reply before it was complete"
        case httpx.TimeoutException():
            what = f"{place} fell silent in the middle of the reply"
        case _:
            what = f"the connection to {place} broke in the middle of the reply"
    return StreamBroken(f"{what}; what came is kept, ask again for the rest")


def host_of(url: httpx.URL) -> str:
    """The host, with the port where it is not the usual one."""
    return url.netloc.decode("ascii").rpartition("@")[2]


def _reason(error: BaseException) -> str:
    """The operating system's words, from the depths of the chain of causes."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            return _words_of(seen).lower()
        if isinstance(seen, BaseExceptionGroup):
            # One failure for each address of the name; they say the same.
            seen = seen.exceptions[0]
            continue
        seen = seen.__cause__ or seen.__context__
    return str(error).lower() or "connection failed"


def _words_of(error: OSError) -> str:
    # asyncio writes the address into strerror, in Python's notation; names have codes of their own.
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
