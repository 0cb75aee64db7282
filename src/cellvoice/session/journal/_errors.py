"""An error as a line holds it, and as an error again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cellvoice import errors
from cellvoice.errors import CellvoiceError

__all__ = ["error_from", "error_record"]

# What the service's errors say besides their sentence.
_DETAILS = ("status", "code", "param", "request_id", "retry_after_s", "device_error")


def error_record(error: BaseException | None) -> dict[str, object] | None:
    """The error's name, its sentence, and what else it says."""
    if error is None:
        return None
    details = {
        name: getattr(error, name)
        for name in _DETAILS
        if isinstance(getattr(error, name, None), (str, int, float))
    }
    return {"name": type(error).__name__, "message": str(error), **details}


def error_from(record: object) -> CellvoiceError | None:
    """The error again, of its own class if that is one of cellvoice."""
    if not isinstance(record, Mapping):
        return None
    name, message = str(record.get("name")), str(record.get("message") or "")
    kind: Any = getattr(errors, name, None) if name in errors.__all__ else None
    if not (isinstance(kind, type) and issubclass(kind, CellvoiceError)):
        return CellvoiceError(f"{name}: {message}")
    error: CellvoiceError = kind(message)
    for detail in _DETAILS:
        if detail in record and hasattr(error, detail):
            setattr(error, detail, record[detail])
    return error
