import asyncio
import base64
import sys

from openai import AsyncOpenAI


async def main(base_url: str) -> None:
    client = AsyncOpenAI(base_url=base_url, api_key="sk-bench")
    stream = await client.chat.completions.create(
        model="spoken-10",
        messages=[{"role": "user", "content": "Explain."}],
        modalities=["text", "audio"],
        audio={"voice": "ash", "format": "pcm16"},
        stream=True,
    )
    async for chunk in stream:
        audio = getattr(chunk.choices[0].delta, "audio", None) if chunk.choices else None
        if audio and audio.data:
            base64.b64decode(audio.data)
            break
    await stream.close()
    await client.close()


asyncio.run(main(sys.argv[1]))
