"""A cassette on the disk: safe to write, to cut, to copy, and with nothing secret in it."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path

import pytest

from cellvoice._cli import main
from cellvoice.client.cassette import Cassette, _exchange
from cellvoice.errors import UsageError

from .taping import KEY, RECORDED, Answer, Service, Time, player, question, read, record, shortest

pytestmark = pytest.mark.asyncio

SECRETS = {
    "authorization": f"Bearer {KEY}",
    "api-key": "azure-0123456789abcdef",
    "cookie": "session=cookie0123456789",
    "openai-organization": "org-AbCdEfGhIjKlMnOp",
    "openai-project": "proj_QrStUvWxYz012345",
    "user-agent": "somebodys-own-agent/1.0",
}
ANSWERED = {
    "content-type": "application/json",
    "x-request-id": "req_0123456789abcdef",
    "openai-organization": "a-company-of-mine",
    "set-cookie": "__cf_bm=cookie9876543210",
    "cf-ray": "9801ce06fffa98e5-SEA",
    "x-ratelimit-limit-requests": "10000",
    "openai-processing-ms": "294",
}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    return tmp_path / "lesson"


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def test_no_key_and_nothing_that_names_an_account_is_kept(time: Time, lesson: Path) -> None:
    body = json.dumps(
        {
            "error": {
                "message": f"Incorrect API key provided: {KEY}. {KEY[:8]}****{KEY[-4:]} of "
                "organization org-ZzYyXxWwVvUuTtSs (req_fedcba9876543210) is wrong."
            }
        }
    ).encode()
    halves = [(0.1, body[:45]), (0.1, body[45:])]
    got = await record(lesson, time, Answer(halves, status=401, headers=ANSWERED), headers=SECRETS)
    assert got.body == body
    kept = everything(lesson)
    for secret in [KEY, KEY[:12], KEY[-4:], "azure-0123", "cookie0123", "org-AbCd", "proj_QrSt"]:
        assert secret.encode() not in kept, secret
    for secret in ["org-Zz", "req_", "somebodys", "a-company", "cookie98", "9801ce", "10000"]:
        assert secret.encode() not in kept, secret
    assert b"Bearer" not in kept
    replayed = await read(player(lesson, time), time, question("1"))
    assert replayed.status == 401
    assert b"Incorrect API key provided: ***" in replayed.body
    assert replayed.headers["openai-processing-ms"] == "294"


async def test_a_key_in_the_middle_of_a_stream_is_masked_also_in_two_pieces(
    time: Time, lesson: Path
) -> None:
    event = b'data: {"error":{"message":"Incorrect API key provided: ' + KEY.encode() + b'."}}\n\n'
    told = b'data: {"choices":[{"delta":{"content":"' + KEY.encode() + b'"}}]}\n\n'
    body = told + event
    for cut in (70, 100, len(told) + 70):
        folder = lesson.with_name(f"lesson{cut}")
        await record(folder, time, Answer([(0.1, body[:cut]), (0.2, body[cut:])]))
        assert KEY[:14].encode() not in everything(folder)
        assert KEY[-8:].encode() not in everything(folder)
        got = await read(player(folder, time), time, question("1"))
        assert got.body.count(b"***") == 2
        assert got.pieces[-1][0] == pytest.approx(0.3)


async def test_a_key_is_not_on_the_disk_while_the_reply_still_comes(
    time: Time, lesson: Path
) -> None:
    told = b'data: {"choices":[{"delta":{"content":"' + KEY.encode() + b'"}}]}\n\n'
    service = Service(time, Answer([(0.1, told[:60]), (0.1, told[60:]), (0.1, b"data: x\n\n")]))
    cassette = Cassette(lesson, "record", transport=service, clocks=time.clocks())
    kept: list[bytes] = []

    class Looking(Time):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            await asyncio.sleep(0.02)
            kept.append(everything(lesson))

    service._time = Looking()
    await read(cassette, time, question("1"))
    assert any(b"***" in seen for seen in kept)
    assert not any(KEY[:14].encode() in seen for seen in kept)


async def test_stars_and_words_like_keys_in_an_answer_are_left_as_they_are(
    time: Time, lesson: Path
) -> None:
    told = b'data: {"choices":[{"delta":{"content":"***bold*** sk-ate-boarding"}}]}\n\n'
    await record(lesson, time, Answer([(0.1, told)]))
    assert (await read(player(lesson, time), time, question("1"))).body == told


async def test_a_key_that_was_said_in_the_question_is_not_kept(time: Time, lesson: Path) -> None:
    service = Service(time, shortest())
    cassette = Cassette(lesson, "record", transport=service, clocks=time.clocks())
    await read(cassette, time, question(f"Is {KEY} a good key?"))
    assert KEY.encode() not in everything(lesson)


async def test_a_crash_leaves_what_had_come_and_all_that_was_before(
    time: Time, lesson: Path
) -> None:
    await record(lesson, time, shortest(), shortest(pieces=3))
    _, second = sorted((lesson / "exchanges").iterdir())
    whole = b"".join(data for _, data in shortest().pieces)  # type: ignore[misc]
    body_so_far = _exchange.read(2, second.read_bytes())
    assert body_so_far is not None
    growing = [
        _exchange.opening(body_so_far),
        b'{"at_s":0.5,"status":200,"headers":{"content-type":"text/event-stream"}}\n',
        _exchange.piece(0.75, whole[:5_000]),
        _exchange.piece(1.0, whole[5_000:5_300]),
    ]
    for cut in range(len(growing[-1]) + 1):
        last = growing[-1][: len(growing[-1]) - cut]
        second.write_bytes(b"".join(growing[:-1]) + last)
        (lesson / "index.json").unlink(missing_ok=True)
        cassette = player(lesson, time)
        assert (await read(cassette, time, question("1"))).body == whole
        got = await read(cassette, time, question("2"))
        assert got.body == whole[: 5_000 if cut else 5_300]
        assert got.error is not None
    assert "cut" in cassette.describe()


async def test_a_compact_file_that_lost_its_end_is_a_cut_stream(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    (path,) = (lesson / "exchanges").iterdir()
    kept = path.read_bytes()
    last = len(kept.splitlines(keepends=True)[-1])
    for cut in range(1, last + 1):
        path.write_bytes(kept[: len(kept) - cut])
        got = await read(player(lesson, time, timing="instant"), time, question("1"))
        assert got.error is not None
        assert len(got.body) == 40_273


async def test_an_exchange_of_which_nothing_was_written_is_left_out(
    time: Time, lesson: Path
) -> None:
    await record(lesson, time, shortest())
    (lesson / "exchanges" / "0002.jsonl").touch()
    (lesson / "exchanges" / "0003.jsonl").write_bytes(b'{"version":1,"requ')
    assert (await read(player(lesson, time), time, question("1"))).status == 200
    recorder = Cassette(lesson, "auto", transport=Service(time, shortest()), clocks=time.clocks())
    await read(recorder, time, question("4"))
    assert (lesson / "exchanges" / "0004.jsonl").stat().st_size


async def test_two_recorders_of_one_folder_take_nothing_from_each_other(
    time: Time, lesson: Path
) -> None:
    recorders = [
        Cassette(lesson, "auto", transport=Service(time, *[shortest()] * 8), clocks=time.clocks())
        for _ in range(2)
    ]
    asking = [
        read(recorder, time, question(f"{who} {number}"))
        for who, recorder in enumerate(recorders)
        for number in range(8)
    ]
    await asyncio.gather(*asking)
    assert len(list((lesson / "exchanges").iterdir())) == 16
    cassette = player(lesson, time, timing="instant")
    for who in range(2):
        for number in range(8):
            assert len((await read(cassette, time, question(f"{who} {number}"))).body) == 40_273
    assert len(json.loads((lesson / "index.json").read_text())["exchanges"]) == 16


async def test_the_same_sound_is_on_the_disk_once(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest(), shortest(pieces=2), shortest(pieces=1))
    assert len(list((lesson / "sound").iterdir())) == 1


async def test_a_recording_is_not_recorded_over_unasked(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    service = Service(time, shortest())
    again = Cassette(lesson, "record", transport=service, clocks=time.clocks())
    with pytest.raises(UsageError, match="overwrite=True"):
        await read(again, time, question("2"))
    assert service.asked == []
    (lesson / "notes.txt").write_text("mine")
    over = Cassette(lesson, "record", transport=service, clocks=time.clocks(), overwrite=True)
    assert (lesson / "exchanges" / "0001.jsonl").is_file()
    await read(over, time, question("2"))
    assert "“2”" in (lesson / "index.json").read_text()
    assert "“1”" not in (lesson / "index.json").read_text()
    assert (lesson / "notes.txt").read_text() == "mine"


async def test_a_folder_that_cannot_be_written_is_told_before_anything_is_sent(
    time: Time, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    service = Service(time, shortest())
    cassette = Cassette(tmp_path / "file", "record", transport=service, clocks=time.clocks())
    with pytest.raises(UsageError, match="nothing was sent"):
        await read(cassette, time, question("1"))
    assert service.asked == []


async def test_a_disk_that_fails_later_spoils_no_reply_and_is_told_with_the_next(
    time: Time,
    lesson: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Service(time, shortest(), shortest())
    cassette = Cassette(lesson, "record", transport=service, clocks=time.clocks())

    def full(self: object, sound: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cellvoice.client.cassette._store.Folder.keep", full)
    got = await read(cassette, time, question("1"))
    assert len(got.body) == 40_273
    assert "lesson lacks an exchange" in caplog.text
    with pytest.raises(UsageError, match="No space left on device"):
        await read(cassette, time, question("2"))
    assert len(service.asked) == 1


@pytest.mark.parametrize("where", ["index", "exchange"])
async def test_a_newer_format_is_refused_in_one_sentence(
    where: str, time: Time, lesson: Path
) -> None:
    await record(lesson, time, shortest())
    path = lesson / ("index.json" if where == "index" else "exchanges/0001.jsonl")
    text = path.read_text()
    path.write_text(
        text.replace('"version": 1', '"version": 2').replace('"version":1', '"version":2')
    )
    with pytest.raises(UsageError, match="format version 2") as caught:
        await read(player(lesson, time), time, question("1"))
    assert "pip install -U cellvoice" in str(caught.value)


async def test_a_name_that_leads_out_of_the_folder_is_refused(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    (path,) = (lesson / "exchanges").iterdir()
    (sound,) = (lesson / "sound").iterdir()
    path.write_text(path.read_text().replace(sound.name, "../../../etc/passwd"))
    with pytest.raises(UsageError, match="expected a stored sound"):
        await read(player(lesson, time), time, question("1"))


async def test_a_missing_sound_is_told_by_name(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    (sound,) = (lesson / "sound").iterdir()
    sound.unlink()
    with pytest.raises(UsageError, match=f"no readable sound/{sound.name}"):
        await read(player(lesson, time), time, question("1"))


@pytest.mark.parametrize("name", ["lesson.zip", "lesson"])
async def test_a_packed_lesson_replays_as_the_folder_does(
    name: str, time: Time, lesson: Path, tmp_path: Path
) -> None:
    sent = await record(lesson, time, shortest(), shortest())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Cassette(lesson).pack(elsewhere / "lesson.zip")
    cassette = player(elsewhere / name, time)
    got = await read(cassette, time, question("2"))
    assert got.pieces == [(pytest.approx(at_s, abs=1e-3), data) for at_s, data in sent.pieces]
    assert cassette.describe() == Cassette(lesson).describe()
    with zipfile.ZipFile(elsewhere / "lesson.zip") as packed:
        assert sorted(packed.namelist()) == names_in(lesson)
    first = (elsewhere / "lesson.zip").read_bytes()
    cassette.pack(elsewhere / "again.zip")
    assert (elsewhere / "again.zip").read_bytes() == first


async def test_a_packed_lesson_cannot_be_added_to(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    Cassette(lesson).pack(lesson.with_suffix(".zip"))
    cassette = Cassette(lesson.with_suffix(".zip"), "auto", clocks=time.clocks())
    with pytest.raises(UsageError, match="unpack it"):
        await read(cassette, time, question("9"))


async def test_what_is_no_cassette_is_told(time: Time, tmp_path: Path) -> None:
    (tmp_path / "lesson.zip").write_bytes(b"PK no")
    for path, told in [("lesson.zip", "expected a zip file"), ("nothing", "no recording at")]:
        with pytest.raises(UsageError, match=told):
            await read(player(tmp_path / path, time), time, question("1"))


async def test_the_command_line_prints_the_recording_as_a_table(
    time: Time, lesson: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = Answer([(0.0, b"{}")], status=503)
    await record(lesson, time, shortest(), refusal)
    assert main(["cassette", "show", str(lesson)]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["no", "asked", "(UTC)", "model", "question", "answer", "end", "s"]
    assert first.split()[3:] == ["gpt-audio-1.5", "“1”", "Hello", "complete", "2.2"]
    assert "complete, 503" in second
    assert main(["cassette", "show", str(lesson / "none")]) == 1
    assert "no recording" in capsys.readouterr().err


async def test_a_person_can_read_an_exchange(time: Time, lesson: Path) -> None:
    await record(lesson, time, shortest())
    lines = (lesson / "exchanges" / "0001.jsonl").read_text().splitlines()
    first, head, *body, last = map(json.loads, lines)
    assert first["request"] == question("1")
    assert head["status"] == 200
    assert head["arrivals"][0] == [0.75, 5754]
    assert any("Hello" in str(line) for line in body)
    assert last["told"]["words"] == "Hello"
    assert len((RECORDED / "gpt-audio-1.5.basic.shortest.sse").read_bytes()) > 4 * sum(
        map(len, lines)
    )


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
