"""The channel against a scripted page: loss, repeats, overtaking, reload, two pages."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from typing import Any

import pytest

from cellvoice.errors import AudioError, ServiceError
from cellvoice.widgets import UnknownRequest

from .conftest import CODE


def text_of(page: Any, turn: str = "t") -> str:
    return "".join(
        data["text"]
        for name, data, _ in page.events
        if name == "turn.text" and data["turn"] == turn
    )


def sound_of(page: Any) -> bytes:
    found = bytearray()
    for name, data, buffers in page.events:
        if name == "turn.audio":
            assert data["start_frame"] * 2 == len(found), "sound has no hole and no repeat"
            found += b"".join(buffers)
    return bytes(found)


async def stream(rig: Any, pieces: int = 120) -> tuple[str, bytes]:
    """A turn as it streams: words and sound, a piece every 10 ms."""
    said, sound = "", b""
    rig.channel.emit("turn.started", {"turn": "t"})
    for number in range(pieces):
        word, pcm = f"w{number} ", bytes([number % 256]) * 480
        rig.channel.emit("turn.text", {"turn": "t", "text": word})
        where = {"turn": "t", "start_frame": len(sound) // 2, "sample_rate_hz": 24_000}
        rig.channel.emit("turn.audio", where, [pcm])
        said, sound = said + word, sound + pcm
        await rig.clock.run(0.010)
    rig.channel.emit("turn.ended", {"turn": "t"})
    return said, sound


async def test_a_page_gets_all_words_and_sound_in_order(rig: Any) -> None:
    page = rig.page("p")
    said, sound = await stream(rig)
    await rig.clock.run(1.0)
    assert (text_of(page), sound_of(page)) == (said, sound)
    assert page.events[0][0] == "turn.started"
    assert page.events[-1][0] == "turn.ended"


@pytest.mark.parametrize("seed", range(8))
async def test_nothing_is_lost_on_a_rough_line_either_way(make_rig: Any, seed: int) -> None:
    rig = make_rig(seed)
    page = rig.page("p")
    request = page.request("sound", {"turn": "t"})
    for number in range(100):
        page.emit("record.frames", {"start_frame": number}, bytes([number]))
    said, sound = await stream(rig)
    # Something always follows in these tests, so that a lost last event shows.
    await rig.clock.run(20.0)
    page.request("nudge", {})
    await rig.clock.run(40.0)
    assert (text_of(page), sound_of(page)) == (said, sound)
    frames = [(data["start_frame"], buffers) for _, name, data, buffers in rig.heard if name]
    assert frames == [(number, (bytes([number]),)) for number in range(100)]
    assert len(rig.asked) == 2
    assert page.answers[request], "the request is answered although answers can be lost"
    assert page.queue == []


@pytest.mark.parametrize("seed", range(4))
async def test_a_reloaded_page_gets_everything_from_the_beginning(make_rig: Any, seed: int) -> None:
    rig = make_rig(seed)
    before = rig.page("before")
    streaming = asyncio.ensure_future(stream(rig))
    await rig.clock.run(0.4)
    before.close()
    after = rig.page("after")
    said, sound = await streaming
    after.request("nudge", {})
    await rig.clock.run(60.0)
    assert (text_of(after), sound_of(after)) == (said, sound)


async def test_two_pages_see_the_same_and_are_acknowledged_apart(rig: Any) -> None:
    first = rig.page("first")
    second = rig.page("second")
    await rig.clock.run(0.5)
    first.emit("view", {"delta": 1})
    second.emit("view", {"delta": 1})
    second.emit("view", {"delta": -1})
    said, _ = await stream(rig)
    await rig.clock.run(1.0)
    assert text_of(first) == text_of(second) == said
    assert [page for page, *_ in rig.heard] == ["first", "second", "second"]
    assert (first.queue, second.queue) == ([], [])


async def test_a_page_that_comes_when_all_is_over_sees_the_turn(rig: Any) -> None:
    said, sound = await stream(rig)
    page = rig.page("late")
    await rig.clock.run(5.0)
    assert (text_of(page), sound_of(page)) == (said, sound)


async def test_a_page_gets_the_module_before_it_says_hello_and_without_events(rig: Any) -> None:
    rig.channel.emit("turn.started", {"turn": "t"})
    rig.channel.receive({"v": 1, "kind": "code", "name": CODE.name}, [])
    await rig.clock.run(1.0)
    assert [message for _, message in rig.sent] == [{"v": 1, "kind": "code", "name": CODE.name}]
    assert rig.modules == [CODE.zipped]


async def test_the_module_is_sent_once_for_all_that_was_asked_while_the_kernel_was_deaf(
    rig: Any,
) -> None:
    page = rig.page("p")
    await rig.clock.run(0.5)
    rig.channel.emit("turn.started", {"turn": "t"})
    for _ in range(20):
        rig.channel.receive({"v": 1, "kind": "code", "name": CODE.name}, [])
    await rig.clock.run(1.0)
    assert len(rig.modules) == 1
    assert [name for name, *_ in page.events] == ["turn.started"]
    rig.channel.receive({"v": 1, "kind": "code", "name": CODE.name}, [])
    await rig.clock.run(1.0)
    assert len(rig.modules) == 2


async def test_nothing_is_sent_while_nobody_listens(rig: Any) -> None:
    await stream(rig)
    assert rig.sent == []


async def test_a_page_that_cannot_be_heard_is_told_all_the_same(rig: Any) -> None:
    page = rig.page("p", mute=True)
    rig.channel.speak_first()
    said, sound = await stream(rig)
    await rig.clock.run(1.0)
    assert (text_of(page), sound_of(page)) == (said, sound)


async def test_a_page_that_was_not_ready_yet_is_told_from_the_beginning(rig: Any) -> None:
    rig.channel.speak_first()
    said, sound = await stream(rig, pieces=60)
    page = rig.page("p", mute=True)
    await rig.clock.run(10.0)
    assert (text_of(page), sound_of(page)) == (said, sound)


async def test_once_a_page_was_heard_nothing_is_repeated_unasked(rig: Any) -> None:
    page = rig.page("p")
    rig.channel.speak_first()
    await stream(rig, pieces=10)
    await rig.clock.run(1.0)
    received = page.received
    await rig.clock.run(20.0)
    assert page.received == received


@pytest.mark.parametrize("pause_s", [0.001, 0.013, 0.034, 0.2])
@pytest.mark.parametrize("turns", [1, 3])
async def test_a_live_card_costs_no_more_than_30_messages_a_second(
    rig: Any, pause_s: float, turns: int
) -> None:
    rig.page("p")
    await rig.clock.run(1.0)
    before = len(rig.sent)
    for number in range(round(4 / pause_s)):
        for turn in range(turns):
            rig.channel.emit("turn.text", {"turn": f"t{turn}", "text": "x"})
            rig.channel.emit("turn.progress", {"turn": f"t{turn}", "speech_s": number})
            where = {"turn": f"t{turn}", "start_frame": number, "sample_rate_hz": 24_000}
            rig.channel.emit("turn.audio", where, [b"\0\0"])
        await rig.clock.run(pause_s)
    assert len(rig.sent) - before <= 4 * 30 + 8  # and one flush


async def test_pieces_of_a_card_are_no_older_than_a_tenth_of_a_second(rig: Any) -> None:
    page = rig.page("p")
    await rig.clock.run(1.0)
    for number in range(300):
        rig.channel.emit("turn.text", {"turn": "t", "text": "x"})
        rig.channel.emit("turn.progress", {"turn": "t", "speech_s": number})
        where = {"turn": "t", "start_frame": number, "sample_rate_hz": 24_000}
        rig.channel.emit("turn.audio", where, [b"\0\0"])
        await rig.clock.run(0.01)
        assert len(sound_of(page)) / 2 >= number - 12


async def test_pieces_of_text_are_joined_with_the_times_of_their_words(rig: Any) -> None:
    page = rig.page("p")
    await rig.clock.run(1.0)
    for text, more in (
        ("a ", {}),
        ("b ", {"words": [[0, 1, 0, 1]]}),
        ("c ", {"words": [[2, 3, 1, 2]]}),
    ):
        rig.channel.emit("turn.text", {"turn": "t", "text": text, **more})
    await rig.clock.run(1.0)
    told = [data for name, data, _ in page.events if name == "turn.text"]
    assert "".join(data["text"] for data in told) == "a b c "
    assert [word for data in told for word in data.get("words", [])] == [[0, 1, 0, 1], [2, 3, 1, 2]]
    assert len(told) < 3


async def test_the_first_sound_does_not_wait(rig: Any) -> None:
    rig.page("p")
    await rig.clock.run(0.3)
    before = len(rig.sent)
    rig.channel.emit(
        "turn.audio", {"turn": "t", "start_frame": 0, "sample_rate_hz": 24_000}, [b"ab"]
    )
    await rig.clock.run(0.0)
    assert len(rig.sent) == before + 1


async def test_a_long_log_is_replayed_below_the_limit_of_the_server(rig: Any) -> None:
    for number in range(1_000):
        rig.channel.emit("pad.state", {"number": number})
    page = rig.page("p")
    await rig.clock.run(1.0)
    assert len([1 for at_s, _ in rig.sent if at_s <= 1.0]) <= 260
    await rig.clock.run(10.0)
    assert page.have == 1_000


async def test_sound_of_old_turns_is_dropped_and_their_cards_stay(rig: Any) -> None:
    for turn in ("one", "two", "three"):
        rig.channel.emit("turn.started", {"turn": turn})
        where = {"turn": turn, "start_frame": 0, "sample_rate_hz": 24_000}
        rig.channel.emit("turn.audio", where, [b"ab"])
        rig.channel.emit("turn.ended", {"turn": turn})
        rig.page(f"at {turn}")
        await rig.clock.run(1.0)
    page = rig.page("new")
    await rig.clock.run(1.0)
    with_sound = [data["turn"] for name, data, _ in page.events if name == "turn.audio"]
    assert with_sound == ["two", "three"]
    assert [data["turn"] for name, data, _ in page.events if name == "turn.ended"] == [
        "one",
        "two",
        "three",
    ]


async def test_a_page_that_comes_after_many_turns_is_not_told_every_piece(rig: Any) -> None:
    rig.page("first")
    await rig.clock.run(0.5)
    turns = 60
    for number in range(turns):
        turn = f"t{number}"
        rig.channel.emit("turn.started", {"turn": turn})
        for piece in range(20):
            where = {"turn": turn, "start_frame": piece * 960, "sample_rate_hz": 24_000}
            rig.channel.emit("turn.audio", where, [bytes(1_920)])
            await rig.clock.run(0.04)
        rig.channel.emit("turn.ended", {"turn": turn})
        rig.channel.emit("pad.state", {"number": number})
        await rig.clock.run(0.2)
    page = rig.page("reloaded")
    await rig.clock.run(3.0)
    assert page.have == rig.pages[0].have > turns * 20
    named = [name for name, _, _ in page.events]
    assert named.count("turn.ended") == turns
    assert named.count("pad.state") == 1, "only the last one holds"
    # For each turn its start, its end and one gap; two turns whole.
    assert page.received < turns * 4 + 2 * 25


async def test_a_closed_channel_holds_no_sound(rig: Any) -> None:
    page = rig.page("p")
    tracemalloc.start()
    for piece in range(100):
        where = {"turn": "t", "start_frame": piece * 48_000, "sample_rate_hz": 24_000}
        rig.channel.emit("turn.audio", where, [bytes(96_000)])
    await rig.clock.run(10.0)
    page.events.clear()
    held = tracemalloc.get_traced_memory()[0]
    rig.channel.close()
    await rig.clock.run(0.1)
    gc.collect()
    closed = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held > 9_000_000
    assert closed < 1_000_000


async def test_a_request_is_answered_with_data_and_buffers(rig: Any) -> None:
    page = rig.page("p")
    request = page.request("sound", {"turn": "t"})
    await rig.clock.run(1.0)
    (answer,) = page.answers[request]
    assert (answer["kind"], answer["data"]) == ("result", {"name": "sound"})


@pytest.mark.parametrize(
    ("raised", "name", "message"),
    [
        (AudioError("this is no sound"), "AudioError", "this is no sound"),
        (UnknownRequest("not known"), "UnknownRequest", "not known"),
        (
            ServiceError("bad key sk-proj-" + "a1B2" * 12),
            "ServiceError",
            None,
        ),
        (ZeroDivisionError("secret detail"), "ZeroDivisionError", None),
    ],
)
async def test_a_request_that_fails_is_answered_with_its_error(
    rig: Any, raised: Exception, name: str, message: str | None
) -> None:
    async def fail(asked: str, data: Any) -> Any:
        raise raised

    rig.answer = fail
    page = rig.page("p")
    request = page.request("send", {})
    await rig.clock.run(1.0)
    (answer,) = page.answers[request]
    assert (answer["kind"], answer["data"]["name"]) == ("error", name)
    assert message is None or answer["data"]["message"] == message
    assert "sk-proj-a1B2" not in answer["data"]["message"]
    assert "secret" not in answer["data"]["message"]


async def test_closing_answers_what_is_open_as_cancelled(rig: Any) -> None:
    never = asyncio.Event()

    async def wait(asked: str, data: Any) -> Any:
        await never.wait()

    rig.answer = wait
    page = rig.page("p")
    request = page.request("send", {})
    await rig.clock.run(1.0)
    rig.channel.close()
    await rig.clock.run(0.0)
    sent_by_then = len(rig.sent)
    await rig.clock.run(1.0)
    assert [answer["kind"] for answer in page.answers[request]] == ["cancelled"]
    assert len(rig.sent) == sent_by_then, "a closed channel is silent"


async def test_closing_sends_what_waits(rig: Any) -> None:
    page = rig.page("p")
    await rig.clock.run(0.5)
    for number in range(30):
        rig.channel.emit("pad.state", {"number": number})
    rig.channel.close()
    await rig.clock.run(0.1)
    assert page.have == 30


@pytest.mark.parametrize(
    "content",
    [
        None,
        "text",
        {},
        {"v": 1},
        {"v": 2, "kind": "hello", "page": "p"},
        {"v": 1, "kind": "hello", "page": 7},
        {"v": 1, "kind": "hello", "page": "p" * 1_000},
        {"v": 1, "kind": "resend", "page": "p", "from": "x"},
        {"v": 1, "kind": "resend", "page": "p", "from": -5},
        {"v": 1, "kind": "event", "page": "p", "seq": True, "name": None, "data": []},
        {"v": 1, "kind": "unheard-of", "page": "p"},
    ],
)
async def test_a_message_that_makes_no_sense_breaks_nothing(rig: Any, content: object) -> None:
    rig.channel.receive(content, [])
    page = rig.page("q")
    rig.channel.emit("pad.state", {})
    await rig.clock.run(1.0)
    assert page.have == 1


async def test_hello_wakes_who_waits_for_a_page(rig: Any) -> None:
    waiting = asyncio.ensure_future(rig.channel.hello())
    await rig.clock.run(0.1)
    assert not waiting.done()
    assert not rig.channel.heard
    rig.page("p")
    await rig.clock.run(0.1)
    await waiting
    assert rig.channel.heard


async def test_another_thread_only_puts_work_on_the_loop(rig: Any) -> None:
    page = rig.page("p")
    await rig.clock.run(0.5)
    before = len(rig.sent)
    thread = threading.Thread(target=lambda: rig.channel.emit("pad.state", {}))
    thread.start()
    thread.join()
    assert len(rig.sent) == before
    await rig.clock.run(0.1)
    assert page.have == 1


async def test_of_a_turn_s_calls_a_late_page_is_told_once_as_they_are_now(rig: Any) -> None:
    first = rig.page("first")
    for number in range(5):
        for turn in ("a", "b"):
            rig.channel.emit("turn.tools", {"turn": turn, "tool_calls": [number], "trace": []})
        await rig.clock.run(0.2)
    late = rig.page("late")
    rig.channel.emit("turn.text", {"turn": "a", "text": "."})
    await rig.clock.run(1.0)
    told = [data for name, data, _ in first.events if name == "turn.tools"]
    assert [one["tool_calls"] for one in told[-2:]] == [[4], [4]] and len(told) == 10
    again = [data for name, data, _ in late.events if name == "turn.tools"]
    assert [(one["turn"], one["tool_calls"]) for one in again] == [("a", [4]), ("b", [4])]
