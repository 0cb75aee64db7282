"""Every error of cellvoice, by who must act.

CellvoiceError
├── UsageError            the caller: a wrong argument, an unknown parameter
│   ├── AudioError        the caller: sound that cannot be used
│   ├── BudgetExceeded    the caller: a turn that may cost more than is left of the budget
│   └── CassetteMiss      the caller: a request that is not in the recording that is replayed
├── ServiceError          the service: it refused or failed; has status, code, param, request_id
│   ├── AuthError         the account: no key, or a key that is refused
│   ├── QuotaError        the account: money or limits
│   │   ├── RateLimited   the account: too much at a time; retry_after_s says how long to wait
│   │   └── BillingError  the account: no credit, or a limit on spending
│   ├── ModelNotFound     the caller: no such model, or none that this account may use
│   ├── AudioNotFound     the caller: the service no longer has an earlier reply's sound
│   └── RequestTooLarge   the caller: more than the service takes in one request
├── ConnectionFailed      the network: no answer at all
│   ├── ConnectTimeout    the network: no connection within the limit
│   └── AnswerTimeout     the network: connected, but no byte of a reply within the limit
├── ProtocolError         the wire: bytes that make no sense
│   └── StreamBroken      the wire: a reply that ended too early; what came is on error.turn
│       ├── IdleTimeout   the wire: no byte for too long in the middle of a reply
│       └── TotalTimeout  the caller: the limit for a whole exchange ran out
├── DeviceError           the browser: no microphone, no page, not allowed; has device_error
└── EngineError           the embedded engine: it did not start, or it ended

The four time-outs are TimeoutErrors as well. Stopped is a KeyboardInterrupt, not a CellvoiceError:
the user ended a wait before there was a turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellvoice.session import Turn

__all__ = [
    "AnswerTimeout",
    "AudioError",
    "AudioNotFound",
    "AuthError",
    "BillingError",
    "BudgetExceeded",
    "CassetteMiss",
    "CellvoiceError",
    "ConnectTimeout",
    "ConnectionFailed",
    "DeviceError",
    "EngineError",
    "IdleTimeout",
    "ModelNotFound",
    "ProtocolError",
    "QuotaError",
    "RateLimited",
    "RequestTooLarge",
    "ServiceError",
    "Stopped",
    "StreamBroken",
    "TotalTimeout",
    "UsageError",
]


class CellvoiceError(Exception):
    """Something went wrong; the message says what, what was expected and what to do next.

    `turn` is the turn that the error ended: `turn.reply` is the reply so far. It is None for
    errors outside of a turn; whoever uses a Client without a session has had every event that
    arrived before the error is raised.
    """

    turn: Turn | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Copy everything but the turn, which can't leave its process."""
        state = {name: value for name, value in vars(self).items() if name != "turn"}
        return type(self), self.args, state

    def _render_traceback_(self) -> list[str]:
        """Show one sentence in a notebook instead of the frames of the background loop.

        IPython asks for this name. `%tb` and `__cause__` still have the whole story.
        """
        return [f"{type(self).__name__}: {self}"]


class UsageError(CellvoiceError, ValueError):
    """An argument is wrong; nothing was sent."""


class AudioError(UsageError):
    """A piece of sound cannot be read, made or sent as asked."""


class CassetteMiss(UsageError):
    """A request is not in the recording that is replayed.

    `nearest` is the number of the exchange that is most like it, or None if nothing is recorded;
    `differences` says in a clause each what the request has other than that.
    """

    nearest: int | None = None
    differences: tuple[str, ...] = ()


class BudgetExceeded(UsageError):
    """A turn would cross the session's own budget; nothing was sent.

    In US dollars: `budget_usd` is the limit, `spent_usd` what is spent or reserved for turns that
    run, `estimated_usd` what this one may cost, and `over_usd` by how much it would cross.
    """

    def __init__(
        self,
        message: str,
        *,
        budget_usd: float = 0.0,
        spent_usd: float = 0.0,
        estimated_usd: float = 0.0,
        over_usd: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.budget_usd = budget_usd
        self.spent_usd = spent_usd
        self.estimated_usd = estimated_usd
        self.over_usd = over_usd


class ServiceError(CellvoiceError):
    """The service answered with an error.

    `status` is the HTTP status (None for an error inside a stream), `code` and `param` are the
    service's own words or None, `request_id` is what support asks for. `retry_after_s` is how long
    the service asked to be left alone, in seconds, or None if it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class AuthError(ServiceError):
    """There is no key, or the service refused it."""


class QuotaError(ServiceError):
    """The account's money or limits are used up."""


class RateLimited(QuotaError):
    """The account asks for more at a time than it may; the same request passes later."""


class BillingError(QuotaError):
    """The account has no credit left, or a limit on spending is reached; waiting does not help."""


class ModelNotFound(ServiceError):
    """There is no such model at this address, or this account may not use it."""


class AudioNotFound(ServiceError):
    """The service no longer has the sound of an earlier reply; it keeps it for an hour."""


class RequestTooLarge(ServiceError):
    """The request is more than the service takes at once; it would never pass as it is."""


class ConnectionFailed(CellvoiceError):
    """No answer came: no network, a wrong address, or a time-out."""


class ConnectTimeout(ConnectionFailed, TimeoutError):
    """There was no connection within `Timeouts.connect_s`; nothing was sent."""


class AnswerTimeout(ConnectionFailed, TimeoutError):
    """No byte of a reply came within `Timeouts.first_byte_s`; the service may bill it anyway."""


class ProtocolError(CellvoiceError):
    """The service's bytes do not follow its protocol."""


class StreamBroken(ProtocolError):
    """The connection ended before the reply was complete; what was received is kept."""


class IdleTimeout(StreamBroken, TimeoutError):
    """No byte came for `Timeouts.idle_s` in the middle of a reply; what was received is kept."""


class TotalTimeout(StreamBroken, TimeoutError):
    """The exchange took longer than `Timeouts.total_s`; what was received, if anything, is kept."""


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
