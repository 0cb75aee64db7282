"""The vendor form of a turn, `application/vnd.cellvoice.turn.v1+json`: everything but the sound.

`js/core/turn.ts` has the same names; `tests/contract/turn.v1.schema.json` is its schema. Both sides
test against `turn.v1.full.json` beside it, which has every key, and `turn.v1.json`, which has those
of the first release: cards of that time must still be shown.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

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


class RungsForm(TypedDict):
    """How many earlier answers were repeated as sound, and how many by their words."""

    audio: int
    transcript: int


class CostPartForm(TypedDict):
    part: str
    tokens: int
    usd: float | None


class MoreFacts(TypedDict, total=False):
    """What newer cards tell; only what is known."""

    seed: int
    fingerprint: str
    upload_s: float
    first_byte_s: float
    first_words_s: float
    rungs: RungsForm
    cost_parts: list[CostPartForm]


class Facts(MoreFacts):
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
    ids: NotRequired[list[str]]


class Marks(TypedDict):
    """Only what there is to say: turns before it have changed; it is not the only one."""

    stale: NotRequired[Literal[True]]
    versions: NotRequired[Versions]


# [text, bytes where the text does not tell them, log probability, alternatives], and how many
# tokens were joined where it was more than one; an alternative is [text, bytes, log probability].
TokenForm = list[Any]


class LogprobsForm(TypedDict):
    """`mean` and `perplexity` are those of all tokens, `more` is how many were left out here."""

    reported: str
    tokens: list[TokenForm]
    more: int
    mean: float | None
    perplexity: float | None


CallState = Literal["waiting", "running", "done", "failed", "rejected"]
TraceKind = Literal["upload", "waiting", "request", "thinking", "tool", "approval", "speech"]


class ToolCallForm(TypedDict):
    """Times are seconds since the turn was asked; `result_html` is made safe already."""

    id: str
    name: str
    arguments: dict[str, Any] | None
    arguments_text: str
    state: CallState
    result: str | None
    result_html: str | None
    error: str | None
    asked_s: float | None
    started_s: float | None
    ended_s: float | None
    round: int
    hash: str


class TraceForm(TypedDict):
    """One bar of the strip, in seconds since the turn was asked; without an end it goes on."""

    kind: TraceKind
    name: str
    start_s: float
    end_s: float | None
    round: int
    call_id: str | None


class ChoiceSound(TypedDict):
    """How it sounds is not in the form: only how long, and how loud."""

    duration_s: float
    peaks: list[float]


class ChoiceForm(TypedDict):
    """Another reply to the same request: `turn.choices[index]`."""

    index: int
    text: str
    refusal: str | None
    finish: str | None
    sound: ChoiceSound | None
    calls: list[str]


class ChoicesForm(TypedDict):
    """`more` is how many others there are that had no room."""

    choices: list[ChoiceForm]
    more: int


class Details(TypedDict, total=False):
    """Only what there is to say; cards of the first release have none of it."""

    logprobs: LogprobsForm | None
    logprobs_why: str
    words: list[list[float]]
    words_estimated: bool
    tool_calls: list[ToolCallForm]
    trace: list[TraceForm]
    parsed: Any
    parsed_error: str | None
    partial: Any
    request: dict[str, Any]
    other_choices: ChoicesForm


class Card(Marks, Details):
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


class CardFile(Card, total=False):
    """A `.turn.json` file: the sounds are in it as `data:` addresses, of the question by parts."""

    sound: str
    said: list[str | None]
