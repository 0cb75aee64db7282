"""The messages of a conversation, as the service wants them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from cellvoice.errors import UsageError

from .sent_sound import SentSound

if TYPE_CHECKING:
    from cellvoice.audio import Clip

__all__ = [
    "STAY_IN_VOICE",
    "assistant_audio",
    "assistant_text",
    "staying_in_voice",
    "system_message",
    "user_message",
    "without_voice_hint",
]

# Models that see their own answers as text tend to go on in text.
STAY_IN_VOICE: Final = (
    "Some of your earlier answers stand here as transcripts of what you said aloud; go on "
    "answering in speech."
)


def system_message(text: str) -> dict[str, object]:
    """What the model is told about how to answer."""
    return {"role": "system", "content": _checked_text(text, "the system message")}


def staying_in_voice(system: str | None) -> str:
    """A system prompt, or none, with the hint that goes with transcripts of spoken answers."""
    return STAY_IN_VOICE if system is None else f"{system}\n\n{STAY_IN_VOICE}"


def without_voice_hint(system: str) -> str:
    """The system prompt as it was without that hint, "" if there was none."""
    return system.removesuffix(STAY_IN_VOICE).rstrip() if STAY_IN_VOICE in system else system


def user_message(parts: str | Clip | Iterable[str | Clip]) -> dict[str, object]:
    """What a person says: texts and clips in their order.

    Clips are sent as WAV, 16-bit mono at 24 kHz, and stand in the message as `SentSound`. Raises
    UsageError for an empty message or a part that is neither text nor Clip.
    """
    if isinstance(parts, str):
        return {"role": "user", "content": _checked_text(parts, "the message")}
    given = list(parts) if isinstance(parts, Iterable) else [parts]
    if not given:
        raise UsageError("there is nothing to say, expected a text or a Clip")
    if len(given) == 1 and isinstance(given[0], str):
        return {"role": "user", "content": _checked_text(given[0], "the message")}
    return {"role": "user", "content": [_part(part) for part in given]}


def assistant_audio(audio_id: str) -> dict[str, object]:
    """An earlier spoken answer, by the id it was given; it holds for about an hour."""
    # The service refuses any key besides `id`, also those of its own answer.
    return {"role": "assistant", "audio": {"id": _checked_text(audio_id, "the audio id")}}


def assistant_text(text: str) -> dict[str, object]:
    """An earlier answer by its words."""
    return {"role": "assistant", "content": _checked_text(text, "the earlier answer")}


def _part(part: object) -> dict[str, object]:
    if isinstance(part, str):
        return {"type": "text", "text": _checked_text(part, "a text part")}
    from cellvoice.audio import Clip

    if isinstance(part, Clip):
        # The service takes raw base64 only, never a `data:` address.
        return {"type": "input_audio", "input_audio": {"data": SentSound(part), "format": "wav"}}
    raise UsageError(
        f"a part of the message is {type(part).__name__}, expected str or Clip; "
        "Clip.read(path) makes a Clip of a sound file"
    )


def _checked_text(text: object, what: str) -> str:
    if not isinstance(text, str):
        raise UsageError(f"{what} is {type(text).__name__}, expected str")
    if not text.strip():
        raise UsageError(f"{what} is empty, expected some text")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{what} has half a letter at place {error.start} ({text[error.start]!r}), expected "
            "whole ones; it was probably cut or read with the wrong encoding"
        ) from error
    return text
