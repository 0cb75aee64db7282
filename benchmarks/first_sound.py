"""From a message's arrival in the page to the first sample that the audio thread renders.

Prints a Markdown table. Needs the built widget and Chromium; the page is a bare one, without
Jupyter, so that only the widget's own share is measured. The end of each span is the worklet's
report of the first sample that is not zero, by its own clock.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from _rig import options
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.bare_page import FRAME, Rig, noise, served
from tests.browser.conftest import launch


@dataclass(frozen=True, slots=True)
class Case:
    """How a reply's sound comes in."""

    name: str
    frames: int
    distance_ms: float


CASES = (
    Case("messages of 50 ms, every 50 ms", FRAME, 50.0),
    Case("messages of 100 ms, every 100 ms", FRAME * 2, 100.0),
    Case("messages of 200 ms, every 200 ms", FRAME * 4, 200.0),
    Case("all at once", FRAME * 12, 0.0),
)


async def first_sounds(page: Rig, case: Case, rounds: int) -> tuple[list[float], int]:
    """Milliseconds to the first sound in each round, and underruns in all."""
    source = noise(0.6)
    for number in range(rounds):
        turn = f"{case.name} {number}"
        await page.start_turn(turn)
        await page.speak(source, case.frames, [0.0] + [case.distance_ms] * 20, turn)
        await page.end_turn(turn)
        await page.until("document.querySelector('.cv-player')?.dataset.phase === 'ended'")
    reports = [
        report for report in await page.call("reports") if report["turn"].startswith(case.name)
    ]
    assert len(reports) == rounds, f"{len(reports)} of {rounds} replies were heard"
    return [report["first_sound_ms"] for report in reports], sum(r["underruns"] for r in reports)


async def main(rounds: int) -> None:
    """Measure and print."""
    print("first_sound: from a message to the first sound in the page\n")
    print("| reply comes in | first on the page, ms | then median, ms | most, ms | underruns |")
    print("|---|---|---|---|---|")
    async with async_playwright() as driver:
        browser = await launch(driver)
        with served() as address:
            for case in CASES:
                page = Rig(await browser.new_page())
                await page.page.goto(address)
                await page.until("globalThis.rig !== undefined")
                await page.call("open", "card")
                (cold_ms, *warm_ms), underruns = await first_sounds(page, case, rounds)
                median_ms, worst_ms = statistics.median(warm_ms), max(warm_ms)
                cells = (
                    case.name,
                    f"{cold_ms:.0f}",
                    f"{median_ms:.0f}",
                    f"{worst_ms:.0f}",
                    underruns,
                )
                print("|", " | ".join(map(str, cells)), "|")
                await page.page.close()
        await browser.close()
    print(flush=True)


if __name__ == "__main__":
    asyncio.run(main(options(__doc__, rounds=10).rounds))
