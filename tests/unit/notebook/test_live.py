"""What a page is told of a turn while it runs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellvoice.notebook.pad import show_pad
from cellvoice.session import Session, Turn

from .conftest import Notebook, Outbox

RECORDED = Path(__file__).parents[2] / "fixtures/recorded/gpt-audio-1.5.basic.shortest.sse"
KEY = "sk-proj-" + "a1B2" * 10


class Held(httpx.AsyncBaseTransport):
    """A service that answers when the test lets it."""

    def __init__(self) -> None:
        self.body = RECORDED.read_bytes()
        self.asked = threading.Event()
        self._go = threading.Event()

    def answer(self) -> None:
        self._go.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        await asyncio.to_thread(self._go.wait, 10)
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, stream=_Whole(self.body))


class _Whole(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


@pytest.fixture
def service() -> Held:
    return Held()


@pytest.fixture
def page(
    notebook: Notebook, where: Any, service: Held, request: pytest.FixtureRequest
) -> Iterator[tuple[Turn, Outbox]]:
    """A pad on a page, and its turn that the service has not answered yet."""
    session = Session(api_key="k", transport=service, journal=False)
    show_pad(session, where("run 1", request.node.name))
    notebook.say(notebook.widgets[0], {"kind": "hello", "have": 0})
    turn = session.start_turn("Hello.")
    assert service.asked.wait(10)
    yield turn, notebook.sent[notebook.widgets[0]]
    service.answer()
    session.close()


def test_a_notice_reaches_the_page_before_the_service_has_answered(
    page: tuple[Turn, Outbox],
) -> None:
    turn, outbox = page
    turn._note(f"the service was busy (429) for {KEY}; asked again after 0.6 s")
    told = outbox.first("turn.notice")
    assert told["turn"] == turn.id
    assert told["notice"].startswith("the service was busy (429)")
    assert KEY not in told["notice"]
    assert turn.finish is None


def test_the_card_of_the_end_has_every_notice(page: tuple[Turn, Outbox], service: Held) -> None:
    turn, outbox = page
    turn._note("asked again")
    service.answer()
    assert "asked again" in outbox.first("turn.ended")["card"]["notices"]


def test_a_burst_of_progress_is_one_message_and_none_comes_after_the_end(
    page: tuple[Turn, Outbox], service: Held
) -> None:
    turn, outbox = page
    service.answer()
    outbox.first("turn.ended")
    assert turn.reply.heartbeats > 10
    assert len(outbox.named("turn.progress")) <= 1


def test_words_come_with_the_times_at_which_they_are_spoken(
    page: tuple[Turn, Outbox], service: Held
) -> None:
    turn, outbox = page
    pieces = (
        {"id": "audio_1", "transcript": "One"},
        {"transcript": " two"},
        {"transcript": " three"},
    )
    lines = [{"choices": [{"index": 0, "delta": {"audio": piece}}]} for piece in pieces]
    service.body = b"".join(b"data: %s\n\n" % json.dumps(line).encode() for line in lines)
    service.answer()
    outbox.first("turn.ended")
    told = outbox.named("turn.text")
    assert "".join(data["text"] for data in told) == "One two three"
    words = [word for data in told for word in data.get("words", [])]
    assert [word[:2] for word in words] == [[0, 3], [4, 7]]
    assert all(data["words_estimated"] for data in told if "words" in data)
    assert turn.text == "One two three"
