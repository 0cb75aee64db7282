"""What a reply is made of: typed events, in the order in which they become known.

`index` is the number of the choice: a request may ask for several answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .sampler import Drawn
from .voices import WordTime

__all__ = [
    "Arguments",
    "Beat",
    "Begun",
    "Called",
    "Ended",
    "Event",
    "Sound",
    "Spent",
    "Timed",
    "Words",
]


@dataclass(frozen=True, slots=True)
class Begun:
    """The question is understood. `heard` is the newest spoken input in words, or None.

    `sound` is what kind of sound it was: "speech", "silence", "music" or "noise", or None.
    `audio_id` is None for an answer that is not spoken; `calls`: it will be calls of tools.
    """

    audio_id: str | None
    heard: str | None
    sound: str | None = None
    index: int = 0
    calls: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of the text, and the tokens that it was drawn as (mostly one)."""

    text: str
    index: int = 0
    drawn: tuple[Drawn, ...] = ()


@dataclass(frozen=True, slots=True)
class Timed:
    """When the words of a sentence are said, counted in the whole reply."""

    words: tuple[WordTime, ...]
    index: int = 0


@dataclass(frozen=True, slots=True)
class Beat:
    """One audio token (50 ms) has been made."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Up to 400 ms of 24 kHz pcm16; `start_s` is where it belongs in the reply."""

    pcm: bytes
    start_s: float
    index: int = 0


@dataclass(frozen=True, slots=True)
class Called:
    """A tool is called, the `at`-th of its choice; its arguments follow."""

    at: int
    call_id: str
    kind: Literal["function", "custom"]
    name: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Arguments:
    """A piece of the arguments of call `at`: of JSON for a function, of text for a custom tool."""

    at: int
    kind: Literal["function", "custom"]
    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """A choice is whole ("stop", "tool_calls"), or was cut by the token limit ("length")."""

    finish: Literal["stop", "length", "tool_calls"]
    expires_at: int | None
    index: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens used by all choices, counted as the service counts them; the last event."""

    prompt_text: int
    prompt_audio: int
    text: int
    audio: int


Event = Begun | Words | Timed | Beat | Sound | Called | Arguments | Ended | Spent
