"""A page that shows a turn may ask for what was asked in its place before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cellvoice.notebook._turn_requests import turn_requests
from cellvoice.session import Session

from .cells import Cells, cells

__all__ = ["cells"]  # a fixture

RECORDED = Path(__file__).parents[2] / "fixtures/recorded/gpt-audio-1.5.basic.shortest.sse"


def answer(request: httpx.Request) -> httpx.Response:
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=kind, content=RECORDED.read_bytes())


@pytest.fixture
def session() -> Iterator[Session]:
    found = Session(api_key="k", transport=httpx.MockTransport(answer), journal=False)
    yield found
    found.close()


def test_an_older_version_of_a_turn_on_the_page_is_given_with_its_sound(
    session: Session, cells: Cells
) -> None:
    with cells.run("a"):
        older = session.say("Hello.")
    with cells.run("a"):
        newest = session.say("Good morning.")
    ask = turn_requests({newest.id: newest})
    told, _ = asyncio.run(ask["version"]({"turn": older.id}, ()))  # type: ignore[arg-type]
    card = json.loads(json.dumps(told["card"], allow_nan=False))
    assert card["id"] == older.id
    assert card["input"][0]["text"] == "Hello."
    _, (sound,) = asyncio.run(ask["sound"]({"turn": older.id}, ()))  # type: ignore[arg-type]
    assert len(sound) > 1_000
    told, _ = asyncio.run(ask["version"]({"turn": newest.id}, ()))  # type: ignore[arg-type]
    assert told["card"]["versions"] == {"k": 2, "of": 2, "ids": [older.id, newest.id]}
