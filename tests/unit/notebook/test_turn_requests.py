"""What a page may ask of the turns that it shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.notebook._turn_requests import among, turn_requests
from cellvoice.protocol import Reply
from cellvoice.session import Session, Turn

RECORDED = Path(__file__).parents[2] / "fixtures/recorded/gpt-audio-1.5.basic.shortest.sse"


def answer(request: httpx.Request) -> httpx.Response:
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=kind, content=RECORDED.read_bytes())


@pytest.fixture
def session() -> Iterator[Session]:
    found = Session(api_key="k", transport=httpx.MockTransport(answer), journal=False)
    yield found
    found.close()


@pytest.fixture
def turn(session: Session) -> Turn:
    """A turn that was asked in words and in sound."""
    hum = 0.3 * np.sin(np.arange(12_000) * 0.05)
    return session.say(["Hello.", Clip.from_array(hum, 24_000)])


def ask(shown: Turn, name: str, **data: object) -> tuple[Any, Any]:
    handler = turn_requests(among({shown.id: shown}))[name]
    return asyncio.run(handler({"turn": shown.id, **data}, ()))  # type: ignore[arg-type]


def test_the_sound_of_the_reply_and_of_a_part_of_the_question_is_given(turn: Turn) -> None:
    told, (reply,) = ask(turn, "sound")
    assert told["mime"] == "audio/mpeg"
    assert abs(Clip.from_bytes(reply).duration_s - turn.reply.received_s) < 0.1
    _, (said,) = ask(turn, "sound", part=1)
    assert abs(Clip.from_bytes(said).duration_s - 0.5) < 0.1


@pytest.mark.parametrize("part", [0, 2, -1, "1", 1.0])
def test_what_is_no_sound_of_the_question_is_refused(turn: Turn, part: object) -> None:
    with pytest.raises(UsageError, match="no sound"):
        ask(turn, "sound", part=part)


def test_the_sound_of_another_choice_is_given(turn: Turn) -> None:
    turn.reply.others[1] = Reply(pcm=bytearray(b"\x10\x20" * 24_000))
    _, (other,) = ask(turn, "sound", choice=1)
    assert abs(Clip.from_bytes(other).duration_s - 1.0) < 0.1


@pytest.mark.parametrize("choice", [1, -1, "0", 0.0])
def test_a_choice_that_there_is_not_is_refused(turn: Turn, choice: object) -> None:
    with pytest.raises(UsageError, match="this choice has no sound"):
        ask(turn, "sound", choice=choice)


def test_probabilities_are_given_whole_or_as_none(turn: Turn) -> None:
    assert ask(turn, "logprobs") == ({"logprobs": None}, ())


def test_events_are_given_as_they_came_without_their_sound(turn: Turn) -> None:
    told, _ = ask(turn, "events")
    assert told == {**turn.events.to_json(), "why": ""}
    assert (told["left_out"], told["left_out_at"]) == (0, None)
    first = told["events"][0]
    assert first["round"] == 1 and first["status"] is None and first["at_s"] > 0
    assert json.loads(first["text"])["object"] == "chat.completion.chunk"
    assert len(json.dumps(told)) < 20_000 < RECORDED.stat().st_size


def test_where_there_are_no_events_it_is_said_why(session: Session) -> None:
    unasked = session.pending_turn({})
    assert ask(unasked, "events")[0] == {
        "events": [],
        "left_out": 0,
        "left_out_at": None,
        "why": "nothing has come over the wire for this turn",
    }


@pytest.mark.parametrize("name", ["stop", "sound", "version", "logprobs", "events"])
def test_a_turn_that_is_not_shown_is_refused(turn: Turn, name: str) -> None:
    with pytest.raises(UsageError, match="no such turn"):
        ask(turn, name, turn="another")
