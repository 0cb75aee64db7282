"""CPU of written replies of 500 tokens: plain, and with 20 alternatives for each token."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from _clients import Bare, Cellvoice, OpenAI
from _rig import Row, at_least, cpu_ms, for_information, options, report
from _server import served

TOKENS = 500
ALTERNATIVES = 20


async def measure(base_url: str, rounds: int) -> list[Row]:
    """The rows of both replies."""
    ours, openai, bare = Cellvoice(base_url), OpenAI(base_url), Bare(base_url)
    openai_aiohttp = OpenAI(base_url, aiohttp=True)
    plain, weighed = f"written-{TOKENS}", f"weighed-{TOKENS}"

    async def look_at_alternatives() -> int:
        reply = await ours.listen(weighed)
        return sum(len(row["top_logprobs"]) for row in reply.logprobs.content)

    assert await look_at_alternatives() == TOKENS * ALTERNATIVES
    text = await cpu_ms(
        {
            "ours": partial(ours.listen, plain),
            "openai": partial(openai.listen, plain),
            "openai over aiohttp": partial(openai_aiohttp.listen, plain),
            "bare": partial(bare.listen, plain),
        },
        rounds,
    )
    odds = await cpu_ms(
        {
            "ours": partial(ours.listen, weighed),
            "ours, looking": look_at_alternatives,
            "openai": partial(openai.listen, weighed),
        },
        rounds,
    )
    for reader in (ours, openai, bare, openai_aiohttp):
        await reader.aclose()
    looking = "logprobs, and we look at every one, openai-python"
    return [
        at_least(12, "text, openai-python", text["ours"], text["openai"]),
        for_information("text, openai over aiohttp", text["ours"], text["openai over aiohttp"]),
        for_information("text, httpx that discards", text["ours"], text["bare"]),
        at_least(8, "logprobs, openai-python", odds["ours"], odds["openai"]),
        for_information(looking, odds["ours, looking"], odds["openai"]),
    ]


def main() -> int:
    """Measure and print."""
    given = options(__doc__, rounds=15)
    with served() as base_url:
        rows = asyncio.run(measure(base_url, given.rounds))
    return report(f"text_stream: CPU of a written reply of {TOKENS} tokens", rows)


if __name__ == "__main__":
    sys.exit(main())
