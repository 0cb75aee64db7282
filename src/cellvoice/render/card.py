"""The vendor form of a turn, `application/vnd.cellvoice.turn.v1+json`: everything but the sound.

`js/core/turn.ts` has the same names; `tests/contract/turn.v1.json` is the example that both sides
test against, `tests/contract/turn.v1.schema.json` its schema.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

TURN_MIME = "application/vnd.cellvoice.turn.v1+json"

State = Literal["running", "complete", "stopped", "cut", "length", "filtered", "refused", "failed"]


class TextInput(TypedDict):
    kind: Literal["text"]
    text: str


class SoundInput(TypedDict):
    kind: Literal["sound"]
    duration_s: float
    peaks: list[float]
    heard: str | None


class Sound(TypedDict):
    duration_s: float
    sample_rate_hz: int
    peaks: list[float]
    mime: str
    href: str | None


class ReplyForm(TypedDict):
    kind: Literal["speech", "text", "none"]
    text: str
    refusal: str | None
    sound: Sound | None


class EngineForm(TypedDict):
    badge: str
    detail: str


class UsageForm(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_audio_tokens: int
    prompt_text_tokens: int
    completion_audio_tokens: int
    completion_text_tokens: int
    cached_tokens: int


class Facts(TypedDict):
    usage: UsageForm | None
    cost_usd: float | None
    cost_note: str | None
    first_event_s: float | None
    first_sound_s: float | None
    total_s: float | None
    request_id: str | None
    expires_at: int | None


class Failure(TypedDict):
    name: str
    message: str


class Versions(TypedDict):
    """Which of the turns that were asked in one place this is, from 1, and of how many."""

    k: int
    of: int


class Marks(TypedDict):
    """Only what there is to say: turns before it have changed; it is not the only one."""

    stale: NotRequired[Literal[True]]
    versions: NotRequired[Versions]


class Card(Marks):
    version: Literal[1]
    id: str
    number: int
    session: str
    state: State
    asked_at: str
    input: list[TextInput | SoundInput]
    reply: ReplyForm
    model: str
    voice: str | None
    engine: EngineForm | None
    facts: Facts
    notices: list[str]
    error: Failure | None
