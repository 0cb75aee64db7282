"""One recorded exchange, and its file: a JSON value a line, in the order in which things happened.

The same reader takes the file that grows during a recording and the compact one it becomes: a line
that is torn, and all after it, was never written; a file without its last line is a reply that was
cut there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

import pybase64

from cellvoice.errors import UsageError
from cellvoice.protocol.asked import Asked
from cellvoice.protocol.tape import Line, SoundPart
from cellvoice.protocol.taped_sound import is_sound_name

__all__ = ["VERSION", "End", "Exchange", "ended", "opening", "piece", "read", "started", "written"]

VERSION: Final = 1
End = Literal["complete", "cut", "stopped"]
_ENDS: Final = ("complete", "cut", "stopped")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its reply in pieces, and how it ended. Seconds count from the request.

    `status` is None if no reply had begun. `told` is what the reply says, for the index and for
    finding requests again. `error` names what httpx raised at a cut.
    """

    number: int
    asked_at: float
    asked: Asked
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    head_s: float = 0.0
    arrivals: tuple[tuple[float, int], ...] = ()
    lines: tuple[Line, ...] = ()
    end: End = "cut"
    end_s: float = 0.0
    error: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked_time(self) -> str:
        """When it was asked, in UTC, to the second."""
        return datetime.fromtimestamp(self.asked_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def model(self) -> str:
        """The model that answered, else the one that was asked."""
        return str(self.told.get("model") or self.asked.body.get("model") or "")


def opening(exchange: Exchange) -> bytes:
    """The first line: who was asked what, and when."""
    asked = datetime.fromtimestamp(exchange.asked_at, UTC).isoformat(timespec="microseconds")
    return _line(
        {
            "version": VERSION,
            "asked_at": asked.replace("+00:00", "Z"),
            "operation": exchange.asked.operation,
            "request": exchange.asked.body,
        }
    )


def started(exchange: Exchange) -> bytes:
    """The line of the reply's head."""
    head: dict[str, object] = {"at_s": _s(exchange.head_s), "status": exchange.status}
    head["headers"] = dict(exchange.headers)
    if exchange.arrivals:
        head["arrivals"] = [[_s(at_s), size] for at_s, size in exchange.arrivals]
    return _line(head)


def piece(at_s: float, data: bytes) -> bytes:
    """The line of a piece that has just arrived."""
    return _line({"at_s": _s(at_s), **_raw(data)})


def ended(exchange: Exchange) -> bytes:
    """The last line."""
    last: dict[str, object] = {"at_s": _s(exchange.end_s), "end": exchange.end}
    if exchange.error:
        last["error"] = exchange.error
    return _line({**last, "told": dict(exchange.told)})


def written(exchange: Exchange) -> bytes:
    """The whole file."""
    lines = [opening(exchange)]
    if exchange.status is not None:
        lines.append(started(exchange))
    again = 0
    for index, body_line in enumerate(exchange.lines):
        if index and body_line == exchange.lines[index - 1]:
            again += 1
            continue
        lines += [_again(again)] if again else []
        again = 0
        lines.append(_line([_part(part) for part in body_line]))
    lines += [_again(again)] if again else []
    return b"".join([*lines, ended(exchange)])


def read(number: int, data: bytes) -> Exchange | None:
    """An exchange from its file; None if not even its request was written.

    Raises UsageError for a version that is newer than this reader.
    """
    values = _values(data)
    first = next(values, None)
    if not isinstance(first, dict) or "request" not in first:
        return None
    _check_version(first.get("version"))
    asked = Asked(str(first.get("operation")), first["request"])
    exchange = Exchange(number, _unix(first.get("asked_at")), asked)
    lines: list[Line] = []
    arrivals: list[tuple[float, int]] = []
    for value in values:
        match value:
            case [*parts]:
                lines.append(tuple(map(_unpart, parts)))
            case {"again": int(count)}:
                lines += lines[-1:] * count
            case {"status": int(status), "at_s": at_s}:
                exchange = replace(exchange, status=status, head_s=at_s, end_s=at_s)
                exchange = replace(exchange, headers=value.get("headers") or {})
                arrivals = [(at_s, size) for at_s, size in value.get("arrivals") or ()]
            case {"end": end, "at_s": at_s} if end in _ENDS:
                exchange = replace(exchange, end=end, end_s=at_s, error=value.get("error") or "")
                exchange = replace(exchange, told=value.get("told") or {})
            case {"at_s": at_s}:
                data = _unraw(value)
                lines.append((data,))
                arrivals.append((at_s, len(data)))
                exchange = replace(exchange, end_s=at_s)
    return replace(exchange, lines=tuple(lines), arrivals=tuple(arrivals))


def _check_version(version: object) -> None:
    if not isinstance(version, int) or version > VERSION:
        raise UsageError(
            f"this cassette has format version {version}, expected {VERSION} or lower; a newer "
            "cellvoice has recorded it, so update with pip install -U cellvoice"
        )


def _values(data: bytes) -> Iterator[Any]:
    for line in data.split(b"\n")[:-1]:  # what has no line break behind it is torn
        try:
            yield json.loads(line)
        except ValueError:
            return


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def _again(count: int) -> bytes:
    return _line({"again": count})


def _s(seconds: float) -> float:
    return round(seconds, 4)


def _raw(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"bytes": pybase64.b64encode(data).decode("ascii")}


def _unraw(value: Mapping[str, Any]) -> bytes:
    if "bytes" in value:
        return pybase64.b64decode(value["bytes"])
    return str(value.get("text", "")).encode("utf-8")


def _part(part: str | bytes | SoundPart) -> object:
    if isinstance(part, str):
        return part
    if isinstance(part, bytes):
        return _raw(part)
    slice_: dict[str, object] = {"sound": part.sound, "from": part.start, "to": part.end}
    for name, data in (("head", part.head), ("tail", part.tail)):
        if data:
            slice_[name] = pybase64.b64encode(data).decode("ascii")
    return slice_


def _unpart(value: Any) -> str | bytes | SoundPart:
    if isinstance(value, str):
        return value
    if "sound" not in value:
        return _unraw(value)
    if not is_sound_name(value["sound"]):
        raise UsageError(f"a recorded reply names {value['sound']!r}, expected a stored sound")
    head, tail = (pybase64.b64decode(value.get(name, "")) for name in ("head", "tail"))
    return SoundPart(value["sound"], value["from"], value["to"], head, tail)


def _unix(text: object) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
