"""An engine that needs numpy only: the own voice, and an ear that is told what it hears."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cellvoice.audio import Clip
from cellvoice.local.ears import Heard
from cellvoice.local.engine import Engine
from cellvoice.local.voices import choose_voice


class ToldEar:
    """Hears what the test says it hears."""

    label = "told"
    part = "told"

    def __init__(self) -> None:
        self.hears = Heard("what is the capital of france", 1.7)

    def warm_up(self) -> None: ...

    def close(self) -> None: ...

    def hear(self, samples: NDArray[np.float32]) -> Heard:
        return self.hears


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1_795_400_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ear() -> ToldEar:
    return ToldEar()


@pytest.fixture
def engine(clock: Clock, ear: ToldEar) -> Iterator[Engine]:
    engine = Engine(voice=choose_voice("formant"), ear=ear, clock=clock)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def beep_wav() -> str:
    """2.55 s of sound, base64."""
    samples = np.sin(np.arange(61_200) / 10).astype(np.float32) / 2
    return base64.b64encode(Clip.from_array(samples, 24_000).to_bytes("wav")).decode()


@pytest.fixture
def body(beep_wav: str) -> Callable[..., bytes]:
    """A good spoken request, with changes; a change to `...` leaves the field out."""

    def make(**changes: Any) -> bytes:
        sound = {"type": "input_audio", "input_audio": {"data": beep_wav, "format": "wav"}}
        fields: dict[str, Any] = {
            "model": "gpt-audio",
            "modalities": ["text", "audio"],
            "audio": {"voice": "alloy", "format": "pcm16"},
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "user", "content": [sound]}],
            **changes,
        }
        return json.dumps({k: v for k, v in fields.items() if v is not ...}).encode()

    return make
