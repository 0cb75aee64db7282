"""The decoder of server-sent events."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellvoice.errors import ProtocolError
from cellvoice.protocol import SSEDecoder

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
STREAMS = sorted(RECORDED.glob("*.sse"))


def decoded(*pieces: bytes) -> list[bytes]:
    decoder = SSEDecoder()
    payloads = [payload for piece in pieces for payload in decoder.feed(piece)]
    return payloads + decoder.finish()


def expected_payloads(body: bytes) -> list[bytes]:
    """An independent reading of the recordings, which hold one `data:` line an event."""
    blocks = body.strip().split(b"\n\n")
    return [block.removeprefix(b"data: ") for block in blocks]


def test_there_are_recordings() -> None:
    assert len(STREAMS) >= 8


def windows(body: bytes) -> list[bytes]:
    """Each event, with a small one after it.

    Between events the decoder holds nothing, so a cut inside an event can only be felt in it and
    in the next; the large recordings would otherwise be read 140,000 times.
    """
    return [event + b"\n\ndata: next\n\n" for event in body.strip().split(b"\n\n")]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_recording_cut_in_two_anywhere_gives_the_same_payloads(path: Path) -> None:
    body = path.read_bytes()
    assert decoded(body) == expected_payloads(body)
    for part in [body] if len(body) < 5_000 else windows(body):
        expected = expected_payloads(part)
        for cut in range(len(part) + 1):
            assert decoded(part[:cut], part[cut:]) == expected


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_recording_byte_by_byte_gives_the_same_payloads(path: Path) -> None:
    body = path.read_bytes()
    pieces = [body[place : place + 1] for place in range(len(body))]
    assert decoded(*pieces) == expected_payloads(body)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_any_line_ending_at_every_split(ending: bytes) -> None:
    lines = [b": comment", b"event: x", b"id: 1", b"data: one", b"", b"data:two", b"", b"", b""]
    body = ending.join(lines)
    for first in range(len(body) + 1):
        for second in range(first, len(body) + 1):
            assert decoded(body[:first], body[first:second], body[second:]) == [b"one", b"two"]


def test_two_data_lines_are_one_payload() -> None:
    assert decoded(b"data: {\ndata: }\n\n") == [b"{\n}"]


def test_only_one_space_after_the_colon_is_dropped() -> None:
    assert decoded(b"data:  x \n\n") == [b" x "]


def test_a_byte_order_mark_at_the_start_is_skipped_at_every_split() -> None:
    body = b"\xef\xbb\xbfdata: x\n\n"
    for cut in range(len(body) + 1):
        assert decoded(body[:cut], body[cut:]) == [b"x"]


def test_a_letter_of_several_bytes_may_be_cut() -> None:
    body = 'data: {"t":"naïve 🎙"}\n\n'.encode()
    for cut in range(len(body) + 1):
        assert decoded(body[:cut], body[cut:]) == ['{"t":"naïve 🎙"}'.encode()]


def test_the_last_blank_line_may_be_missing() -> None:
    assert decoded(b"data: one\n\ndata: two\n") == [b"one", b"two"]
    assert decoded(b"data: one\n\ndata: two") == [b"one", b"two"]


def test_comments_and_empty_events_give_nothing() -> None:
    assert decoded(b": hello\n\n\n\ndata\n\ndata:\n\nevent: ping\n\n") == []


def test_nothing_gives_nothing() -> None:
    assert decoded() == []
    assert decoded(b"", b"") == []


def test_an_event_may_grow_to_the_limit_and_no_further() -> None:
    decoder = SSEDecoder(max_event_bytes=1_000)
    assert decoder.feed(b"data: " + b"x" * 900) == []
    with pytest.raises(ProtocolError, match=r"passed 1,000 bytes.*base_url"):
        decoder.feed(b"x" * 200)


def test_the_limit_counts_the_lines_of_one_event_together() -> None:
    decoder = SSEDecoder(max_event_bytes=1_000)
    for _ in range(10):
        assert decoder.feed(b"data: " + b"x" * 90 + b"\n") == []
    with pytest.raises(ProtocolError):
        decoder.feed(b"data: " + b"x" * 110)


def test_the_limit_is_for_one_event_not_for_all() -> None:
    decoder = SSEDecoder(max_event_bytes=1_000)
    for _ in range(20):
        assert decoder.feed(b"data: " + b"x" * 900 + b"\n\n") == [b"x" * 900]


def test_a_line_of_a_megabyte_arrives_whole() -> None:
    line = b"data: " + b"y" * 1_000_000 + b"\n\n"
    pieces = [line[place : place + 1_000] for place in range(0, len(line), 1_000)]
    assert decoded(*pieces) == [b"y" * 1_000_000]
