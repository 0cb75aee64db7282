"""What of an exchange may be kept: no key, and nothing by which an account can be told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from cellvoice.protocol import mask_keys
from cellvoice.protocol.asked import Asked

__all__ = ["Mask", "Piece", "kept_headers"]

# Seconds since the request, and the bytes that came then.
Piece = tuple[float, bytes]

_KEPT: Final = (
    "content-type",
    "openai-processing-ms",
    "openai-version",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
)
# Headers of a request whose values are secrets or name an account.
_SECRET: Final = re.compile(
    r"auth|key|token|secret|password|cookie|organi[sz]ation|project", re.IGNORECASE
)
_SHORTEST_SECRET: Final = 6
_MASK: Final = b"***"
# Organisation, project, user and request, as the service names them in its refusals.
_ACCOUNT: Final = re.compile(r"\b(?:org-|proj_|user-|req_)\w{6,}")
# An error in the middle of a stream; inside a string the quotes would have backslashes.
_ERROR_EVENT: Final = re.compile(rb'(?<!\\)"error"\s*:\s*[{"]')


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a response that are kept; all others are not."""
    return {name: headers[name] for name in _KEPT if name in headers}


class Mask:
    """Takes secrets out of bytes. Holds them only as long as a request is recorded."""

    __slots__ = ("_secrets",)

    def __init__(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        words = {
            word.encode()
            for name, value in headers
            if _SECRET.search(name)
            for word in (value, *value.split())
            if len(word) >= _SHORTEST_SECRET
        }
        # A longer one may hold a shorter one, of which half would be left.
        self._secrets = sorted(words, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Mask({len(self._secrets)})"

    def asked(self, asked: Asked) -> Asked:
        """A request without the secrets that its own headers had."""
        text = json.dumps(asked.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        hidden = self.line(text, refusal=False)
        return asked if hidden == text else replace(asked, body=json.loads(hidden))

    def line(self, line: bytes, *, refusal: bool) -> bytes:
        """A line of a body; in a refusal also what only looks like a secret."""
        for secret in self._secrets:
            line = line.replace(secret, _MASK)
        if not refusal and not _ERROR_EVENT.search(line):
            return line
        text = line.decode("utf-8", "surrogateescape")
        return _ACCOUNT.sub("***", mask_keys(text)).encode("utf-8", "surrogateescape")

    def pieces(self, pieces: list[Piece], *, refusal: bool) -> list[Piece]:
        """All pieces of a body as they came, or, if there was something to mask, line by line."""
        body = b"".join(data for _, data in pieces)
        lines = body.splitlines(keepends=True)
        masked = [self.line(line, refusal=refusal) for line in lines]
        if masked == lines:
            return pieces
        ends, end = [], 0
        for at_s, data in pieces:
            end += len(data)
            ends.append((end, at_s))
        timed: list[Piece] = []
        position = 0
        for line, hidden in zip(lines, masked, strict=True):
            position += len(line)
            timed.append((next(at_s for end, at_s in ends if end >= position), hidden))
        return timed
