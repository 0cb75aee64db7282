"""Every error of cellvoice, by who must act.

CellvoiceError
├── UsageError            the caller: a wrong argument, an unknown parameter
│   └── AudioError        the caller: sound that cannot be used
├── AuthError             the account: no key, or a key that is refused
├── QuotaError            the account: money or limits
├── ServiceError          the service: it refused or failed; has status, code, param, request_id
├── ConnectionFailed      the network: no answer at all
├── ProtocolError         the wire: bytes that make no sense
│   └── StreamBroken      the wire: a reply that ended too early; what came is on error.turn
├── DeviceError           the browser: no microphone, no page, not allowed; has device_error
└── EngineError           the embedded engine: it did not start, or it ended

Stopped is a KeyboardInterrupt, not a CellvoiceError: the user ended a wait before there was a turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellvoice.session import Turn

__all__ = [
    "AudioError",
    "AuthError",
    "CellvoiceError",
    "ConnectionFailed",
    "DeviceError",
    "EngineError",
    "ProtocolError",
    "QuotaError",
    "ServiceError",
    "Stopped",
    "StreamBroken",
    "UsageError",
]


class CellvoiceError(Exception):
    """Something went wrong; the message says what, what was expected and what to do next.

    `turn` is the turn that the error ended, with whatever was received, or None.
    """

    turn: Turn | None = None

    def _render_traceback_(self) -> list[str]:
        """Show one sentence in a notebook instead of the frames of the background loop.

        IPython asks for this name. `%tb` and `__cause__` still have the whole story.
        """
        return [f"{type(self).__name__}: {self}"]


class UsageError(CellvoiceError, ValueError):
    """An argument is wrong; nothing was sent."""


class AudioError(UsageError):
    """A piece of sound cannot be read, made or sent as asked."""


class ServiceError(CellvoiceError):
    """The service answered with an error.

    `status` is the HTTP status (None for an error inside a stream), `code` and `param` are the
    service's own words or None, `request_id` is what support asks for.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id


class AuthError(ServiceError):
    """There is no key, or the service refused it."""


class QuotaError(ServiceError):
    """The account's money or limits are used up."""


class ConnectionFailed(CellvoiceError):
    """No answer came: no network, a wrong address, or a time-out."""


class ProtocolError(CellvoiceError):
    """The service's bytes do not follow its protocol."""


class StreamBroken(ProtocolError):
    """The connection ended before the reply was complete; what was received is kept."""


class DeviceError(CellvoiceError):
    """The browser could not record or play.

    `device_error` is the browser's own error name, or None.
    """

    def __init__(self, message: str, *, device_error: str | None = None) -> None:
        super().__init__(message)
        self.device_error = device_error


class EngineError(CellvoiceError):
    """The embedded engine did not start or ended on its own."""


class Stopped(KeyboardInterrupt):
    """The user interrupted a wait; the message says what was kept."""

    def _render_traceback_(self) -> list[str]:
        """Show one line in a notebook; stopping is no failure."""
        return [f"Stopped: {self}"]
