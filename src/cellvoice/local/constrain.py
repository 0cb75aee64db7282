"""Grammars that hold the drawing to a JSON schema, a regular expression or a Lark grammar.

llguidance compiles the grammar and says for every step which tokens may follow; the probabilities
and the drawing stay ours. It is loaded with the first grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cellvoice.errors import EngineError

from .schemas import grammar_of
from .tokenizer import END, SPECIALS, START, Tokenizer

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

__all__ = ["Constrainer", "Grammar"]


class Constrainer:
    """Makes grammars over one vocabulary; safe to use from several threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def grammar(self, source: str | tuple[str, str]) -> Grammar:
        """A grammar at its beginning, of a JSON schema (text) or ("regex" | "lark", definition).

        Raises EngineError for one that cannot be compiled.
        """
        from llguidance import LLMatcher

        matcher = LLMatcher(self._vocabulary, grammar_of(source), log_level=0)
        _check(matcher)
        return Grammar(matcher, len(self._tokenizer))

    @cached_property
    def _vocabulary(self) -> LLTokenizer:
        from llguidance import LLTokenizer, TokenizerWrapper

        return LLTokenizer(TokenizerWrapper(_Vocabulary(self._tokenizer)))


class Grammar:
    """A guide for `sampler.generate`."""

    def __init__(self, matcher: LLMatcher, size: int) -> None:
        self._matcher = matcher
        self._size = size

    def allowed(self) -> NDArray[np.bool_]:
        """Which tokens may follow; the end token where the text may end."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        _check(self._matcher)
        return np.unpackbits(bits, bitorder="little")[: self._size].astype(np.bool_)

    def took(self, token: int) -> None:
        """`token` is now the end of the text."""
        self._matcher.consume_token(token)
        _check(self._matcher)

    def accepts(self, tokens: Sequence[int]) -> bool:
        """Whether the text may go on with all of `tokens`."""
        return self._matcher.validate_tokens(list(tokens)) == len(tokens)


class _Vocabulary:
    """Our tokens in the form that llguidance reads."""

    eos_token_id = END
    bos_token_id = START
    special_token_ids = tuple(range(len(SPECIALS)))

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.tokens = [
            name.encode() if at < len(SPECIALS) else tokenizer.bytes_of(at)
            for at, name in enumerate([*SPECIALS, *[""] * (len(tokenizer) - len(SPECIALS))])
        ]

    def __call__(self, text: str | bytes) -> list[int]:
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        return self._tokenizer.encode(text)


def _check(matcher: LLMatcher) -> None:
    if matcher.is_error():
        first = matcher.get_error().strip().partition("\n")[0]
        raise EngineError(
            f"the grammar of the answer could not be followed ({first[:200]}); simplify the schema"
        )
