"""The engine's own tokens over HTTP: `logit_bias` needs their ids, and they are nobody else's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

from . import refusals
from .corpus import UNKNOWN_ANSWERS, load_corpus
from .tokenizer import Tokenizer

__all__ = ["PATHS", "described", "own_tokens", "tokenized"]

PATHS = {"/v1/engine/tokens": "GET", "/v1/engine/tokenize": "POST"}
_LONGEST_TEXT = 1_000_000  # characters


def own_tokens(text: str) -> Sequence[int]:
    """The ids of a text's tokens, for a caller in another process: numpy is not needed for it."""
    return _own().encode(text)


@cache
def _own() -> Tokenizer:
    return Tokenizer([*load_corpus().texts(), *UNKNOWN_ANSWERS])


def described(tokenizer: Tokenizer) -> bytes:
    """`GET /v1/engine/tokens`: every token with its id, its text and its bytes."""
    rows = _rows(range(len(tokenizer)), tokenizer)
    body = {"object": "list", "vocabulary_size": len(tokenizer), "data": rows}
    return json.dumps(body).encode()


def tokenized(body: bytes, tokenizer: Tokenizer) -> bytes:
    """`POST /v1/engine/tokenize`: `{"text": …}` to its tokens, or `{"ids": [...]}` to their text.

    Raises Refusal.
    """
    try:
        given = json.loads(body)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise refusals.bad_json() from error
    if not isinstance(given, dict):
        raise refusals.bad_json()
    for name in given:
        if name not in ("text", "ids"):
            raise refusals.unknown_parameter(name)
    ids = _ids(given["ids"], len(tokenizer)) if "ids" in given else None
    if ids is None:
        text = given.get("text")
        if text is None:
            raise refusals.missing("text")
        if not isinstance(text, str):
            raise refusals.invalid_type("text", "a string")
        if len(text) > _LONGEST_TEXT:
            raise refusals.out_of_range("text", len(text), 0, _LONGEST_TEXT)
        # Half letters (lone surrogates) are no text; a reader of UTF-8 sees a question mark.
        ids = tokenizer.encode(text.encode("utf-8", "replace").decode())
    rows = _rows(ids, tokenizer)
    return json.dumps({"text": tokenizer.decode(ids), "count": len(ids), "tokens": rows}).encode()


def _ids(raw: object, size: int) -> list[int]:
    if not isinstance(raw, list):
        raise refusals.invalid_type("ids", "an array of integers")
    for each in raw:
        if isinstance(each, bool) or not isinstance(each, int):
            raise refusals.invalid_type("ids", "an array of integers")
        if not 0 <= each < size:
            raise refusals.out_of_range("ids", each, 0, size - 1)
    return raw


def _rows(ids: Sequence[int], tokenizer: Tokenizer) -> list[dict[str, object]]:
    return [
        {"id": at, "text": tokenizer.name_of(at), "bytes": list(tokenizer.bytes_of(at))}
        for at in ids
    ]
