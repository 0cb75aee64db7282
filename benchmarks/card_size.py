"""What a card adds to a notebook's file, beside IPython.display.Audio; messages of a live one.

The speech is that of the tests, said again until the length is reached: recorded speech is what the
compression is for.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from _rig import Row, options, report
from IPython.display import Audio

from cellvoice.audio import Clip
from cellvoice.protocol import (
    CostParts,
    InputDetails,
    OutputDetails,
    Reply,
    Request,
    Usage,
    build_request,
    published_prices,
    usage_cost,
    user_message,
)
from cellvoice.render import bundle
from cellvoice.widgets import Channel

SPEECH = Path(__file__).parent.parent / "tests/fixtures/speech/sampling_rate_long.wav"
RATE_HZ = 24_000
ORDINARY_BYTES = 12_000
MINUTE_BYTES = 700_000
TIMES_LESS = 5.0
MESSAGES_PER_S = 30
STREAM_S = 3.0
WORDS = "It depends on how often the sound is measured, which is called its sampling rate. "


@dataclass(frozen=True)
class Times:
    """Of a turn that took a second and a half."""

    upload_s: float = 0.061
    first_byte_s: float = 0.412
    first_event_s: float = 0.413
    first_words_s: float = 0.602
    first_sound_s: float = 0.871
    total_s: float = 1.503


@dataclass(frozen=True)
class Costs:
    """By kinds of tokens."""

    parts: CostParts


@dataclass(frozen=True)
class Turn:
    """A spoken question and a spoken answer, as a session has them."""

    reply: Reply
    input: tuple[str | Clip, ...]
    request: Request
    usage: Usage
    id: str = "20261123T101500-1"
    number: int = 1
    session_id: str = "20261123T101458-k3f9"
    badge: str = ""
    asked_at: datetime = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    model: str = "gpt-audio"
    voice: str | None = "alloy"
    finish: str | None = "complete"
    cost_usd: float | None = 0.0101
    cost_note: str | None = None
    timing: Times = Times()
    request_id: str | None = "req_0123456789abcdef0123456789abcdef"
    notices: tuple[str, ...] = ()
    error: Exception | None = None
    stale: bool = False
    version: tuple[int, int] = (1, 1)
    versions: tuple[Turn, ...] = ()
    rungs: Mapping[str, str] = field(default_factory=dict)
    tool_calls: tuple[()] = ()
    trace: tuple[()] = ()
    parsed: object = None
    partial: Mapping[str, object] | None = None
    parsed_error: str | None = None

    @property
    def cost(self) -> Costs:
        """At the published prices."""
        return Costs(usage_cost(self.usage, published_prices(self.model)))


def speech(duration_s: float) -> Clip:
    """Recorded speech of this length."""
    once = Clip.read(SPEECH).resampled(RATE_HZ).as_int16()
    samples = np.tile(once.samples, int(duration_s / once.duration_s) + 1)
    return Clip.from_array(samples[: round(duration_s * RATE_HZ)], RATE_HZ)


def turn(asked_s: float, answered_s: float) -> Turn:
    """A turn of such a question and such an answer, at three words a second."""
    question = speech(asked_s)
    told = (WORDS * 30).split()[: round(3 * answered_s)]
    reply = Reply(
        model="gpt-audio-2025-08-28",
        fingerprint="fp_44018e235b",
        pcm=bytearray(speech(answered_s).to_pcm16()),
        transcript=" ".join(told),
        expires_at=1_795_346_101,
    )
    said = ("Please answer:", question)
    request = build_request(model="gpt-audio", messages=[user_message(said)], voice="alloy")
    usage = Usage(
        prompt_tokens=80,
        completion_tokens=150,
        total_tokens=230,
        prompt_tokens_details=InputDetails(audio_tokens=60, text_tokens=20, cached_tokens=0),
        completion_tokens_details=OutputDetails(audio_tokens=120, text_tokens=30),
    )
    return Turn(reply, said, request, usage)


def file_bytes(output: Mapping[str, object]) -> int:
    """What an output takes in a notebook's file, which is UTF-8 with two levels of indentation."""
    return len(json.dumps(output, ensure_ascii=False).encode())


def without_sound(made: Turn) -> int:
    """The card's bytes, its player's address not counted."""
    found = bundle(made)
    page = str(found["text/html"])
    start = page.index("data:audio/mpeg;base64,")
    sound = page[start : page.index('"', start)]
    return file_bytes({**found, "text/html": page.replace(sound, "")})


def sizes() -> list[Row]:
    """The rows of frozen cards."""
    ordinary, minute = without_sound(turn(4.0, 6.0)), turn(4.0, 60.0)
    ours = file_bytes(bundle(minute))
    pcm = np.frombuffer(bytes(minute.reply.pcm), "<i2")
    peer = file_bytes({"text/html": Audio(pcm, rate=RATE_HZ)._repr_html_()})
    return [
        Row(
            "ordinary turn, 4 s asked, 6 s answered, without sound",
            _kb(ordinary),
            "–",
            "–",
            f"≤ {_kb(ORDINARY_BYTES)}",
            ordinary <= ORDINARY_BYTES,
        ),
        Row(
            "60 s of speech, IPython.display.Audio",
            _kb(ours),
            _kb(peer),
            f"{peer / ours:.1f} times less",
            f"≤ {_kb(MINUTE_BYTES)}, ≥ {TIMES_LESS:g} times less",
            ours <= MINUTE_BYTES and peer / ours >= TIMES_LESS,
        ),
    ]


async def messages_per_s(pieces_per_s: float) -> float:
    """How many messages a page is sent of words, sound and progress that come at such a rate."""
    sent: list[float] = []
    loop = asyncio.get_running_loop()

    async def answer(*_: object) -> tuple[Mapping[str, object], tuple[bytes, ...]]:
        return {}, ()

    channel = Channel(
        lambda message, buffers: sent.append(loop.time()),
        loop=loop,
        on_event=lambda *_: None,
        on_request=answer,
    )
    channel.receive({"v": 1, "page": "p", "kind": "hello", "have": 0}, [])
    start_s, frame = loop.time(), 0
    while (now_s := loop.time() - start_s) < STREAM_S:
        while frame < now_s * pieces_per_s:
            where = {"turn": "t", "start_frame": frame, "sample_rate_hz": RATE_HZ}
            channel.emit("turn.audio", where, [b"\0\0"])
            channel.emit("turn.text", {"turn": "t", "text": "word "})
            channel.emit("turn.progress", {"turn": "t", "speech_s": now_s})
            frame += 1
        await asyncio.sleep(0.001)
    channel.close()
    return sum(at_s - start_s < STREAM_S for at_s in sent) / STREAM_S


async def live() -> list[Row]:
    """The rows of a live card, by the rate of its stream."""
    rows = []
    for pieces_per_s in (10, 100, 1_000):
        found = await messages_per_s(pieces_per_s)
        rows.append(
            Row(
                f"live card, {pieces_per_s:,} pieces a second of sound, words and progress each",
                f"{found:.0f} messages/s",
                "–",
                "–",
                f"≤ {MESSAGES_PER_S} messages/s",
                round(found) <= MESSAGES_PER_S,
            )
        )
    return rows


def _kb(size_bytes: float) -> str:
    return f"{size_bytes / 1_000:,.1f} kB"


def main() -> int:
    """Measure and print."""
    assert __doc__ is not None
    options(__doc__, rounds=1)
    return report("card_size: what a card costs", [*sizes(), *asyncio.run(live())])


if __name__ == "__main__":
    sys.exit(main())
