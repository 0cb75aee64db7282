"""A turn saved as a file of its own is its card, with everything in it and its sound."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.session import Session, Turn

TESTS = Path(__file__).parents[2]
RECORDED = TESTS / "fixtures/recorded"


def turn_of(recording: str, *said: str | Clip, **settings: Any) -> Turn:
    """A turn that the service answered with a recording of its own."""

    def answer(request: httpx.Request) -> httpx.Response:
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, content=(RECORDED / recording).read_bytes())

    session = Session(api_key="k", transport=httpx.MockTransport(answer), journal=False, **settings)
    try:
        return session.say(list(said))
    finally:
        session.close()


def saved(turn: Turn, path: Path) -> dict[str, Any]:
    assert turn.save(path) == path
    file = json.loads(path.read_text(encoding="utf-8"))
    schema = json.loads((TESTS / "contract/turn.v1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(file)
    assert isinstance(file, dict)
    return file


def heard(address: str) -> Clip:
    kind, _, data = address.partition(";base64,")
    assert kind == "data:audio/mpeg"
    return Clip.from_bytes(b64decode(data))


def test_a_file_has_the_card_and_the_sound_of_both_sides(tmp_path: Path) -> None:
    hum = Clip.from_array(0.3 * np.sin(np.arange(12_000) * 0.05), 24_000)
    turn = turn_of("gpt-audio-1.5.basic.shortest.sse", "Hello.", hum)
    file = saved(turn, tmp_path / "answer.turn.json")
    assert (file["id"], file["reply"]["text"]) == (turn.id, turn.text)
    assert abs(heard(file["sound"]).duration_s - turn.reply.received_s) < 0.1
    assert file["said"][0] is None
    assert abs(heard(file["said"][1]).duration_s - 0.5) < 0.1


def test_a_file_of_a_written_answer_has_all_its_probabilities(tmp_path: Path) -> None:
    turn = turn_of(
        "text.logprobs.sse", "Say foo.", model="gpt-4o", voice=None, logprobs=True, top_logprobs=5
    )
    assert turn.logprobs is not None
    file = saved(turn, tmp_path / "Answer.TURN.json")
    assert "sound" not in file and "said" not in file
    assert len(file["logprobs"]["tokens"]) == len(turn.logprobs.tokens) > 0
    assert "".join(token[0] for token in file["logprobs"]["tokens"]) == turn.text


@pytest.mark.parametrize("name", ["answer.json", "answer.zip", "turn.json.txt"])
def test_another_ending_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    turn = turn_of("text.plain.sse", "Hello.", model="gpt-4o", voice=None)
    with pytest.raises(UsageError, match=r"ending in \.turn\.json"):
        turn.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_turn_that_was_never_asked_is_not_saved(tmp_path: Path) -> None:
    session = Session(api_key="k", journal=False)
    with pytest.raises(UsageError, match="has not ended"):
        session.pending_turn({}).save(tmp_path / "answer.turn.json")
    session.close()
