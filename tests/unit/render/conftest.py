"""Turns to render, made of the real Clip and Reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.protocol import InputDetails, OutputDetails, Reply, Usage

RATE_HZ = 24_000


@dataclass(frozen=True, slots=True)
class SampleTiming:
    first_event_s: float | None = 0.12
    first_sound_s: float | None = 0.19
    total_s: float | None = 0.23


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


@pytest.fixture
def make_turn() -> Callable[..., SampleTurn]:
    """A turn with a reply of `duration_s` (0: none) saying `text`, and any other field."""

    def make(duration_s: float = 0.5, text: str = "Paris.", **fields: object) -> SampleTurn:
        reply = spoken_reply(duration_s, text) if duration_s else Reply(content=text)
        return SampleTurn(reply=reply, **fields)  # type: ignore[arg-type]

    return make
