"""What a real model refuses although the engine could do it, for trying clients without a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cellvoice.errors import UsageError

from . import refusals

__all__ = ["STRICT_MODELS", "check_strict", "check_strict_name"]

STRICT_MODELS = ("gpt-audio", "gpt-audio-1.5", "gpt-audio-mini")
_GUIDE = "https://platform.openai.com/docs/guides/structured-outputs"
# "Not supported" in every source that tried them with an audio model.
_REFUSED: Mapping[str, tuple[object, ...]] = {
    "logprobs": (False,),
    "top_logprobs": (0,),
    "prediction": (),
    "reasoning_effort": (),
}


def check_strict(given: Mapping[str, Any], has_sound: bool) -> None:
    """Refuse, in the service's words, what gpt-audio refuses; `given` is the request without nulls.

    `has_sound` says that there is sound in the messages or that the answer is to be spoken.
    """
    if not has_sound:
        raise refusals.needs_audio()
    for name, harmless in _REFUSED.items():
        # 0 is False to Python, and neither asks for anything.
        if name in given and given[name] not in harmless:
            raise refusals.unsupported_parameter(name)
    response_format = given.get("response_format")
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if kind not in (None, "text"):
        raise refusals.Refusal(
            f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this "
            f"model. Learn more about supported models at the Structured Outputs guide: {_GUIDE}"
        )


def check_strict_name(model: str) -> None:
    """Raises UsageError for a model of which it is not known what it refuses."""
    if model not in STRICT_MODELS:
        raise UsageError(
            f"it is not known what {model!r} refuses, expected one of {', '.join(STRICT_MODELS)}"
        )
