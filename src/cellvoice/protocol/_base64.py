"""Base64 in pieces, as strict as it can be with what servers write."""

from __future__ import annotations

import re

import msgspec
import pybase64

from cellvoice.errors import ProtocolError

__all__ = ["Base64Stream"]

_PADDED_RUN = re.compile(rb"[^=]+={0,2}")
_WHITESPACE = re.compile(rb"\s+")
# The alphabet for addresses, which some servers use for everything.
_FROM_URLS = bytes.maketrans(b"-_", b"+/")
_decode_text = msgspec.json.Decoder(str).decode
_NOT_WHOLE = (
    "the reply's sound is no base64, expected pcm16 in base64; "
    "what came before it is kept, so ask again"
)


class Base64Stream:
    """Decode base64 that arrives in pieces.

    A piece may stop in the middle of a 4-character group, or may carry padding of its own.
    Joining the text first and decoding once would lose everything after the first padded piece,
    so it is decoded group by group. Raises ProtocolError for anything but base64.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    def feed_json(self, piece: msgspec.Raw) -> bytes:
        """Decode a piece that is still the JSON string it came as, without making it text first."""
        if not self._tail:
            try:
                return pybase64.b64decode(memoryview(piece)[1:-1], validate=True)
            except ValueError:
                pass  # it is cut, padded inside, written with escapes, or no base64 at all
        return self.feed(_decode_text(piece).encode("utf-8", "replace"))

    def feed(self, piece: bytes) -> bytes:
        """Decode as much as is whole."""
        text = self._tail + piece if self._tail else piece
        whole = len(text) - len(text) % 4
        try:
            found = pybase64.b64decode(memoryview(text)[:whole], validate=True)
        except ValueError:
            return self._feed_slowly(text)
        self._tail = text[whole:]
        return found

    def finish(self, *, cut: bool = False) -> bytes:
        """Decode what is left over: a last group may lack its padding.

        After a `cut` it is half of something and dropped.
        """
        tail, self._tail = self._tail, b""
        return b"" if cut else _decoded(tail + b"=" * (-len(tail) % 4))

    def _feed_slowly(self, text: bytes) -> bytes:
        text = _WHITESPACE.sub(b"", text).translate(_FROM_URLS)
        whole = len(text) - len(text) % 4
        self._tail = text[whole:]
        return b"".join(_decoded(run) for run in _PADDED_RUN.findall(text[:whole]))


def _decoded(run: bytes) -> bytes:
    try:
        return pybase64.b64decode(run, validate=True)
    except ValueError as error:
        raise ProtocolError(_NOT_WHOLE) from error
