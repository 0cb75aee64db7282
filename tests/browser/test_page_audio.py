"""Recording and playing in a real browser: the built widget, a bare page, a small kernel."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, expect

from cellvoice.audio import Clip

from .bare_page import ALONE, FRAME, STATE, Rig, noise, served
from .conftest import QUESTION, launch
from .lab import TAP
from .server import WIDGET
from .sound import SAMPLE_RATE_HZ, as_floats, correlate, read_wav, spoken
from .views import TAKES, is_whole


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the page is served."""
    if not WIDGET.exists():
        pytest.fail(f"{WIDGET} is not built; run scripts/build first")
    with served() as address:
        yield address


OpenRig = Callable[..., Awaitable[Rig]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def touched(playwright: Playwright) -> AsyncIterator[Browser]:
    """A browser that plays without being asked, as on a page where a cell was run by hand."""
    browser = await launch(playwright)
    yield browser
    await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def rig(touched: Browser, address: str) -> AsyncIterator[OpenRig]:
    """Open the page with one view of one model; no error of ours may stand in its console."""
    rigs: list[Rig] = []
    async with AsyncExitStack() as stack:

        async def make(
            view: str, *, browser: Browser = touched, microphone: bool = True, query: str = ""
        ) -> Rig:
            context = await browser.new_context()
            stack.push_async_callback(context.close)
            await context.grant_permissions(["microphone"] if microphone else [], origin=address)
            if query == "":
                await context.add_init_script(path=TAP)
            page = Rig(await context.new_page())
            await page.page.goto(f"{address}/?{query}")
            await page.until("globalThis.rig !== undefined")
            await page.call("open", view)
            await page.call("emit", "pad.state", STATE)
            rigs.append(page)
            return page

        yield make
    assert [complaint for page in rigs for complaint in page.complaints] == []


async def recorded_question(rig: OpenRig) -> Rig:
    """A page that recorded the question, with a microphone that did not stutter.

    A starved audio thread can drop frames before the page has them; our own tap on the
    microphone tells, and another page is asked then.
    """
    matches = []
    for _ in range(TAKES):
        page = await rig("pad")
        await page.page.get_by_role("button", name="Record", exact=True).click()
        await page.until_spoken()
        await page.page.get_by_role("button", name="Stop recording").click()
        await page.until("rig.heard('record.stop').length === 1")
        matches.append(correlate(await page.microphone(), spoken(read_wav(QUESTION))))
        if is_whole(matches[-1]):
            return page
    raise AssertionError(f"the fake microphone stuttered {TAKES} times: {matches}")


async def test_what_is_said_is_what_is_sent(rig: OpenRig) -> None:
    page = await recorded_question(rig)
    recorded, source = await page.recorded(), read_wav(QUESTION)
    [end], frames = await page.heard("record.stop"), await page.heard("record.frames")
    assert end["frames"] == len(recorded)
    assert [frame["start_frame"] for frame in frames] == list(range(0, len(recorded), FRAME))
    given = await page.microphone()
    assert correlate(as_floats(recorded), spoken(given)).worst_block > 0.95
    match = correlate(as_floats(recorded), spoken(source))
    assert match.correlation > 0.9
    assert match.worst_block > 0.8
    assert len(spoken(as_floats(recorded))) == pytest.approx(len(spoken(source)), rel=0.05)


async def test_the_microphone_is_off_after_stop(rig: OpenRig) -> None:
    page = await rig("pad")
    await page.page.evaluate(
        """() => {
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wish) => {
                globalThis.wish = wish.audio;
                globalThis.stream = await ask(wish);
                return globalThis.stream;
            };
        }"""
    )
    await page.page.get_by_role("button", name="Record", exact=True).click()
    await page.until("rig.heard('record.frames').length > 3")
    assert await page.page.evaluate("stream.getTracks().map(t => t.readyState)") == ["live"]
    await page.page.get_by_role("button", name="Stop recording").click()
    await page.until("rig.heard('record.stop').length === 1")
    assert await page.page.evaluate("stream.getTracks().map(t => t.readyState)") == ["ended"]
    wish = await page.page.evaluate("wish")
    processing = ("echoCancellation", "noiseSuppression", "autoGainControl")
    assert [wish[name] for name in processing] == [False, False, False]


async def test_a_denied_microphone_is_one_sentence_with_the_browsers_name(
    rig: OpenRig, playwright: Playwright
) -> None:
    denying = await launch(playwright, without=("--use-fake-device",))
    try:
        page = await rig("pad", browser=denying, microphone=False)
        await page.page.get_by_role("button", name="Record", exact=True).click()
        await expect(page.page.get_by_role("alert")).to_contain_text("microphone")
        assert await page.heard("record.start") == []
    finally:
        await denying.close()


async def test_a_streamed_reply_is_rendered_sample_for_sample_without_a_gap(rig: OpenRig) -> None:
    page, source = await rig("card"), noise(3)
    dice = np.random.default_rng(1)
    gaps = []
    # Three replies: on a starved machine the browser itself falls silent for a moment now and then.
    for turn in ("one", "two", "three"):
        await page.forget()
        await page.start_turn(turn)
        await page.speak(source, FRAME, [float(late) for late in dice.uniform(35, 65, 50)], turn)
        await page.end_turn(turn)
        await page.until_rendered(2.9)
        assert np.array_equal(await page.sounded(), as_floats(source))
        gaps.append(len(np.trim_zeros(await page.rendered())) - len(source))
    assert min(gaps) == 0, f"every reply had silence inside, in frames: {gaps}"
    reports = await page.call("reports")
    assert [report["rendered_frames"] for report in reports] == [len(source)] * 3


async def test_bursts_cost_a_pause_and_no_sample(rig: OpenRig) -> None:
    page, source = await rig("card"), noise(4)
    await page.start_turn()
    await page.speak(source, FRAME * 10, [500.0, 500.0, 900.0])
    await page.end_turn()
    await page.until_rendered(3.9)
    rendered = np.trim_zeros(await page.rendered())
    assert len(rendered) > len(source)
    assert np.array_equal(await page.sounded(), as_floats(source))
    [report] = await page.call("reports")
    assert report["underruns"] > 0
    learned = await page.page.evaluate(
        "globalThis[Symbol.for('cellvoice.audio.v1')].start_buffer_s"
    )
    assert learned > 0.1


async def test_an_ended_reply_is_played_again_exactly(rig: OpenRig) -> None:
    page, source = await rig("card"), noise(1)
    await page.start_turn()
    await page.speak(source, len(source), [0.0])
    await page.end_turn()
    await page.until_rendered(0.9)
    await page.forget()
    await page.page.get_by_role("button", name="Play the reply").click()
    await page.until_rendered(0.9)
    assert np.array_equal(await page.sounded(), as_floats(source))


async def test_a_reply_plays_on_when_its_widget_is_closed(rig: OpenRig) -> None:
    page, source = await rig("card"), noise(2)
    await page.start_turn()
    await page.speak(source, len(source), [0.0])
    await page.end_turn()
    await page.call("close")
    await page.until_rendered(1.9)
    assert np.array_equal(await page.sounded(), as_floats(source))
    assert await page.page.evaluate("globalThis[Symbol.for('cellvoice.audio.v1')].live.size") == 0


async def test_a_pad_keeps_two_minutes_of_sound_and_asks_for_the_rest_again(rig: OpenRig) -> None:
    page, source = await rig("pad"), noise(20)
    before = await page.held_bytes()
    for number in range(10):
        await page.start_turn(f"t{number}")
        await page.speak(source, len(source), [0.0], f"t{number}")
        await page.end_turn(f"t{number}", 20.0)
    # And the first one, which plays.
    assert await page.held_bytes() - before < (120 + 20) * 48_000 + 500_000
    wav = Clip.from_pcm16(source.tobytes()).to_bytes("wav")
    answer = {"kind": "result", "data": {"mime": "audio/wav"}, "bytes": b64encode(wav).decode()}
    await page.call("answer", "sound", answer)
    await page.page.get_by_role("button", name="Pause the reply").click()
    await page.until("__tap.quiet(0.2)")
    await page.forget()
    second = page.page.get_by_role("article").nth(1)
    position = second.get_by_role("slider", name="position in the reply")
    await position.press("End")
    await position.press("ArrowLeft")
    await second.get_by_role("button", name="Play the reply").click()
    await page.until_rendered(0.9)
    assert await page.heard("sound") == [{"turn": "t1"}]
    assert np.array_equal(await page.sounded(), as_floats(source[-SAMPLE_RATE_HZ:]))


async def test_a_page_nobody_touched_waits_for_a_click_and_then_plays_from_the_beginning(
    playwright: Playwright, address: str
) -> None:
    strict = await launch(playwright, without=("--autoplay-policy",))
    try:
        page = Rig(await strict.new_page())
        await page.page.add_init_script(path=TAP)
        async with (
            page.page.expect_console_message(lambda message: message.text == "blocked"),
            page.page.expect_console_message(lambda message: message.text == "spoken"),
        ):
            await page.page.goto(f"{address}/?alone")
        await page.page.locator(".cv-player[data-phase=blocked] button").click()
        await page.until_rendered(0.9)
        assert np.array_equal(await page.sounded(), as_floats(ALONE))
    finally:
        await strict.close()


async def test_a_file_the_kernel_cannot_read_is_decoded_by_the_browser(rig: OpenRig) -> None:
    page = await rig("pad")
    error = {"name": "AudioError", "message": "the file could not be read"}
    await page.call("answer", "upload", {"kind": "error", "data": error})
    await page.page.locator("input[type=file]").first.set_input_files(QUESTION)
    await page.until("rig.heard('record.stop').length === 1")
    assert np.array_equal(as_floats(await page.recorded()), read_wav(QUESTION))


async def test_a_content_policy_without_blob_addresses_is_no_obstacle(rig: OpenRig) -> None:
    page = await rig("pad", query="no-blob")
    await page.page.get_by_role("button", name="Record", exact=True).click()
    await page.until("rig.heard('record.frames').length > 3")


async def test_a_content_policy_without_worklets_is_said(rig: OpenRig) -> None:
    page = await rig("pad", query="no-worklet")
    await page.page.get_by_role("button", name="Record", exact=True).click()
    await expect(page.page.get_by_role("alert")).to_contain_text("content policy")
