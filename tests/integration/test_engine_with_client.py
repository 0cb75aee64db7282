"""Engine and client are each other's test rig: events, bytes, events again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.client import Client
from cellvoice.errors import AuthError, ServiceError
from cellvoice.local import LocalTransport
from cellvoice.local import events as made
from cellvoice.local.asks import Ask, parse_ask
from cellvoice.local.ears import Ear, Heard, NoEar
from cellvoice.local.engine import Engine
from cellvoice.local.voices import choose_voice
from cellvoice.local.wire import stream
from cellvoice.protocol import (
    AudioChunk,
    Reply,
    Request,
    StreamParser,
    assistant_audio,
    build_request,
    fold,
    system_message,
    user_message,
)


class ToldEar(NoEar):
    """Hears what it is told."""

    def hear(self, samples: Any) -> Heard:
        return Heard("why is the sky blue", 1.2)


class RecordingEngine(Engine):
    """Keeps the typed events of its last reply, and knows when one was left early."""

    def __init__(self, ear: Ear) -> None:
        super().__init__(voice=choose_voice("formant"), ear=ear)
        self.events: list[made.Event] = []
        self.left = threading.Event()

    def reply(self, ask: Ask) -> Iterator[made.Event]:
        self.events = []
        try:
            for event in super().reply(ask):
                self.events.append(event)
                yield event
        except GeneratorExit:
            self.left.set()
            raise


@pytest.fixture
def engine() -> RecordingEngine:
    return RecordingEngine(ToldEar())


@pytest.fixture
async def client(engine: RecordingEngine) -> AsyncIterator[Client]:
    client = Client("http://engine/v1", api_key="key", transport=LocalTransport(engine))
    yield client
    await client.aclose()


def question(*messages: Any, **params: Any) -> Request:
    asked = messages or (user_message("why is the sky blue"),)
    return build_request(
        model="gpt-audio", messages=asked, voice="coral", params={"temperature": 0, **params}
    )


def folded(pieces: list[bytes]) -> Reply:
    parser, reply = StreamParser(), Reply()
    for piece in pieces:
        for event in parser.feed(piece):
            fold(reply, event)
    for event in parser.finish():
        fold(reply, event)
    return reply


@pytest.mark.parametrize("size", [1, 7, 4_096, 10_000_000])
def test_what_the_engine_meant_is_what_the_client_reads(engine: RecordingEngine, size: int) -> None:
    ask = parse_ask(question().body(), engine.earlier)
    raw = b"".join(frame.data for frame in stream(engine, ask))
    reply = folded([raw[at : at + size] for at in range(0, len(raw), size)])
    begun, ended, spent = engine.events[0], engine.events[-2], engine.events[-1]
    assert isinstance(begun, made.Begun)
    assert isinstance(ended, made.Ended)
    assert isinstance(spent, made.Spent)
    assert reply.audio_id == begun.audio_id
    assert reply.transcript == "".join(e.text for e in engine.events if isinstance(e, made.Words))
    assert reply.pcm == b"".join(e.pcm for e in engine.events if isinstance(e, made.Sound))
    assert reply.heartbeats == sum(isinstance(e, made.Beat) for e in engine.events)
    assert reply.expires_at == ended.expires_at
    assert reply.done
    assert reply.usage is not None
    details = reply.usage.completion_tokens_details
    assert details is not None
    assert (details.text_tokens, details.audio_tokens) == (spent.text, spent.audio)
    assert reply.engine is not None
    assert reply.engine["badge"] == "embedded engine, not gpt-audio"
    timed = [list(word) for e in engine.events if isinstance(e, made.Timed) for word in e.words]
    assert reply.engine["words"] == timed
    assert len(timed) > 10


async def test_the_client_streams_the_engine_in_process(client: Client) -> None:
    reply = Reply()
    sound = user_message(Clip.from_pcm16(bytes(96_000)))
    async with client.stream(question(system_message("Be brief."), sound)) as events:
        assert (events.request_id or "").startswith("req_")
        async for event in events:
            fold(reply, event)
    assert reply.text.startswith("The sky is blue")
    assert reply.clip is not None
    assert reply.clip.duration_s > 3
    assert reply.model == "cellvoice-engine-1"


async def test_a_second_turn_by_audio_id_remembers_the_first(client: Client) -> None:
    first, second = Reply(), Reply()
    async with client.stream(question()) as events:
        async for event in events:
            fold(first, event)
    assert first.audio_id is not None
    turns = (assistant_audio(first.audio_id), user_message("Please repeat that."))
    async with client.stream(question(*turns)) as events:
        async for event in events:
            fold(second, event)
    assert second.transcript == first.transcript


async def test_leaving_after_the_first_sound_stops_the_engine(
    engine: RecordingEngine, client: Client
) -> None:
    async with client.stream(question()) as events:
        async for event in events:
            if isinstance(event, AudioChunk):
                break
    assert await asyncio.to_thread(engine.left.wait, 10)
    assert not any(isinstance(event, made.Ended) for event in engine.events)


async def test_a_cancel_in_the_middle_stops_the_engine(
    engine: RecordingEngine, client: Client
) -> None:
    heard = asyncio.Event()

    async def listen() -> None:
        async with client.stream(question()) as events:
            async for event in events:
                if isinstance(event, AudioChunk):
                    heard.set()
                    await asyncio.Event().wait()

    listening = asyncio.create_task(listen())
    await heard.wait()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert await asyncio.to_thread(engine.left.wait, 10)


async def test_refusals_reach_the_caller_as_errors_of_the_service(
    engine: RecordingEngine, client: Client
) -> None:
    with pytest.raises(ServiceError) as caught:
        async with client.stream(question(extra_body={"reasoning_effort": "low"})):
            pass
    assert (caught.value.status, caught.value.code) == (400, "unsupported_parameter")
    assert caught.value.param == "reasoning_effort"
    with pytest.raises(ServiceError) as caught:
        async with client.stream(question(assistant_audio("audio_gone"), user_message("hi"))):
            pass
    assert caught.value.code == "audio_not_found"
    transport = LocalTransport(engine, api_key="another")
    stranger = Client("http://engine/v1", api_key="key", transport=transport)
    with pytest.raises(AuthError):
        async with stranger.stream(question()):
            pass
    await stranger.aclose()


async def test_a_voice_that_breaks_in_the_middle_is_told_in_the_stream(speech: Path) -> None:
    from cellvoice.errors import EngineError
    from cellvoice.protocol import ErrorReceived

    class HoarseVoice:
        label = part = "hoarse"

        def __init__(self) -> None:
            self.said = 0

        def speak(self, text: str, voice: str) -> Any:
            return self.timed(text, voice).samples

        def timed(self, text: str, voice: str) -> Any:
            self.said += 1
            if self.said > 1:
                raise EngineError("the voice is gone")
            return choose_voice("formant").timed(text, voice)

    engine = Engine(voice=HoarseVoice(), ear=NoEar())
    client = Client("http://engine/v1", api_key="key", transport=LocalTransport(engine))
    request = question(user_message("what is the capital of france"))
    async with client.stream(request) as events:
        seen = [event async for event in events]
    errors = [event.error for event in seen if isinstance(event, ErrorReceived)]
    assert len(errors) == 1
    assert "the voice is gone" in str(errors[0])
    assert any(isinstance(event, AudioChunk) for event in seen)
    await client.aclose()
