"""Server-sent events: bytes as they arrive, cut anywhere, to the payloads of `data:` lines."""

from __future__ import annotations

from typing import Final

from cellvoice.errors import ProtocolError

__all__ = ["MAX_EVENT_BYTES", "SSEDecoder"]

# One event of another provider's sound has been seen at 1 MB; far above that it is not speech.
MAX_EVENT_BYTES: Final = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class SSEDecoder:
    """Decode server-sent events that arrive in pieces.

    `feed` returns the payload of each event that a piece completes: `b"data: {}\\n\\n"` gives
    `[b"{}"]`. Comments, other fields and empty events give nothing. Lines may end in LF, CRLF or
    CR. Raises ProtocolError when one event grows past `max_event_bytes`.
    """

    __slots__ = ("_at_start", "_data", "_held_bytes", "_max_event_bytes", "_partial", "_skip_lf")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        # The unfinished line, in the pieces it came in: joining at each one would be quadratic.
        self._partial: list[bytes] = []
        # The `data:` lines of the unfinished event.
        self._data: list[bytes] = []
        self._held_bytes = 0
        self._skip_lf = False
        self._at_start = True

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the payloads of the events they complete."""
        if self._skip_lf and data:
            # The CR that ended the last piece may be the first half of a CRLF.
            self._skip_lf = False
            if data[:1] == b"\n":
                data = data[1:]
        if b"\r" in data:
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = data.split(b"\n")
        tail = lines.pop()
        if not lines:
            self._hold(tail)
            return []
        if self._partial:
            self._partial.append(lines[0])
            lines[0] = b"".join(self._partial)
            self._partial = []
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        payloads = self._events(lines)
        self._held_bytes = sum(map(len, self._data))
        self._hold(tail)
        return payloads

    def finish(self) -> list[bytes]:
        """The event that the end of the bytes completes, for servers that leave out the last line.

        After a cut connection this may be half an event; whoever reads the payload must see to it.
        """
        line = b"".join(self._partial)
        self._partial = []
        self._held_bytes = 0
        return self._events([line.removeprefix(_BOM) if self._at_start else line, b""])

    def _hold(self, tail: bytes) -> None:
        if tail:
            self._partial.append(tail)
            self._held_bytes += len(tail)
        if self._held_bytes > self._max_event_bytes:
            raise ProtocolError(
                f"one event of the stream passed {self._max_event_bytes:,} bytes, expected less; "
                "the answer is probably no event stream, so check base_url"
            )

    def _events(self, lines: list[bytes]) -> list[bytes]:
        payloads = []
        data = self._data
        for line in lines:
            if line:
                if line.startswith(b"data:"):
                    data.append(line[6:] if line[5:6] == b" " else line[5:])
                elif line == b"data":
                    data.append(b"")
                elif line.startswith(b"error:"):
                    # llama.cpp's server says so what goes wrong in the middle of a reply.
                    data.append(line[6:])
            elif data:
                payload = data[0] if len(data) == 1 else b"\n".join(data)
                data.clear()
                if payload:
                    payloads.append(payload)
        return payloads
