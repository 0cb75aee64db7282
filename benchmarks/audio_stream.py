"""CPU of a spoken reply of 60 s in pieces of 100 ms, beside openai-python and bare httpx.

The bars are for events that come as fast as the client reads. Paced by 2 ms, about as a service
sends them, most of every client's CPU is waking up once for each event.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import httpx
from _clients import Bare, Cellvoice, OpenAI
from _replies import sound_bytes
from _rig import Row, at_least, at_most, cpu_ms, for_information, options, report
from _server import served

FAST_S = 60
PACED_S = 12


async def measure(base_url: str, rounds: int) -> list[Row]:
    """The rows of both paces."""
    ours, openai, bare = Cellvoice(base_url), OpenAI(base_url), Bare(base_url)
    ours_httpx = Cellvoice(base_url, httpx.AsyncHTTPTransport())
    openai_aiohttp = OpenAI(base_url, aiohttp=True)

    async def spent(model: str, rounds: int) -> dict[str, float]:
        readers = {
            "ours": partial(ours.listen, model),
            "openai": partial(openai.listen, model),
            "bare": partial(bare.listen, model),
            "openai over aiohttp": partial(openai_aiohttp.listen, model),
            "ours over httpx": partial(ours_httpx.listen, model),
        }
        return await cpu_ms(readers, rounds)

    reply = await ours.listen(f"spoken-{FAST_S}")
    assert len(reply.pcm) == sound_bytes(FAST_S)
    fast = await spent(f"spoken-{FAST_S}", rounds)
    paced = await spent(f"paced-{PACED_S}", max(3, rounds // 2))
    for reader in (ours, openai, bare, ours_httpx, openai_aiohttp):
        await reader.aclose()
    return [
        at_least(7, f"{FAST_S} s, openai-python", fast["ours"], fast["openai"]),
        at_most(1.4, f"{FAST_S} s, httpx that discards", fast["ours"], fast["bare"]),
        *_beside_others(f"{FAST_S} s", fast),
        for_information(f"{PACED_S} s paced, openai-python", paced["ours"], paced["openai"]),
        for_information(f"{PACED_S} s paced, httpx that discards", paced["ours"], paced["bare"]),
        *_beside_others(f"{PACED_S} s paced", paced),
    ]


def _beside_others(words: str, spent: dict[str, float]) -> list[Row]:
    names = ("openai over aiohttp", "ours over httpx")
    return [for_information(f"{words}, {name}", spent["ours"], spent[name]) for name in names]


def main() -> int:
    """Measure and print."""
    given = options(__doc__, rounds=9)
    with served() as base_url:
        rows = asyncio.run(measure(base_url, given.rounds))
    return report("audio_stream: CPU of one spoken reply", rows)


if __name__ == "__main__":
    sys.exit(main())
