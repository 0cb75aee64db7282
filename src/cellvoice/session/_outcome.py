"""How a reply ended, and what the user should know about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cellvoice.protocol import Reply
from cellvoice.protocol.models import OUTPUT_TOKENS_PER_S

if TYPE_CHECKING:
    from .turn import Finish

__all__ = ["finish_of", "has_content", "notices_of"]

_DEAF = (
    "the embedded engine has no speech recogniser here, so it could not understand what was said; "
    "run pip install 'cellvoice[engine]' and restart the kernel, or type the question"
)


def has_content(reply: Reply) -> bool:
    """Whether anything was received that a person could hear or read."""
    return bool(reply.pcm or reply.text or reply.refusal or reply.tool_calls)


def finish_of(reply: Reply, params: Mapping[str, object]) -> Finish:
    """How a reply ended that came to its end."""
    if reply.refusal:
        return "refused"
    if reply.finish_reason == "content_filter":
        return "filtered"
    limit = params.get("max_completion_tokens")
    used = reply.usage.completion_tokens if reply.usage else 0
    # A stream with sound never tells the reason; only the count gives the limit away.
    if reply.finish_reason == "length" or (isinstance(limit, int) and 0 < limit <= used):
        return "length"
    return "complete"


def notices_of(
    reply: Reply, finish: Finish, params: Mapping[str, object], *, spoken: bool
) -> list[str]:
    """Sentences about a reply that is not what was asked for; `spoken` if the input has sound."""
    notices: list[str] = []
    if spoken and reply.engine is not None and reply.engine.get("ear") == "none":
        notices.append(_DEAF)
    if finish == "length":
        limit = params.get("max_completion_tokens")
        cause = (
            f"max_completion_tokens={limit}, about {limit / OUTPUT_TOKENS_PER_S:.0f} s of speech "
            "without its words"
            if isinstance(limit, int)
            else "the model's own limit"
        )
        notices.append(f"the reply was cut at {cause}; a higher limit lets it end")
    if finish == "filtered":
        notices.append("the service's content filter ended the reply")
    asked_for_sound = "audio" in params
    if finish == "complete" and asked_for_sound and not reply.pcm:
        if reply.text:
            notices.append(
                "the model answered in text, not in speech; that happens when the conversation "
                "holds transcripts in place of sound, and asking again may help"
            )
        elif not reply.tool_calls:
            notices.append("the reply has no words and no sound; ask again")
    if finish == "stopped" and not has_content(reply):
        notices.append("stopped before anything was heard")
    return notices
