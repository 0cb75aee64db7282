"""How a reply ended, and what the user should know about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cellvoice.protocol import Reply, facts
from cellvoice.protocol.models import OUTPUT_TOKENS_PER_S

if TYPE_CHECKING:
    from .turn import Finish

__all__ = ["finish_of", "has_content", "limit_tokens", "notices_of"]

_DEAF = (
    "the embedded engine has no speech recogniser here, so it could not understand what was said; "
    "run pip install 'cellvoice[engine]' and restart the kernel, or type the question"
)

_WITHOUT_RECOGNISER = ("none", "phrase matcher")


def has_content(reply: Reply) -> bool:
    """Whether anything was received that a person could hear or read."""
    return bool(reply.pcm or reply.text or reply.refusal or reply.tool_calls)


def finish_of(reply: Reply, params: Mapping[str, object], model: str) -> Finish:
    """How a reply ended that came to its end, by what it holds.

    A stream with sound never tells a reason (`protocol`, FinishReason): only the tokens that it
    used give a limit away.
    """
    if reply.refusal:
        return "refused"
    if reply.finish_reason == "content_filter":
        return "filtered"
    if reply.finish_reason == "length":
        return "length"
    limit = limit_tokens(params, model)
    return "length" if limit is not None and _used_tokens(reply) >= limit else "complete"


def limit_tokens(params: Mapping[str, object], model: str) -> int | None:
    """The most tokens that a reply may have: the request's limit, else the model's, if known."""
    limit = params.get("max_completion_tokens")
    if isinstance(limit, int):
        return limit
    known = facts(model)
    return known.max_output_tokens if known else None


def _used_tokens(reply: Reply) -> int:
    if reply.usage is not None and reply.usage.completion_tokens:
        return reply.usage.completion_tokens
    # The service did not say, so only what it made for sure counts: sound, not its words.
    return round(reply.generated_s * OUTPUT_TOKENS_PER_S)


def notices_of(
    reply: Reply, finish: Finish, params: Mapping[str, object], *, spoken: bool
) -> list[str]:
    """Sentences about a reply that is not what was asked for; `spoken` if the input has sound."""
    notices: list[str] = []
    engine = reply.engine or {}
    # A recogniser always has words, though they may be none; only the other ears say null.
    if spoken and engine.get("ear") in _WITHOUT_RECOGNISER and engine.get("heard") is None:
        notices.append(_DEAF)
    if finish == "length":
        notices.append(_length(params))
    if finish == "filtered":
        notices.append("the service's content filter ended the reply")
    if finish == "complete" and "audio" in params and not reply.pcm and not reply.tool_calls:
        notices.append(_soundless(reply))
    if finish == "stopped" and not has_content(reply):
        notices.append("stopped before anything was heard")
    return notices


def _length(params: Mapping[str, object]) -> str:
    limit = params.get("max_completion_tokens")
    if not isinstance(limit, int):
        return "the reply was cut at the model's own limit; ask it to go on"
    return (
        f"the reply was cut at max_completion_tokens={limit}, about "
        f"{limit / OUTPUT_TOKENS_PER_S:.0f} s of speech without its words; a higher limit lets it "
        "end"
    )


def _soundless(reply: Reply) -> str:
    if reply.content:
        return (
            "the model answered in text, not in speech; that happens when the conversation "
            "holds transcripts in place of sound, and asking again may help"
        )
    if reply.transcript:
        return "the service sent the words of its speech but no sound; ask again"
    if reply.audio_id is not None:
        return "the service announced speech and sent none of it; ask again"
    return "the reply has no words and no sound; ask again"
