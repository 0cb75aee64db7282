"""What a card has beside its words and facts: probabilities, times, tools, the request.

Each is in the form only where there is something to say, and no larger than its limit: a notebook
with a hundred cards must open quickly. A `.turn.json` file has all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cellvoice.protocol import Reply, ScoredToken, WordTime, facts, mask_keys, word_times

from .card import Details, LogprobsForm, TokenForm
from .choices import choices_form
from .clipped import clipped, plain_json
from .tools import tool_forms, trace_forms
from .turn_like import TurnLike

__all__ = ["IN_NOTEBOOK", "WHOLE", "Limits", "details", "rounded_words"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most bytes of JSON that a part of the form may have; None is no limit."""

    logprobs_bytes: int | None
    request_bytes: int | None
    tools_bytes: int | None
    parsed_bytes: int | None
    choices_bytes: int | None


# 450 tokens with five alternatives, or every token of a short answer with all twenty.
IN_NOTEBOOK: Final = Limits(48_000, 4_000, 24_000, 16_000, 8_000)
WHOLE: Final = Limits(None, None, None, None, None)

_NOT_ASKED: Final = "token probabilities were not asked for; logprobs=True does"


def details(turn: TurnLike, limits: Limits) -> Details:
    """The optional keys of a turn's form."""
    found: Details = {}
    running = turn.finish is None
    _add_probabilities(found, turn, running, limits)
    _add_object(found, turn, running, limits)
    others = None if running else choices_form(turn.reply, limits.choices_bytes)
    if others is not None:
        found["other_choices"] = others
    if not running:
        times, estimated = word_times(turn.reply)
        if times:
            found["words"] = rounded_words(times)
            found["words_estimated"] = estimated
    calls = tool_forms(turn.tool_calls, limits.tools_bytes)
    if calls:
        found["tool_calls"] = calls
    trace = trace_forms(turn)
    if trace:
        found["trace"] = trace
    if turn.request is not None:
        found["request"] = clipped(turn.request.described(), limits.request_bytes)
    return found


def rounded_words(times: Sequence[WordTime]) -> list[list[float]]:
    """The times of words as the form has them: `[first character, end, first second, end]`."""
    return [
        [first, end, round(start_s, 2), round(end_s, 2)] for first, end, start_s, end_s in times
    ]


def _add_probabilities(found: Details, turn: TurnLike, running: bool, limits: Limits) -> None:
    reply: Reply = turn.reply
    if reply.logprobs is not None and reply.logprobs.tokens:
        found["logprobs"] = _logprobs(reply, limits.logprobs_bytes)
    elif not running and reply.text:
        found["logprobs"] = None
        found["logprobs_why"] = _why_none(turn)


def _logprobs(reply: Reply, max_bytes: int | None) -> LogprobsForm:
    logprobs = reply.logprobs
    assert logprobs is not None  # the caller has seen to it
    kept = _within(logprobs.tokens, max_bytes)
    mean, perplexity = logprobs.mean_logprob, logprobs.perplexity
    return {
        "reported": "raw",
        "tokens": kept,
        "more": len(logprobs.tokens) - len(kept),
        "mean": None if mean is None else round(mean, 4),
        "perplexity": None if perplexity is None else round(perplexity, 4),
    }


def _token(token: ScoredToken) -> TokenForm:
    alternatives = [[text, None, round(logprob, 4)] for text, logprob in token.alternatives]
    utf8 = None if token.utf8 is None else list(token.utf8)
    row = [token.text, utf8, round(token.logprob, 4), alternatives]
    return [*row, token.count] if token.count > 1 else row


def _within(tokens: Sequence[ScoredToken], max_bytes: int | None) -> list[TokenForm]:
    """The first tokens, as many as have room."""
    kept: list[TokenForm] = []
    size = 0
    for token in tokens:
        row = _token(token)
        if max_bytes is not None:
            size += len(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")) + 2
            if size > max_bytes:
                break
        kept.append(row)
    return kept


def _why_none(turn: TurnLike) -> str:
    params: Mapping[str, object] = turn.request.params if turn.request is not None else {}
    model = turn.reply.model or turn.model
    known = facts(model)
    refused = known.refused.get("logprobs") if known is not None else None
    if refused:
        return f"{model}: {refused}"
    if params.get("logprobs"):
        return f"{model} sent no token probabilities, although they were asked for"
    return _NOT_ASKED


def _add_object(found: Details, turn: TurnLike, running: bool, limits: Limits) -> None:
    partial = turn.partial if running else None
    if partial is not None:
        found["partial"] = clipped(plain_json(partial), limits.parsed_bytes)
    parsed = None if running else turn.parsed
    if parsed is not None:
        found["parsed"] = clipped(plain_json(parsed), limits.parsed_bytes)
    if turn.parsed_error:
        found["parsed_error"] = mask_keys(turn.parsed_error)
