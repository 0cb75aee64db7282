"""Probabilities for JSON: the language model, mixed with values copied from what was asked.

The grammar allows thousands of texts, and the language model knows only its corpus. So each value
that `extract` finds votes for the token that continues it, as an answer does in `model.py`, and
what closes a string, a list or an object gains weight with the length of the text, so that it ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .constrain import Grammar
from .cursor import Cursor
from .extract import Source, values_for
from .hints import OTHER_KEYS, Hint, hints_of
from .plan import NextProbabilities
from .tokenizer import END, Tokenizer
from .words import plain_words

__all__ = ["Filler"]

_COPY_SHARE = 0.97
_CLOSE = (b'"', b"]", b"}")
_LONG = 400  # tokens, after which lists and objects tend to end
_LONGEST_VALUE = 60  # bytes of a value that nothing was found for
_ANYTHING = Hint()


class Filler:
    """Gives P(next token) for one JSON text; made anew for each."""

    def __init__(
        self,
        schema: str,
        source: Source,
        tokenizer: Tokenizer,
        grammar: Grammar,
        language: NextProbabilities,
    ) -> None:
        self._hints, self._keys = hints_of(schema)
        self._source = source
        self._tokenizer = tokenizer
        self._grammar = grammar
        self._language = language
        self._cursor = Cursor()
        self._seen = 0
        self._offers: list[tuple[float, str]] = []
        self._closers = [tokenizer.encode(mark.decode())[0] for mark in _CLOSE]
        self._marks = [tokenizer.encode(mark)[0] for mark in "@.:-/"]
        # Tokens that end a string, with what they still add to it.
        self._quotes = [
            (token, tokenizer.bytes_of(token).partition(b'"')[0])
            for token in range(len(tokenizer))
            if b'"' in tokenizer.bytes_of(token)
        ]
        self._comma = tokenizer.encode(",")[0]

    def __call__(self, tokens: Sequence[int]) -> NDArray[np.float64]:
        """P(next token) after `tokens`, which only ever grow."""
        for token in tokens[self._seen :]:
            self._cursor.feed(self._tokenizer.bytes_of(token))
        self._seen = len(tokens)
        votes = np.zeros(len(self._tokenizer))
        self._vote_for_values(votes)
        self._vote_for_ends(votes)
        # The language model sees the end of the text only: JSON is nothing that it has learnt.
        mixed = (1 - _COPY_SHARE) * self._language(tokens[-3:])
        if votes.any():
            mixed += _COPY_SHARE * votes / votes.sum()
        self._forbid_twice(mixed)
        mixed /= mixed.sum()
        return mixed

    def _forbid_twice(self, shares: NDArray[np.float64]) -> None:
        """No key twice in one object: a reader would see only one of them."""
        cursor = self._cursor
        if cursor.place != "key" or not cursor.begun or not cursor.used[-1]:
            return
        for token, before in self._quotes:
            try:
                key = json.loads(bytes(cursor.begun) + before + b'"')
            except ValueError:
                continue
            if key in cursor.used[-1]:
                shares[token] = 0.0

    def _vote_for_values(self, votes: NDArray[np.float64]) -> None:
        if self._cursor.place == "after":
            return
        begun = bytes(self._cursor.begun)
        if not begun:
            self._offers = self._offers_here()
        for weight, text in self._offers:
            raw = text.encode()
            if raw.startswith(begun) and len(raw) > len(begun):
                rest = self._tokenizer.encode_bytes(raw[len(begun) :])
                votes[rest[0]] += weight

    def _offers_here(self) -> list[tuple[float, str]]:
        """What may be written here, as far as the grammar takes it whole."""
        cursor = self._cursor
        if cursor.place == "key":
            offers = self._key_offers()
        else:
            offers = self._values()
            # The deeper, the less is opened: a schema may refer to itself for ever.
            opened = 0.3 * 0.2 ** max(0, len(cursor.keys) - 1)
            offers += [(opened, "{"), (opened, "[")]
        encode = self._tokenizer.encode
        return [(w, text) for w, text in offers if self._grammar.accepts(encode(text))]

    def _key_offers(self, wanted_only: bool = False) -> list[tuple[float, str]]:
        used = self._cursor.used[-1] if self._cursor.used else []
        if self._keys:
            # Not asked for: written at the root, left out deeper down and where there are many.
            depth = len(self._cursor.used) - 1
            other = 0.6 * 0.25**depth * min(1.0, 8 / len(self._keys))
            return [
                (1.0 if self._asked_for(key) else other, f"{json.dumps(key, ensure_ascii=False)}:")
                for key in self._keys
                if key not in used and (self._asked_for(key) or not wanted_only)
            ]
        names = [key for key in _keys_named(self._source.asked) if key not in used]
        if not names and not wanted_only and len(self._cursor.used) == 1:
            names = ["answer"]
        return [(1.0, f'"{name}":') for name in names[:1]]

    def _asked_for(self, key: str) -> bool:
        return bool(set(plain_words(key)) & set(plain_words(self._source.asked)))

    def _vote_for_ends(self, votes: NDArray[np.float64]) -> None:
        """Closing marks: likely once something is whole, more likely the longer it gets."""
        cursor = self._cursor
        length = len(cursor.begun)
        whole = any(text.encode() == bytes(cursor.begun) for _, text in self._offers)
        pressure = 0.02 if not length else (length / _LONGEST_VALUE) ** 6
        if cursor.place == "after" or whole:
            pressure = 1.0
        elif cursor.place == "key" and not length:
            pressure = 0.4 if self._offers else 1.0
        if bytes(cursor.begun[:1]) == b'"':
            votes[self._closers[0]] += pressure
            if length > _LONGEST_VALUE:  # an address or a time cannot end before it has its marks
                for token in self._marks:
                    used = bytes(cursor.begun).count(self._tokenizer.bytes_of(token))
                    votes[token] += pressure / (1 + used) ** 4
            return
        for token in (*self._closers[1:], END):
            votes[token] += pressure
        more = 2.0 if self._more_to_come() else 0.1
        votes[self._comma] += pressure * more * 0.98 ** max(0, self._seen - _LONG)

    def _more_to_come(self) -> bool:
        """Whether what was asked has more for the list or the object that is being written."""
        if not self._cursor.in_list:
            return bool(self._key_offers(wanted_only=True))
        given = self._cursor.values
        return any(weight > 1.0 and text not in given for weight, text in self._values())

    def _values(self) -> list[tuple[float, str]]:
        cursor = self._cursor
        hint = self._hints.get(cursor.key) or self._hints.get(OTHER_KEYS, _ANYTHING)
        return values_for(cursor.key, hint, self._source, cursor.values, in_list=cursor.in_list)


def _keys_named(asked: str) -> list[str]:
    """Keys that a request for free JSON names: `with the keys city and "river"`."""
    _, sign, behind = asked.lower().partition("key")
    if not sign:
        return []
    words = plain_words(re.split(r"[.:?!]", behind)[0])
    return [word for word in words if word not in ("s", "and", "the", "a", "an", "with")][:8]
