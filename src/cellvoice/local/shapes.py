"""JSON that the stream and the whole reply have in common."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from typing import Any

from .engine import NAME, Engine
from .events import Spent
from .sampler import Drawn
from .tokenizer import Tokenizer

__all__ = ["letters", "logprobs", "prefix", "usage"]

_LETTERS = string.ascii_letters + string.digits


def prefix(engine: Engine, kind: str) -> dict[str, Any]:
    """The fields that every event of a reply repeats."""
    return {
        "id": f"chatcmpl-{letters(29)}",
        "object": kind,
        "created": int(engine.clock()),
        "model": NAME,
    }


def usage(spent: Spent) -> dict[str, Any]:
    """The tokens used, text and sound apart."""
    prompt, completion_tokens = spent.prompt_text + spent.prompt_audio, spent.text + spent.audio
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt + completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": 0,
            "audio_tokens": spent.prompt_audio,
            "text_tokens": spent.prompt_text,
            "image_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": spent.audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
            "text_tokens": spent.text,
        },
    }


def logprobs(drawn: Sequence[Drawn], tokenizer: Tokenizer) -> dict[str, Any]:
    """`logprobs` of a choice: one row for each token, natural logarithms."""
    rows = []
    for each in drawn:
        row = _token(each.token, each.logprob, tokenizer)
        row["top_logprobs"] = [_token(token, share, tokenizer) for token, share in each.top]
        rows.append(row)
    return {"content": rows, "refusal": None}


def letters(count: int) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def _token(token: int, logprob: float, tokenizer: Tokenizer) -> dict[str, Any]:
    raw = tokenizer.bytes_of(token)
    return {"token": tokenizer.name_of(token), "logprob": logprob, "bytes": list(raw)}
