import asyncio
import sys

from cellvoice.client import Client
from cellvoice.protocol import AudioChunk, build_request, user_message


async def main(base_url: str) -> None:
    question = [user_message("Explain.")]
    request = build_request(model="spoken-10", voice="ash", messages=question)
    client = Client(base_url, "sk-bench")
    async with client.stream(request) as stream:
        async for event in stream:
            if isinstance(event, AudioChunk):
                break
    await client.aclose()


asyncio.run(main(sys.argv[1]))
