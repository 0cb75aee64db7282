"""CPU time of reading a spoken reply, per 1,000 events of its stream.

    .venv/bin/python benchmarks/stream_cpu.py [--rounds 7] [--replies 3]

Three readers of the same bytes take turns in one run: cellvoice to the reply's samples and words,
openai-python's plain iteration (typed chunks, nothing folded, no sound decoded), and httpx
reading and discarding. A fourth row has cellvoice's parser without any network. A server in
another process sends each event as an HTTP chunk of its own: once as fast as it can, and once with
a pause before each, as a service does. Prints a Markdown table of medians.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import platform
import socket
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import httpx

SPEECH_S = 17.4
PCM_PIECE_BYTES = 19_200
WORDS = 58
PAUSE_S = 0.002
MODEL = "gpt-audio-1.5"

Reader = Callable[[str], Awaitable[int]]


def spoken_reply() -> list[bytes]:
    """The events of a long spoken reply, in the order and sizes of the recorded streams."""
    head = {
        "id": "chatcmpl-DnW1yCjIpiKF0L6q9Az8UnYq3DniJ",
        "object": "chat.completion.chunk",
        "created": 1780693570,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_58b2b3ae96",
    }

    def event(choices: object = None, **rest: object) -> bytes:
        chunk = {**head, **({} if choices is None else {"choices": choices})}
        chunk |= {"usage": None, "obfuscation": "Kk27CsDA"} | rest
        return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode()

    def choice(delta: object) -> list[object]:
        return [{"index": 0, "delta": delta, "finish_reason": None}]

    tokens = round(SPEECH_S * 20)
    pieces = -(-round(SPEECH_S * 48_000) // PCM_PIECE_BYTES)
    sound = [base64.b64encode(os.urandom(PCM_PIECE_BYTES)).decode() for _ in range(pieces)]
    body = [event() for _ in range(tokens + 1)]
    # Words come early, sound is spread over the rest; both between events without content.
    for number in range(WORDS):
        body.insert(number * 4, event(choice({"audio": {"transcript": f" word{number}"}})))
    step = len(body) // pieces
    for number, data in enumerate(sound):
        body.insert(number * (step + 1) + step, event(choice({"audio": {"data": data}})))
    details = {"audio_tokens": tokens, "text_tokens": WORDS}
    used = {"prompt_tokens": 20, "completion_tokens": tokens + WORDS, "total_tokens": tokens + 78}
    return [
        event(choice({"role": "assistant", "refusal": None})),
        event(choice({"content": None, "audio": {"id": "audio_6a23", "transcript": "Well,"}})),
        *body,
        event([], usage={**used, "completion_tokens_details": details}),
        event([{"index": 0, "delta": {"audio": {"expires_at": 1780697172}}}]),
        b"data: [DONE]\n\n",
    ]


def serve(ready: Connection, events: list[bytes]) -> None:
    """Answer every request with the reply; `/paced/…` waits before each event."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                await reader.readexactly(int(lines["content-length"]))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                    b"transfer-encoding: chunked\r\n\r\n"
                )
                for event in events:
                    if "/paced/" in head:
                        await asyncio.sleep(PAUSE_S)
                    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@dataclass(frozen=True)
class Readers:
    """One long-lived client of each kind, as a program would have."""

    named: dict[str, Reader]
    close: Callable[[], Awaitable[None]]


def make_readers(base_url: str, events: list[bytes]) -> Readers:
    """The readers; each takes `paced` or `burst` and returns a count of what it read."""
    from openai import AsyncOpenAI

    from cellvoice.client import Client
    from cellvoice.protocol import Reply, StreamParser, build_request, fold, user_message

    request = build_request(model=MODEL, voice="ash", messages=[user_message("Explain.")])
    body = request.body()
    bare = httpx.AsyncClient()
    ours = {pace: Client(f"{base_url}/{pace}/v1", "sk-bench") for pace in ("burst", "paced")}
    openai = {
        pace: AsyncOpenAI(base_url=f"{base_url}/{pace}/v1", api_key="sk-bench")
        for pace in ("burst", "paced")
    }

    async def read_cellvoice(pace: str) -> int:
        reply = Reply()
        async with ours[pace].stream(request) as stream:
            async for event in stream:
                fold(reply, event)
        assert reply.done
        assert reply.transcript.endswith(f"word{WORDS - 1}")
        return len(reply.pcm)

    async def read_openai(pace: str) -> int:
        chunks = 0
        stream = await openai[pace].chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Explain."}],
            modalities=["text", "audio"],
            audio={"voice": "ash", "format": "pcm16"},
            stream=True,
        )
        async for chunk in stream:
            chunks += bool(chunk.id)
        return chunks

    async def read_and_discard(pace: str) -> int:
        size = 0
        address = f"{base_url}/{pace}/v1/chat/completions"
        async with bare.stream("POST", address, content=body) as response:
            async for piece in response.aiter_raw():
                size += len(piece)
        return size

    async def parse_alone(pace: str) -> int:
        reply, parser = Reply(), StreamParser()
        for piece in events:
            for event in parser.feed(piece):
                fold(reply, event)
        assert reply.done
        return len(reply.pcm)

    async def close() -> None:
        await bare.aclose()
        for pace in ("burst", "paced"):
            await ours[pace].aclose()
            await openai[pace].close()

    named = {
        "cellvoice, to samples and words": read_cellvoice,
        "openai-python, plain iteration": read_openai,
        "httpx, read and discard": read_and_discard,
        "cellvoice's parser and fold, no network": parse_alone,
    }
    return Readers(named, close)


async def measure(
    base_url: str, rounds: int, replies: int, events: list[bytes]
) -> dict[str, dict[str, float]]:
    """Median CPU milliseconds per 1,000 events, by pace and reader; the readers take turns."""
    readers = make_readers(base_url, events)
    results: dict[str, dict[str, float]] = {}
    for pace in ("burst", "paced"):
        times: dict[str, list[float]] = {name: [] for name in readers.named}
        for round_number in range(rounds + 1):
            for name, read in readers.named.items():
                before = time.process_time()
                for _ in range(replies):
                    await read(pace)
                spent_ms = (time.process_time() - before) * 1_000
                if round_number:  # the first round warms up
                    times[name].append(spent_ms / (replies * len(events)) * 1_000)
        results[pace] = {name: statistics.median(values) for name, values in times.items()}
    await readers.close()
    return results


def table(results: dict[str, dict[str, float]]) -> str:
    """The results as Markdown, with ratios to cellvoice."""
    lines = [
        "| reader | burst, ms | × cellvoice | paced, ms | × cellvoice |",
        "|---|---|---|---|---|",
    ]
    ours = next(iter(results["burst"]))
    for name in results["burst"]:
        cells = [name]
        for pace in ("burst", "paced"):
            spent_ms = results[pace][name]
            cells += [f"{spent_ms:.1f}", f"{spent_ms / results[pace][ours]:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Start the server, measure, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--replies", type=int, default=3)
    given = options.parse_args()
    events = spoken_reply()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs, events), daemon=True)
    server.start()
    try:
        base_url = f"http://127.0.0.1:{ours.recv()}"
        results = asyncio.run(measure(base_url, given.rounds, given.replies, events))
    finally:
        server.terminate()
        server.join()
    size = sum(map(len, events))
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}: CPU ms per 1,000 events; a reply of {len(events)} "
        f"events and {size / 1_000:,.0f} kB, medians of {given.rounds} rounds\n"
    )
    print(table(results))


if __name__ == "__main__":
    sys.exit(main())
