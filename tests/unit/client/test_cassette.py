"""What is recorded is what is replayed: every byte, when it came, and how it ended."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import httpx
import pytest

from cellvoice.client import RecordingStopped
from cellvoice.client.cassette import Cassette, Clocks
from cellvoice.errors import CassetteMiss, UsageError

from .taping import RECORDED, Answer, Service, Time, player, question, read, record, shortest

pytestmark = pytest.mark.asyncio


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    return tmp_path / "lesson"


@pytest.mark.parametrize("path", sorted(RECORDED.iterdir()), ids=lambda path: path.name)
@pytest.mark.parametrize("size", [1, 997, 1_000_000])
async def test_recorded_traffic_replays_to_the_byte_and_the_second(
    path: Path, size: int, time: Time, lesson: Path
) -> None:
    whole = path.read_bytes()  # noqa: ASYNC240 (a fixture, before anything runs)
    body = whole[:20_000] if size == 1 else whole
    pieces = [(0.01, body[start : start + size]) for start in range(0, len(body), size)]
    kind = "text/event-stream" if path.suffix == ".sse" else "application/json"
    sent = await record(lesson, time, Answer(pieces, headers={"content-type": kind}, head_s=0.3))
    got = await read(player(lesson, time), time, question("1"))
    assert sent.body == body
    assert [data for _, data in got.pieces] == [data for _, data in sent.pieces]
    assert [at_s for at_s, _ in got.pieces] == pytest.approx(
        [at_s for at_s, _ in sent.pieces], abs=1e-3
    )
    assert got.headers["content-type"] == kind


async def test_recording_passes_each_piece_on_before_the_next_has_come(lesson: Path) -> None:
    held, order = asyncio.Event(), list[str]()

    class Held(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            order.append("sent 1")
            yield b"data: 1\n\n"
            await held.wait()
            order.append("sent 2")
            yield b"data: 2\n\n"

    cassette = Cassette(
        lesson,
        "record",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Held())),
    )
    request = httpx.Request("POST", "https://server/v1/chat/completions", json=question("1"))
    response = await cassette.handle_async_request(request)
    async for data in response.stream:  # type: ignore[union-attr]
        order.append(f"got {data[6:7].decode()}")
        held.set()
    await response.aclose()
    assert order == ["sent 1", "got 1", "sent 2", "got 2"]


async def test_a_speed_makes_the_waits_shorter(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    got = await read(player(lesson, time, timing=2.0), time, question("1"))
    assert got.pieces[0][0] == pytest.approx(0.375)
    assert got.pieces[-1][0] == pytest.approx(1.125)


async def test_at_once_waits_for_nothing_and_lets_others_run(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    time.slept.clear()
    got = await read(player(lesson, time, timing="instant"), time, question("1"))
    assert len(got.pieces) == 7
    assert set(time.slept) == {0.0}
    assert len(time.slept) >= 7


async def test_a_late_reader_is_not_kept_waiting_further(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    cassette = player(lesson, time)
    request = httpx.Request("POST", "https://server/v1/chat/completions", json=question("1"))
    response = await cassette.handle_async_request(request)
    time.now_s += 60
    time.slept.clear()
    async for _ in response.stream:  # type: ignore[union-attr]
        pass
    assert set(time.slept) == {0.0}


async def test_a_cancel_ends_the_wait_for_the_next_piece_at_once(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    waiting = asyncio.Event()

    async def forever(seconds: float) -> None:
        if seconds:
            waiting.set()
            await asyncio.Event().wait()

    cassette = Cassette(lesson, clocks=Clocks(lambda: 0.0, lambda: 0.0, forever))
    task = asyncio.create_task(read(cassette, time, question("1")))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_refused_and_repeated_request_replays_in_order(time: Time, lesson: Path) -> None:
    refusal = Answer(
        [(0.0, b'{"error":{"message":"Slow down."}}')],
        status=429,
        headers={"content-type": "application/json", "retry-after": "7"},
    )
    recorder = Cassette(
        lesson, "record", transport=Service(time, refusal, shortest()), clocks=time.clocks()
    )
    for _ in range(2):
        await read(recorder, time, question("1"))
    cassette = player(lesson, time)
    got = [await read(cassette, time, question("1")) for _ in range(4)]
    assert [one.status for one in got] == [429, 200, 200, 200]
    assert got[0].body == b'{"error":{"message":"Slow down."}}'
    assert got[0].headers["retry-after"] == "7"
    cassette.rewind()
    assert (await read(cassette, time, question("1"))).status == 429


async def test_at_once_also_shortens_what_the_service_asked_to_wait(
    time: Time, lesson: Path
) -> None:
    await record(lesson, time, Answer([], status=429, headers={"retry-after": "70"}))
    got = await read(player(lesson, time, timing="instant"), time, question("1"))
    assert "retry-after" not in got.headers
    assert got.headers["retry-after-ms"] == "1"


@pytest.mark.parametrize(
    "error", [httpx.ReadError("gone"), httpx.RemoteProtocolError("gone"), httpx.ReadTimeout("gone")]
)
async def test_a_cut_stream_is_cut_again_where_it_was(
    error: httpx.RequestError, time: Time, lesson: Path
) -> None:
    answer = shortest()
    sent = await record(lesson, time, Answer([*answer.pieces[:3], (1.0, error)]))
    got = await read(player(lesson, time), time, question("1"))
    assert got.body == sent.body
    assert type(got.error) is type(error)


async def test_a_reply_that_was_stopped_says_so_where_it_was(time: Time, lesson: Path) -> None:
    sent = await record(lesson, time, shortest(), stop_after=3)
    got = await read(player(lesson, time), time, question("1"))
    assert got.pieces == sent.pieces
    assert isinstance(got.error, RecordingStopped)


async def test_a_question_that_was_stopped_before_its_answer_can_be_replayed(
    time: Time, lesson: Path
) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    asked = asyncio.Event()
    recorder = Cassette(lesson, "record", transport=Silent(), clocks=time.clocks())
    task = asyncio.create_task(read(recorder, time, question("1")))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await recorder.settled()
    with pytest.raises(RecordingStopped):
        await read(player(lesson, time), time, question("1"))


async def test_leaving_after_the_last_event_is_no_stop(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest(pieces=1), stop_after=1)
    got = await read(player(lesson, time), time, question("1"))
    assert got.error is None


async def test_a_network_that_gave_no_answer_leaves_nothing_behind(
    time: Time, lesson: Path
) -> None:
    with pytest.raises(httpx.ConnectError):
        await record(lesson, time, httpx.ConnectError("no way"))
    assert list((lesson / "exchanges").iterdir()) == []


async def test_what_was_compressed_on_the_wire_replays_as_it_reads(
    time: Time, lesson: Path
) -> None:
    body = (RECORDED / "text.plain.sse").read_bytes()
    packed = gzip.compress(body)
    pieces = [(0.0, packed[:50]), (0.0, packed[50:])]
    sent = await record(lesson, time, Answer(pieces, headers={"content-encoding": "gzip"}))
    assert sent.body == packed
    got = await read(player(lesson, time), time, question("1"))
    assert got.body == body
    assert "content-encoding" not in got.headers


async def test_auto_replays_what_is_known_and_records_what_is_not(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    service = Service(time, shortest(pieces=2))
    cassette = Cassette(lesson, "auto", transport=service, clocks=time.clocks())
    await read(cassette, time, question("1"))
    assert service.asked == []
    new = await read(cassette, time, question("2"))
    assert len(service.asked) == 1
    known = await read(cassette, time, question("2"))
    assert known.body == new.body
    assert len(service.asked) == 1
    assert (await read(player(lesson, time), time, question("2"))).body == new.body


async def test_auto_begins_with_nothing(time: Time, lesson: Path) -> None:
    cassette = Cassette(lesson, "auto", transport=Service(time, shortest()), clocks=time.clocks())
    assert cassette.clock() == time.now_s
    await read(cassette, time, question("1"))
    assert cassette.recorded


async def test_an_unknown_request_shows_the_nearest_and_what_differs(
    time: Time, lesson: Path
) -> None:
    await record(lesson, time, shortest(), shortest())
    cassette = player(lesson, time)
    with pytest.raises(CassetteMiss) as caught:
        await read(cassette, time, question("2", temperature=0.8, seed=3))
    assert caught.value.nearest == 2
    assert caught.value.differences == (
        "temperature is 0.8, the recorded one has none",
        "seed is 3, the recorded one has none",
    )
    sentence = str(caught.value)
    assert "lesson has no answer to this request (“2”)" in sentence
    assert "temperature is 0.8" in sentence
    assert "mode='auto'" in sentence


async def test_a_client_before_a_cassette_closes_its_own_network(time: Time, lesson: Path) -> None:
    service = Service(time, shortest())
    recorder = Cassette(lesson, "record", clocks=time.clocks())
    way = recorder.over(lambda: service)
    await read(way, time, question("1"))
    await way.aclose()
    assert service.closed == 1


async def test_a_replay_opens_no_network(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())

    def never() -> httpx.AsyncBaseTransport:
        raise AssertionError("a network was opened")

    way = player(lesson, time).over(never)
    assert (await read(way, time, question("1"))).status == 200
    await way.aclose()


async def test_a_body_that_a_transport_has_at_hand_is_recorded_as_well(
    time: Time, lesson: Path
) -> None:
    whole = httpx.MockTransport(lambda _: httpx.Response(200, json={"id": "chatcmpl-1"}))
    cassette = Cassette(lesson, "record", transport=whole, clocks=time.clocks())
    async with httpx.AsyncClient(transport=cassette) as client:
        sent = await client.post("https://nowhere/v1/chat/completions", json=question("1"))
    got = await read(player(lesson, time), time, question("1"))
    assert (got.status, got.body) == (200, sent.content)


async def test_closing_does_not_wait_for_a_reply_that_nobody_reads(
    time: Time, lesson: Path
) -> None:
    cassette = Cassette(lesson, "record", transport=Service(time, shortest()), clocks=time.clocks())
    request = httpx.Request("POST", "https://server/v1/chat/completions", json=question("1"))
    response = await cassette.handle_async_request(request)
    await cassette.aclose()
    await response.aclose()
    with pytest.raises(RecordingStopped):
        raise (await read(player(lesson, time), time, question("1"))).error or AssertionError


async def test_it_is_a_transport_for_any_client(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    cassette = player(lesson, time, timing="instant")
    async with httpx.AsyncClient(transport=cassette) as client:
        response = await client.post("https://nowhere/v1/chat/completions", json=question("1"))
    assert response.content == b"".join(data for _, data in shortest().pieces)  # type: ignore[misc]


@pytest.mark.parametrize("timing", ["fast", 0, -1.0, True, None])
async def test_a_timing_that_cannot_be_is_told(timing: object, lesson: Path) -> None:
    with pytest.raises(UsageError, match="expected 'real', 'instant', or how many times faster"):
        Cassette(lesson, timing=timing)  # type: ignore[arg-type]


async def test_a_mode_that_cannot_be_is_told(lesson: Path) -> None:
    with pytest.raises(UsageError, match="expected 'replay', 'record' or 'auto'"):
        Cassette(lesson, mode="rec")  # type: ignore[arg-type]


async def test_what_was_recorded_is_on_the_disk_when_the_reply_is_closed(
    time: Time, lesson: Path
) -> None:
    await record(lesson, time, shortest())
    index = json.loads((lesson / "index.json").read_text())
    (entry,) = index["exchanges"]
    assert entry["question"] == "“1”"
    assert entry["answer"] == "Hello"
    assert entry["end"] == "complete"
    assert entry["speech_s"] == 0.55
    (sound,) = (lesson / name for name in entry["answer_sound"])
    assert sound.is_file()
