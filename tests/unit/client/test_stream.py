"""Streaming from a real server: in time, cut off, left early, not streamed at all."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import httpx
import pytest

from cellvoice.client import Client, ClientOptions, RetryPolicy, Timeouts
from cellvoice.errors import EngineError, ProtocolError, ServiceError, StreamBroken
from cellvoice.protocol import (
    AudioChunk,
    ErrorReceived,
    Event,
    Request,
    StreamDone,
    StreamParser,
    TextChunk,
    build_request,
    user_message,
)

from .rig import Exchange, serving

SHORTEST = (
    Path(__file__).parents[2] / "fixtures" / "recorded" / "gpt-audio-1.5.basic.shortest.sse"
).read_bytes()
KEY = "sk-proj-abcdefghijklmnop1234"


def text_event(text: str) -> bytes:
    chunk = {"id": "c1", "choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def expected_events(body: bytes) -> list[Event]:
    parser = StreamParser()
    return parser.feed(body) + parser.finish()


async def collect(client: Client, request: Request, events: list[Event]) -> None:
    """Fill `events`, so that what came before an error is there to be looked at."""
    async with client.stream(request) as stream:
        async for event in stream:
            events.append(event)  # noqa: PERF401 (a comprehension would lose them)


async def all_events(client: Client, request: Request) -> list[Event]:
    async with client.stream(request) as stream:
        return [event async for event in stream]


async def test_a_reply_streams_and_the_request_is_as_the_service_wants(
    request_to_speak: Request,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for place in range(0, len(SHORTEST), 5_000):
            await exchange.send(SHORTEST[place : place + 5_000])
        await exchange.end()

    async with serving(script) as rig:
        client = Client(rig.base_url, KEY)
        async with client.stream(request_to_speak) as stream:
            assert stream.request_id == "req_1"
            assert stream.status == 200
            events = [event async for event in stream]
        await client.aclose()
    assert events == expected_events(SHORTEST)
    (exchange,) = rig.exchanges
    assert exchange.head.startswith("POST /v1/chat/completions HTTP/1.1\r\n")
    assert exchange.header("authorization") == f"Bearer {KEY}"
    assert exchange.header("content-type") == "application/json"
    assert json.loads(exchange.body) == {
        "model": "gpt-audio",
        "messages": [{"role": "user", "content": "Say hello."}],
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "pcm16"},
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
    }


async def test_each_event_is_there_before_the_next_one_is_sent(request_to_speak: Request) -> None:
    seen = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for word in ("one", "two", "three"):
            seen.clear()
            await exchange.send(text_event(word))
            # The server goes on only when the client has the word: nothing may be held back.
            await seen.wait()
        await exchange.send(b"data: [DONE]\n\n")
        await exchange.end()

    words = []
    async with serving(script) as rig, asyncio.timeout(10):
        client = Client(rig.base_url)
        async with client.stream(request_to_speak) as stream:
            async for event in stream:
                if isinstance(event, TextChunk):
                    words.append(event.text)
                    seen.set()
        await client.aclose()
    assert words == ["one", "two", "three"]


async def test_the_connection_is_used_again_after_a_whole_reply(request_to_speak: Request) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("a") + b"data: [DONE]\n\n")
        await exchange.end()

    async with serving(script) as rig:
        client = Client(rig.base_url)
        for _ in range(3):
            await all_events(client, request_to_speak)
        await client.aclose()
    assert (rig.connections, len(rig.exchanges)) == (1, 3)


async def test_a_server_that_stays_silent_after_done_is_not_waited_for(
    request_to_speak: Request,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("a") + b"data: [DONE]\n\n")
        await asyncio.Event().wait()

    async with serving(script) as rig, asyncio.timeout(10):
        client = Client(rig.base_url)
        events = await all_events(client, request_to_speak)
        await client.aclose()
    assert events[-1] == StreamDone()


async def test_leaving_early_closes_the_connection(request_to_speak: Request) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        while True:
            await exchange.send(text_event("word"))
            await asyncio.sleep(0)

    async with serving(script) as rig, asyncio.timeout(10):
        client = Client(rig.base_url)
        async with client.stream(request_to_speak) as stream:
            async for event in stream:
                if isinstance(event, TextChunk):
                    break
        await rig.hung_up.wait()
        await client.aclose()


async def test_a_cancelled_wait_closes_the_connection(request_to_speak: Request) -> None:
    started = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("word"))
        started.set()
        await exchange.until_hung_up()

    async with serving(script) as rig, asyncio.timeout(10):
        client = Client(rig.base_url)
        task = asyncio.create_task(all_events(client, request_to_speak))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await rig.hung_up.wait()
        await client.aclose()


@pytest.mark.parametrize("how", ["cut in a chunk", "cut between chunks", "ended early"])
async def test_a_cut_stream_gives_all_that_came_and_then_says_so(
    how: str, request_to_speak: Request
) -> None:
    # In the middle of the second piece of sound.
    half = SHORTEST[: SHORTEST.rindex(b'"data":"') + 1_000]

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(half)
        if how == "ended early":
            await exchange.end()
            return
        if how == "cut in a chunk":
            exchange.writer.write(b"ffff\r\ndata: {")
            await exchange.writer.drain()
        exchange.writer.close()
        raise ConnectionError

    events: list[Event] = []
    async with serving(script) as rig:
        client = Client(rig.base_url)
        with pytest.raises(StreamBroken, match=r"127\.0\.0\.1.*what came is kept"):
            await collect(client, request_to_speak, events)
        await client.aclose()
    assert events == expected_events(half)
    assert any(isinstance(event, AudioChunk) for event in events)
    assert StreamDone() not in events


async def test_a_stream_that_falls_silent_is_broken(request_to_speak: Request) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("word"))
        await asyncio.Event().wait()

    events: list[Event] = []
    async with serving(script) as rig:
        client = Client(
            rig.base_url,
            options=ClientOptions.of(timeout=Timeouts(first_byte_s=0.2, idle_s=0.2)),
            retry=RetryPolicy(0),
        )
        with pytest.raises(StreamBroken, match="fell silent"):
            await collect(client, request_to_speak, events)
        await client.aclose()
    assert events[-1] == TextChunk("word")


async def test_a_stream_without_done_is_complete_if_it_said_its_end(
    request_to_speak: Request,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(SHORTEST.removesuffix(b"data: [DONE]\n\n"))
        await exchange.end()

    async with serving(script) as rig:
        client = Client(rig.base_url)
        events = await all_events(client, request_to_speak)
        await client.aclose()
    assert events == expected_events(SHORTEST)


async def test_an_error_in_the_middle_comes_as_an_event_with_the_request_id(
    request_to_speak: Request,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("a") + b'data: {"error":{"message":"lost"}}\n\n')
        exchange.writer.close()
        raise ConnectionError

    async with serving(script) as rig:
        client = Client(rig.base_url)
        *_, last = await all_events(client, request_to_speak)
        await client.aclose()
    assert isinstance(last, ErrorReceived)
    assert isinstance(last.error, ServiceError)
    assert last.error.request_id == "req_1"


async def test_a_server_that_stays_silent_after_an_error_is_not_waited_for(
    request_to_speak: Request,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(b'data: {"error":"lost"}\n\n')
        await asyncio.Event().wait()

    async with serving(script) as rig, asyncio.timeout(10):
        client = Client(rig.base_url)
        (event,) = await all_events(client, request_to_speak)
        await client.aclose()
    assert isinstance(event, ErrorReceived)


async def test_a_body_that_is_not_as_compressed_as_it_says_is_broken(
    request_to_speak: Request,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start(content_encoding="gzip")
        await exchange.send(SHORTEST)
        await exchange.end()

    async with serving(script) as rig:
        client = Client(rig.base_url)
        with pytest.raises(StreamBroken):
            await all_events(client, request_to_speak)
        await client.aclose()


async def test_nonsense_in_the_stream_is_an_error_after_what_came(
    request_to_speak: Request,
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("a") + b"data: nonsense\n\n")
        await exchange.end()

    events: list[Event] = []
    async with serving(script) as rig:
        client = Client(rig.base_url)
        with pytest.raises(ProtocolError, match="no JSON"):
            await collect(client, request_to_speak, events)
        await client.aclose()
    assert TextChunk("a") in events


async def test_a_reply_that_is_not_streamed_gives_the_same_kind_of_events() -> None:
    message = {"role": "assistant", "content": "Hello."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = json.dumps({"id": "c1", "choices": [choice]}).encode()

    async def script(exchange: Exchange) -> None:
        await exchange.answer("200 OK", body)

    async with serving(script) as rig:
        client = Client(rig.base_url)
        request = build_request(model="m", messages=[user_message("Say hello.")], stream=False)
        events = await all_events(client, request)
        await client.aclose()
    assert b"stream" not in rig.exchanges[0].body
    assert TextChunk("Hello.") in events
    assert events[-1] == StreamDone()


async def test_compressed_answers_are_read(request_to_speak: Request) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start(content_encoding="gzip")
        await exchange.send(gzip.compress(SHORTEST))
        await exchange.end()

    async with serving(script) as rig:
        client = Client(rig.base_url)
        events = await all_events(client, request_to_speak)
        await client.aclose()
    assert events == expected_events(SHORTEST)


async def test_a_transport_takes_the_place_of_the_network(request_to_speak: Request) -> None:
    class Here(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert json.loads(await request.aread())["model"] == "gpt-audio"
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, content=SHORTEST)

    client = Client(transport=Here())
    assert await all_events(client, request_to_speak) == expected_events(SHORTEST)
    await client.aclose()


async def test_an_engine_that_fails_says_so_itself(request_to_speak: Request) -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise EngineError("the engine ended")

    client = Client(transport=Broken())
    with pytest.raises(EngineError, match="the engine ended"):
        await all_events(client, request_to_speak)
    await client.aclose()
