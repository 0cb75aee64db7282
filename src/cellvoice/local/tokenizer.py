"""Text to numbers and back: whole words where the corpus has them, single bytes everywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["ASSISTANT", "END", "SPECIALS", "START", "USER", "Tokenizer"]

SPECIALS = ("<|start|>", "<|user|>", "<|assistant|>", "<|end|>")
START, USER, ASSISTANT, END = range(4)

# A word with the space before it, a run of digits, one mark, or white space.
_PIECES = re.compile(r" ?[A-Za-z']+| ?[0-9]+| ?[^\sA-Za-z0-9]|\s+")


class Tokenizer:
    """Lossless on any text: `decode(encode(text)) == text`.

    The vocabulary is the four special tokens, the 256 bytes, then the pieces of the texts given,
    sorted, so that the same texts always give the same numbers.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        pieces = {piece for text in texts for piece in _PIECES.findall(text)}
        words = sorted(p.encode() for p in pieces if len(p.encode()) > 1)
        self._bytes: list[bytes] = [name.encode() for name in SPECIALS]
        self._bytes += [bytes([value]) for value in range(256)]
        self._bytes += words
        self._number = {word: len(SPECIALS) + 256 + at for at, word in enumerate(words)}
        self._longest = max((len(word) for word in words), default=1)

    def __len__(self) -> int:
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        """The tokens of `text`; special tokens are never made from text."""
        tokens: list[int] = []
        for piece in _PIECES.findall(text):
            tokens += self._encode_piece(piece.encode())
        return tokens

    def encode_bytes(self, raw: bytes) -> list[int]:
        """The tokens of the rest of a text that may begin inside a letter."""
        at = 0
        while at < len(raw) and raw[at] & 0xC0 == 0x80:
            at += 1
        return [len(SPECIALS) + byte for byte in raw[:at]] + self.encode(raw[at:].decode())

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`; special tokens are silent, broken UTF-8 becomes U+FFFD."""
        return b"".join(self.bytes_of(token) for token in tokens).decode("utf-8", "replace")

    def bytes_of(self, token: int) -> bytes:
        """The UTF-8 bytes that `token` stands for; empty for a special token."""
        return b"" if token < len(SPECIALS) else self._bytes[token]

    def name_of(self, token: int) -> str:
        """The text of `token`, as a person can read it.

        A special token has its name, and a part of a letter is written `bytes:\\xe2`, as the
        service does.
        """
        raw = self._bytes[token]
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{value:02x}" for value in raw)

    def _encode_piece(self, piece: bytes) -> list[int]:
        """Greedy longest match, so that an unknown word keeps the known parts it begins with."""
        whole = self._number.get(piece)
        if whole is not None:
            return [whole]
        tokens: list[int] = []
        at = 0
        while at < len(piece):
            for length in range(min(self._longest, len(piece) - at), 1, -1):
                number = self._number.get(piece[at : at + length])
                if number is not None:
                    tokens.append(number)
                    at += length
                    break
            else:
                tokens.append(len(SPECIALS) + piece[at])
                at += 1
        return tokens
