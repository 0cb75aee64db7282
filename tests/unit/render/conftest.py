"""Turns to render, made of the real Clip and Reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.protocol import (
    NO_PARTS,
    CostParts,
    InputDetails,
    OutputDetails,
    Reply,
    ReplyLogprobs,
    Request,
    Usage,
    build_request,
    user_message,
)

RATE_HZ = 24_000


@dataclass(frozen=True, slots=True)
class SampleTiming:
    first_event_s: float | None = 0.12
    first_sound_s: float | None = 0.19
    total_s: float | None = 0.23
    upload_s: float | None = None
    first_byte_s: float | None = None
    first_words_s: float | None = None


@dataclass(frozen=True, slots=True)
class SampleCost:
    parts: CostParts = NO_PARTS


@dataclass(slots=True)
class SampleCall:
    """A tool call as a session has it."""

    id: str = "call_1"
    name: str = "temperature"
    arguments: Mapping[str, object] = field(default_factory=lambda: {"city": "Zürich"})
    arguments_text: str = '{"city": "Zürich"}'
    is_object: bool = True
    state: str = "done"
    result_text: str | None = "18"
    result_html: str | None = None
    error: str | None = None
    asked_s: float | None = 0.5
    started_s: float | None = 0.52
    ended_s: float | None = 1.1
    round: int = 1
    hash: str = "9f2c0a7be1d4"


@dataclass(slots=True)
class SampleSpan:
    """A stretch of a turn as a session has it."""

    kind: str
    start_s: float
    end_s: float | None
    name: str = ""
    round: int = 1
    call_id: str | None = None


@dataclass(slots=True)
class SampleTurn:
    """A turn as `render` reads it; the session's own is tried in the integration tests."""

    reply: Reply
    input: Sequence[str | Clip] = ("What is the capital of France?",)
    id: str = "20261123T101500-1"
    number: int = 1
    session_id: str = "20261123T101458-k3f9"
    badge: str = ""
    asked_at: datetime = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    model: str = "gpt-audio"
    voice: str | None = "alloy"
    finish: str | None = "complete"
    usage: Usage | None = None
    cost_usd: float | None = 0.0034
    cost_note: str | None = None
    timing: SampleTiming = field(default_factory=SampleTiming)
    request_id: str | None = "req_local_1"
    notices: Sequence[str] = ()
    error: BaseException | None = None
    stale: bool = False
    version: tuple[int, int] = (1, 1)
    versions: Sequence[SampleTurn] = ()
    cost: SampleCost = field(default_factory=SampleCost)
    rungs: Mapping[str, str] = field(default_factory=dict)
    request: Request | None = None
    tool_calls: Sequence[SampleCall] = ()
    trace: Sequence[SampleSpan] = ()
    parsed: object = None
    partial: Mapping[str, object] | None = None
    parsed_error: str | None = None


def tone(duration_s: float, hz: float = 220.0) -> Clip:
    at = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return Clip.from_array((0.5 * np.sin(2 * np.pi * hz * at)).astype(np.float32), RATE_HZ)


def spoken_reply(duration_s: float = 0.5, text: str = "The capital of France is Paris.") -> Reply:
    return Reply(
        model="cellvoice-engine-1",
        engine={
            "badge": "embedded engine, not gpt-audio",
            "voice": "espeak-ng",
            "ear": "pocketsphinx",
            "heard": "what is the capital of france",
        },
        pcm=bytearray(tone(duration_s).to_pcm16()),
        transcript=text,
        expires_at=1_795_346_101,
    )


@pytest.fixture
def usage() -> Usage:
    return Usage(
        prompt_tokens=21,
        completion_tokens=45,
        total_tokens=66,
        prompt_tokens_details=InputDetails(audio_tokens=16, text_tokens=5, cached_tokens=0),
        completion_tokens_details=OutputDetails(audio_tokens=37, text_tokens=8),
    )


@pytest.fixture
def spoken_turn(usage: Usage) -> SampleTurn:
    """A spoken question, answered by voice on the embedded engine."""
    return SampleTurn(
        reply=spoken_reply(),
        input=("Please answer:", tone(0.3)),
        usage=usage,
        cost_usd=0.0,
    )


FULL_TIMING = SampleTiming(upload_s=0.05, first_byte_s=0.1, first_words_s=0.15)


def probabilities(count: int = 3, alternatives: int = 2) -> ReplyLogprobs:
    """`count` tokens " a", " b" … with `alternatives` each, the token itself first."""
    made = ReplyLogprobs()
    for place in range(count):
        token = f" {chr(97 + place % 26)}"
        top = [{"token": token, "logprob": -0.25, "bytes": list(token.encode())}]
        top += [{"token": f" x{n}", "logprob": -2.0 - n} for n in range(alternatives - 1)]
        row = {"token": token, "logprob": -0.25, "bytes": None, "top_logprobs": top}
        made.append(json.dumps({"content": [row]}).encode())
    return made


@pytest.fixture
def full_turn(usage: Usage) -> SampleTurn:
    """A spoken turn with probabilities, a tool call, a parsed object and its request."""
    question = user_message(["What is it in Zürich?", tone(4.2)])
    reply = spoken_reply(text="In Zürich it is 18 degrees.")
    reply.logprobs = probabilities()
    reply.fingerprint = "fp_1"
    reply.others = {1: spoken_reply(text="It is 18 degrees."), 2: Reply(refusal="No.")}
    return SampleTurn(
        timing=FULL_TIMING,
        tool_calls=(SampleCall(),),
        trace=(
            SampleSpan("upload", 0.0, 0.1),
            SampleSpan("tool", 0.52, 1.1, name="temperature", call_id="call_1"),
        ),
        parsed={"city": "Zürich", "degrees": 18},
        rungs={"turn-1": "audio"},
        reply=reply,
        input=("What is it in Zürich?", tone(4.2)),
        usage=usage,
        request=build_request(
            model="gpt-audio", messages=[question], voice="alloy", params={"seed": 7}
        ),
        version=(2, 2),
        versions=(SampleTurn(reply=Reply(), id="older"),),
        stale=True,
    )


@pytest.fixture
def make_turn() -> Callable[..., SampleTurn]:
    """A turn with a reply of `duration_s` (0: none) saying `text`, and any other field."""

    def make(duration_s: float = 0.5, text: str = "Paris.", **fields: object) -> SampleTurn:
        reply = spoken_reply(duration_s, text) if duration_s else Reply(content=text)
        return SampleTurn(reply=reply, **fields)  # type: ignore[arg-type]

    return make
