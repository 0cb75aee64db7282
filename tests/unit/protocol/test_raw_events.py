"""What came over the wire is kept as it came, without its sound, and no more than so much of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import ProtocolError
from cellvoice.protocol import (
    CompletionParser,
    RawEvents,
    RawLog,
    StreamParser,
    raw_events,
)
from cellvoice.protocol.sse import SSEDecoder

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
SHORTEST = (RECORDED / "gpt-audio-1.5.basic.shortest.sse").read_bytes()
TONE = Clip.from_pcm16(b"\x10\x20" * 12_000)


def ticking() -> Iterator[float]:
    now_s = 100.0
    while True:
        yield now_s
        now_s += 0.25


def new_log() -> RawLog:
    times = ticking()
    log = RawLog(lambda: next(times))
    log.sent(1)
    return log


def streamed(*pieces: bytes, log: RawLog | None = None) -> RawEvents:
    log = log or new_log()
    parser = StreamParser(log=log)
    for piece in pieces:
        parser.feed(piece)
    parser.finish()
    return raw_events(log)


def whole(body: bytes, *, choices: int = 1, pieces: int = 7) -> RawEvents:
    log = new_log()
    parser = CompletionParser(choices, log=log)
    for at in range(0, len(body), len(body) // pieces):
        parser.feed(body[at : at + len(body) // pieces])
    parser.finish()
    return raw_events(log)


def data(chunk: object, **separators: Any) -> bytes:
    return b"data: " + json.dumps(chunk, **separators).encode() + b"\n\n"


def spoken(sound: bytes, **rest: object) -> dict[str, object]:
    audio = {"data": base64.b64encode(sound).decode(), **rest}
    return {"id": "c1", "choices": [{"index": 0, "delta": {"audio": audio}}]}


def base64_in(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if "A" * 100 in text or len(text) > 1_500]


def test_every_event_is_there_as_it_came_with_its_sound_named() -> None:
    sent = SSEDecoder().feed(SHORTEST)
    found = streamed(SHORTEST)
    assert len(found) == len(sent)
    for event, payload in zip(found, sent, strict=True):
        assert event.size_bytes == len(payload)
        if b'"data"' not in payload:
            assert event.text == payload.decode()
    assert found[-1].text == "[DONE]" and found[-1].data is None
    assert base64_in(event.text for event in found) == []
    named = [
        event.data["choices"][0]["delta"]["audio"]["data"] for event in found if "⟨" in event.text
    ]
    assert named and all(name.startswith("⟨pcm16 ") and name.endswith(" s⟩") for name in named)


def test_it_is_the_same_however_the_stream_is_cut() -> None:
    once = [event.text for event in streamed(SHORTEST)]
    for size in (1, 7, 100, 4_096):
        pieces = [SHORTEST[at : at + size] for at in range(0, len(SHORTEST), size)]
        assert [event.text for event in streamed(*pieces)] == once


def test_times_are_seconds_since_the_request_was_sent() -> None:
    found = streamed(data(spoken(b"\0" * 4_800)), data({"id": "c1"}))
    assert [event.at_s for event in found] == [0.25, 0.5]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_sound_is_named_by_its_length_wherever_it_stands(separators: tuple[str, str]) -> None:
    pieces = [spoken(b"\0" * 4_800), spoken(b"\1" * 9_600, transcript="after it")]
    found = streamed(*(data(piece, separators=separators) for piece in pieces))
    names = [event.data["choices"][0]["delta"]["audio"] for event in found]
    assert names == [
        {"data": "⟨pcm16 0.10 s⟩"},
        {"data": "⟨pcm16 0.20 s⟩", "transcript": "after it"},
    ]


def test_what_is_said_after_the_sound_is_not_taken_for_sound() -> None:
    first = spoken(b"\0" * 4_800)
    second = spoken(b"\0" * 2_400, transcript="a word of the model" * 30)
    found = streamed(data(first), data(second), data(first))
    assert found[1].data["choices"][0]["delta"]["audio"]["transcript"].startswith("a word")
    assert found[2].text == found[0].text


def test_two_sounds_in_one_event_are_named_both() -> None:
    one, two = spoken(b"\0" * 4_800)["choices"], spoken(b"\0" * 2_400)["choices"]
    found = streamed(data({"id": "c1", "choices": [*one, *two]}))  # type: ignore[misc]
    names = [choice["delta"]["audio"]["data"] for choice in found[0].data["choices"]]
    assert names == ["⟨pcm16 0.10 s⟩", "⟨pcm16 0.05 s⟩"]


def test_equal_events_that_have_two_sounds_hold_neither() -> None:
    choices = [*spoken(b"\0" * 4_800)["choices"], *spoken(b"\0" * 2_400)["choices"]]  # type: ignore[misc]
    log = new_log()
    found = streamed(*[data({"id": "c1", "choices": choices})] * 3, log=log)
    assert {event.text for event in found} == {found[0].text}
    head, _, _ = log.batches()
    assert base64_in(one.decode() for batch in head for one in batch[3]) == []


def test_a_file_in_the_first_piece_names_the_pieces_after_it() -> None:
    wav = TONE.to_bytes("wav")
    found = streamed(data(spoken(wav[:4_844])), data(spoken(wav[4_844:9_644])))
    names = [event.data["choices"][0]["delta"]["audio"]["data"] for event in found]
    assert names == ["⟨wav 0.10 s⟩", "⟨wav 0.10 s⟩"]


@pytest.mark.parametrize(("kind", "name"), [("wav", "⟨wav 0.50 s⟩"), ("flac", "⟨flac ")])
def test_a_body_that_was_no_stream_is_one_event(kind: str, name: str) -> None:
    audio = {
        "id": "a1",
        "data": base64.b64encode(TONE.to_bytes(kind)).decode(),
        "transcript": "Hi.",
    }
    choices = [{"index": 0, "message": {"audio": audio}, "finish_reason": "stop"}]
    body = json.dumps({"id": "c1", "choices": choices}).encode()
    (event,) = whole(body)
    assert event.data["choices"][0]["message"]["audio"]["data"].startswith(name)
    assert event.data["choices"][0]["message"]["audio"]["transcript"] == "Hi."
    assert abs(event.size_bytes - len(body)) <= 2
    (of_two,) = whole(json.dumps({"choices": choices * 2}).encode(), choices=2)
    assert of_two.text.count(name[:-3] if kind == "wav" else name) == 2


def test_the_base64_is_not_held() -> None:
    log = new_log()
    streamed(*[data(spoken(b"\7" * 48_000)) for _ in range(100)], log=log)
    head, tail, left_out = log.batches()
    assert sum(len(one) for batch in [*head, *tail] for one in batch[3]) < 100 * 300
    assert len(head) == 100 and left_out == 0


def test_of_a_long_reply_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() -> None:
    lines = [data({"id": "c1", "at": at, "choices": [], "pad": "x" * 200}) for at in range(5_000)]
    log = new_log()
    found = streamed(b"".join(lines[:2_500]), *lines[2_500:], log=log)
    head, tail, _ = log.batches()
    assert sum(len(one) for batch in [*head, *tail] for one in batch[3]) < 800_000
    assert found.left_out > 2_000
    assert len(found) + found.left_out == 5_000
    gap = found.left_out_at
    assert gap is not None
    assert [event.data["at"] for event in found[:gap]] == list(range(gap))
    assert found[-1].data["at"] == 4_999
    assert found[gap].data["at"] == gap + found.left_out


def test_one_event_that_is_far_too_long_is_shortened() -> None:
    (event,) = streamed(data({"id": "c1", "note": "x y " * 100_000}))
    assert len(event.text) < 40_000 and "bytes left out⟩" in event.text
    assert event.size_bytes > 400_000


def test_half_an_event_and_one_that_is_no_json_are_there_too() -> None:
    log = new_log()
    parser = StreamParser(log=log)
    parser.feed(data({"id": "c1"}) + b"data: {nonsense\n\n")
    with pytest.raises(ProtocolError):
        parser.feed(b"")
    assert [event.text for event in raw_events(log)] == ['{"id": "c1"}', "{nonsense"]
    half = b"data: " + json.dumps(spoken(b"\0" * 4_800)).encode()[:600]
    (cut,) = streamed(half)
    assert cut.text.endswith("⟨pcm16 0.01 s⟩") and cut.data is None


def test_keys_are_masked_and_json_stays_json() -> None:
    said = 'use "sk-abcdefgh12345678" or \\"***\\" now'
    chunk = {"choices": [{"delta": {"content": said}}], "echo": "secret-of-the-session"}
    log = new_log()
    streamed(data(chunk), log=log)
    (event,) = raw_events(log, lambda text: text.replace("secret-of-the-session", "***"))
    assert "sk-abcdefgh" not in event.text and "secret-of" not in event.text
    assert event.data["choices"][0]["delta"]["content"].startswith('use "***" or')


def test_it_reads_as_lines() -> None:
    found = streamed(*(part + b"\n\n" for part in SHORTEST.split(b"\n\n")))
    lines = repr(found).splitlines()
    assert lines[0].startswith("   0.250 s  1") and "chat.completion.chunk" in lines[0]
    # What all of them have in common is not said again.
    assert "  …" in lines[1] and "chat.completion.chunk" not in lines[1]
    assert lines[-1].endswith("[DONE]")
    assert repr(RawEvents()) == "<RawEvents: none>"
