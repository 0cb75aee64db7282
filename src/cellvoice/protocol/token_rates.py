"""How many tokens a request is likely to be billed as, by measured rates.

Sound is exact: 10 tokens for a second that is sent, 20 for a second of an earlier answer that is
replayed, as it was made. Text is an estimate: 4 letters a token, 4 tokens around each message and 3
around all of them, which gives 18 for the recorded request that was billed as 18.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from .models import estimate_input_tokens
from .sent_sound import SentSound

__all__ = [
    "NO_TOKENS",
    "TOKENS_PER_REQUEST",
    "Replayed",
    "Tokens",
    "estimate_text_tokens",
    "fields_tokens",
    "messages_tokens",
]

_LETTERS_PER_TOKEN: Final = 4
_TOKENS_PER_MESSAGE: Final = 4
TOKENS_PER_REQUEST: Final = 3
# Fields of a request whose content the model reads.
_READ_FIELDS: Final = ("tools", "functions", "response_format")


class Tokens(NamedTuple):
    """Tokens sent: of text, and of sound. `replayed` is what of the sound are earlier answers."""

    text: int = 0
    audio: int = 0
    replayed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.text + self.audio

    def plus(self, other: Tokens) -> Tokens:
        """Both together."""
        return Tokens(
            self.text + other.text, self.audio + other.audio, self.replayed + other.replayed
        )


NO_TOKENS: Final = Tokens()
# By the audio id of an earlier answer: the tokens that its sound and its words were made of.
Replayed = Callable[[str], Tokens]


def estimate_text_tokens(text: str) -> int:
    """Tokens that a text is likely to have."""
    return math.ceil(len(text) / _LETTERS_PER_TOKEN)


def messages_tokens(messages: Iterable[Mapping[str, object]], replayed: Replayed) -> Tokens:
    """Tokens of some of a request's messages; `replayed` knows those of earlier answers."""
    total = NO_TOKENS
    for message in messages:
        total = total.plus(_message_tokens(message, replayed))
    return total


def fields_tokens(params: Mapping[str, object]) -> int:
    """Tokens of what stands beside the messages and is read by the model: tools, a schema."""
    return sum(
        estimate_text_tokens(msgspec.json.encode(params[name]).decode())
        for name in _READ_FIELDS
        if params.get(name)
    )


def _message_tokens(message: Mapping[str, object], replayed: Replayed) -> Tokens:
    total = Tokens(text=_TOKENS_PER_MESSAGE)
    audio = message.get("audio")
    if isinstance(audio, Mapping):
        total = total.plus(replayed(str(audio.get("id", ""))))
    content = message.get("content")
    parts = content if isinstance(content, (list, tuple)) else [content]
    for part in parts:
        total = total.plus(_part_tokens(part))
    if message.get("tool_calls"):
        total = total.plus(_part_tokens(msgspec.json.encode(message["tool_calls"]).decode()))
    return total


def _part_tokens(part: object) -> Tokens:
    if isinstance(part, str):
        return Tokens(text=estimate_text_tokens(part))
    if not isinstance(part, Mapping):
        return NO_TOKENS
    text = part.get("text")
    if isinstance(text, str):
        return Tokens(text=estimate_text_tokens(text))
    sound = part.get("input_audio")
    data = sound.get("data") if isinstance(sound, Mapping) else None
    if isinstance(data, SentSound):
        return Tokens(audio=estimate_input_tokens(data.duration_s))
    return NO_TOKENS
