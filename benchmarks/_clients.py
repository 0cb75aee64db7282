"""cellvoice and its peers, each as a program would use it: one long-lived client.

A model's name says which reply the server gives. openai-python keeps its own defaults, except
that it never asks twice.
"""

from __future__ import annotations

import base64
from typing import Any

import httpx

__all__ = ["Bare", "Cellvoice", "OpenAI"]

KEY = "sk-bench"
QUESTION = "Explain."
VOICE = "ash"


class Cellvoice:
    """Reads to the reply's bytes and words."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        from cellvoice.client import Client

        self._client = Client(base_url, KEY, transport)

    async def listen(self, model: str, *, stream: bool = True) -> Any:
        """The whole reply."""
        from cellvoice.protocol import build_request, user_message

        messages = [user_message(QUESTION)]
        return await self._read(
            build_request(model=model, voice=VOICE, messages=messages, stream=stream)
        )

    async def send(self, model: str, recording: Any) -> Any:
        """Send a Clip, read the whole reply."""
        from cellvoice.protocol import build_request, user_message

        return await self._read(build_request(model=model, messages=[user_message(recording)]))

    async def _read(self, request: Any) -> Any:
        from cellvoice.protocol import Reply, fold

        reply = Reply()
        async with self._client.stream(request) as stream:
            async for event in stream:
                fold(reply, event)
        assert reply.done, "the reply is not whole"
        return reply

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()


class OpenAI:
    """Iterates typed chunks, and neither joins words nor decodes sound."""

    def __init__(self, base_url: str, *, aiohttp: bool = False) -> None:
        import openai

        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=KEY,
            max_retries=0,
            http_client=openai.DefaultAioHttpClient() if aiohttp else None,
        )

    async def listen(self, model: str, *, stream: bool = True) -> int:
        """The number of chunks, or of characters of sound in a reply that is not streamed."""
        kind = "pcm16" if stream else "wav"
        return await self._read(
            model=model,
            messages=[{"role": "user", "content": QUESTION}],
            modalities=["text", "audio"],
            audio={"voice": VOICE, "format": kind},
            stream=stream,
        )

    async def send(self, model: str, recording: bytes) -> int:
        """Send a WAV file, read the whole reply."""
        data = base64.b64encode(recording).decode()
        part = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
        messages = [{"role": "user", "content": [part]}]
        return await self._read(model=model, messages=messages, stream=True)

    async def _read(self, **question: Any) -> int:
        found: Any = await self._client.chat.completions.create(**question)
        if not question["stream"]:
            return len(found.choices[0].message.audio.data)
        chunks = 0
        async for chunk in found:
            chunks += bool(chunk.id)
        return chunks

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.close()


class Bare:
    """httpx, reading the bytes and throwing them away."""

    def __init__(self, base_url: str) -> None:
        self._address = f"{base_url}/chat/completions"
        self._client = httpx.AsyncClient(trust_env=False)

    async def listen(self, model: str) -> int:
        """The number of bytes."""
        size = 0
        question = {"model": model, "stream": True}
        async with self._client.stream("POST", self._address, json=question) as response:
            async for piece in response.aiter_raw():
                size += len(piece)
        return size

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()
