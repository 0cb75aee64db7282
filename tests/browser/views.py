"""The pad, the recorder in a cell and the card, by the names that a person knows them by."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Locator, expect

from .lab import WAIT_MS, SoundPage
from .sound import Match, Samples, correlate

TAKES = 4


def is_whole(match: Match) -> bool:
    """Whether the browser gave all of the question: each of its loud 50 ms is where it belongs.

    Seen on a starved machine: 0.88 and 0.93 in all with a worst block of -0.27; whole ones have
    0.99 and 0.81.
    """
    return match.correlation > 0.93 and match.worst_block > 0.5


class Recorder:
    """The round button and what stands beside it; `area` is the section of the pad or the cell."""

    def __init__(self, page: SoundPage, area: Locator) -> None:
        self.page = page
        self.area = area

    async def shown(self) -> None:
        """Wait until it is there and the kernel answers."""
        await expect(self.area).to_be_visible(timeout=WAIT_MS)
        await expect(self.area.locator(".cv-link:not([data-link=open])")).to_have_count(
            0, timeout=WAIT_MS
        )

    async def start(self) -> None:
        """Click the record button and wait until the microphone is on."""
        await self.area.get_by_role("button", name="Record", exact=True).click()
        stop = self.area.get_by_role("button", name="Stop recording")
        await expect(stop).to_be_visible(timeout=WAIT_MS)

    async def stop(self) -> None:
        """Click stop and wait until the kernel has all of it."""
        await self.area.get_by_role("button", name="Stop recording").click()
        await expect(self.send_button).to_be_visible(timeout=WAIT_MS)

    async def discard(self) -> None:
        """Throw away what waits to be sent."""
        await self.area.get_by_role("button", name="Discard").click()

    async def record(self, question: Samples) -> None:
        """Record the question that the fake microphone speaks.

        A starved audio thread can drop frames before the page has them. That is the machine's
        fault, not the page's: our own tap tells, and such a take is discarded as a person would.
        """
        matches = []
        for _ in range(TAKES):
            await self.start()
            await self.page.until_spoken()
            await self.stop()
            matches.append(correlate(await self.page.microphone(), question))
            if is_whole(matches[-1]):
                return
            await self.discard()
        raise AssertionError(f"the fake microphone stuttered {TAKES} times: {matches}")

    @property
    def send_button(self) -> Locator:
        """The button that sends the take."""
        return self.area.get_by_role("button", name="Send", exact=True)

    async def send(self) -> None:
        """Send the take."""
        await self.send_button.click()

    async def upload(self, file: Path) -> None:
        """Choose a sound file and wait until the kernel has it."""
        await (
            self.area.get_by_label("Choose a sound file")
            .and_(self.area.locator("input[type=file]"))
            .set_input_files(file)
        )
        await expect(self.send_button).to_be_visible(timeout=WAIT_MS)

    async def write(self, text: str) -> None:
        """Write a message and send it by Enter."""
        message = self.area.get_by_role("textbox", name="Message")
        await message.fill(text)
        await message.press("Enter")


class Card:
    """One turn on the page."""

    def __init__(self, area: Locator, number: int) -> None:
        self.box = area.get_by_role("article", name=f"Turn {number}", exact=True)

    async def ended(self, state: str = "complete") -> None:
        """Wait until the turn has ended, in this state."""
        card = self.box.and_(self.box.page.locator(f"[data-state={state}]"))
        await expect(card).to_be_visible(timeout=WAIT_MS)

    async def running(self) -> None:
        """Wait until the card shows a turn that runs."""
        await self.ended("running")

    async def text(self) -> str:
        """The reply's words as they stand on the card."""
        return (await self.box.locator(".cv-text").inner_text()).strip()

    async def play(self) -> None:
        """Press play."""
        await self.box.get_by_role("button", name="Play the reply").click()

    async def stop(self) -> None:
        """Press stop while it runs."""
        await self.box.get_by_role("button", name="Stop", exact=True).click()


def pad_in(page: SoundPage, area: Locator) -> Recorder:
    """The pad's section in an output."""
    return Recorder(page, area.get_by_role("region", name=re.compile("^Conversation with")))


def listening_in(page: SoundPage, area: Locator) -> Recorder:
    """The section of `session.listen()` in an output."""
    return Recorder(page, area.get_by_role("region", name=re.compile("^Speak to")))
