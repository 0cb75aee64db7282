"""Token probabilities as they came: kept as JSON, decoded when somebody asks for them.

With 20 alternatives a token, the probabilities are nearly all of a stream's bytes, and most of
those who ask for them look at a few. A row is the service's own object: `token`, `logprob`, `bytes`
(UTF-8, or null) and `top_logprobs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._json import NotJSON, as_list, as_mapping, decode

__all__ = ["ReplyLogprobs", "joined_text", "rows_of"]

Row = Mapping[str, Any]


def rows_of(raw: bytes, name: str) -> list[Row]:
    """The rows under `content` or `refusal` of one `logprobs` object; nonsense counts as none."""
    try:
        found = as_mapping(decode(raw))
    except NotJSON:
        return []
    return [row for row in as_list(found.get(name)) if isinstance(row, dict)]


def joined_text(rows: Iterable[Row]) -> str:
    """The text that the tokens make together.

    A letter outside ASCII may be spread over several tokens, whose own texts are then no letters:
    the bytes are joined first and decoded once. A token without bytes counts by its text.
    """
    return b"".join(map(_bytes_of, rows)).decode("utf-8", "replace")


def _bytes_of(row: Row) -> bytes:
    found = row.get("bytes")
    if isinstance(found, list):
        try:
            return bytes(found)
        except (TypeError, ValueError):
            pass  # no list of bytes: the token's text is what is left
    token = row.get("token")
    return token.encode("utf-8", "replace") if isinstance(token, str) else b""


class ReplyLogprobs:
    """The rows of one reply, for its text and for its refusal; they are decoded on first use."""

    __slots__ = ("_content", "_decoded", "_pieces", "_refusal")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._decoded = 0
        self._content: list[Row] = []
        self._refusal: list[Row] = []

    def append(self, raw: bytes) -> None:
        """Add the JSON of one `logprobs` object."""
        self._pieces.append(raw)

    @property
    def raw(self) -> tuple[bytes, ...]:
        """The JSON of the `logprobs` objects as they came, to be kept and appended again."""
        return tuple(self._pieces)

    @property
    def content(self) -> list[Row]:
        """A row for each token of the text so far, as the service wrote it."""
        self._decode()
        return self._content

    @property
    def refusal(self) -> list[Row]:
        """A row for each token of the refusal so far."""
        self._decode()
        return self._refusal

    @property
    def text(self) -> str:
        """The text that the rows of `content` make together."""
        return joined_text(self.content)

    def _decode(self) -> None:
        pieces = self._pieces[self._decoded :]
        self._decoded += len(pieces)
        for raw in pieces:
            self._content += rows_of(raw, "content")
            self._refusal += rows_of(raw, "refusal")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReplyLogprobs):
            return NotImplemented
        return (self.content, self.refusal) == (other.content, other.refusal)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"ReplyLogprobs({len(self.content)} tokens, {len(self.refusal)} of a refusal)"
