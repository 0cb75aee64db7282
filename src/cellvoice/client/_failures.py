"""What the network did, as one sentence that says what to do."""

from __future__ import annotations

import os
import socket
import ssl

import httpx

from cellvoice.errors import ConnectionFailed, ConnectTimeout, StreamBroken

from ._address import host_of
from ._causes import HUNG_UP, root_of

__all__ = ["Cut", "connection_failed", "stream_broken"]

_CHECK = "check the network and base_url, then ask again"


class Cut(httpx.ReadTimeout):
    """A limit of ours that passed in the middle of a body; `told` is what the user gets."""

    def __init__(self, told: StreamBroken) -> None:
        super().__init__(str(told))
        self.told = told


def connection_failed(
    error: httpx.RequestError, url: httpx.URL, *, connect_s: float | None, proxy: str | None = None
) -> ConnectionFailed:
    """The error for a request that got no answer at all; `proxy` is the host of the proxy used."""
    place = f"the server at {host_of(url)}"
    met = f"the proxy at {proxy}, on the way to {place}," if proxy else place
    root = root_of(error)
    failed: ConnectionFailed
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            limit = f"within {connect_s:g} s" if connect_s is not None else "in time"
            failed = ConnectTimeout(
                f"{met} could not be reached {limit}; {_CHECK}, or wait longer with "
                "timeout=Timeouts(connect_s=…)"
            )
        case _ if isinstance(root, ssl.SSLError):
            failed = _untrusted(root, place)
        case httpx.ProxyError():
            failed = ConnectionFailed(
                f"{met} got no further: the proxy refused{_status(error)}; check the proxy's "
                "address, name and password, then ask again"
            )
        case httpx.ConnectError():
            failed = ConnectionFailed(f"{met} cannot be reached ({_reason(error)}); {_CHECK}")
        case httpx.TimeoutException():
            failed = ConnectionFailed(f"{place} did not answer in time; {_CHECK}")
        case httpx.RemoteProtocolError() if HUNG_UP not in str(error):
            failed = ConnectionFailed(f"{place} answered with something that is not HTTP; {_CHECK}")
        case _:
            failed = ConnectionFailed(f"{place} ended the connection without an answer; {_CHECK}")
    failed.__cause__ = error
    return failed


def stream_broken(error: Exception | None, url: httpx.URL) -> StreamBroken:
    """The error for a reply that ended before it was whole."""
    place = f"the server at {host_of(url)}"
    match error:
        case Cut():
            return error.told
        case None:
            what = f"{place} ended the reply before it was complete"
        case httpx.TimeoutException():
            what = f"{place} fell silent in the middle of the reply"
        case _:
            what = f"the connection to {place} broke in the middle of the reply"
    return StreamBroken(f"{what}; what came is kept, ask again for the rest")


def _untrusted(error: ssl.SSLError, place: str) -> ConnectionFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = (error.verify_message or "not valid").lower()
        return ConnectionFailed(
            f"{place} has no certificate that this machine trusts ({reason}); if it is your own "
            "server or your company's proxy, name the file with its authority's certificate in "
            "SSL_CERT_FILE"
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return ConnectionFailed(f"{place} does not speak TLS as expected ({reason}); {_CHECK}")


def _reason(error: Exception) -> str:
    """The operating system's words."""
    root = root_of(error)
    if root is None:
        return str(error).lower() or "connection failed"
    # asyncio writes the address into strerror, in Python's notation; names have codes of their own.
    if isinstance(root, socket.gaierror) or not root.errno:
        return (root.strerror or str(root)).lower()
    return os.strerror(root.errno).lower()


def _status(error: Exception) -> str:
    first = str(error).partition(" ")[0]
    return f" ({first})" if first.isdigit() else ""
