"""A page that shows a turn may ask for what was asked in its place before."""

from __future__ import annotations

import asyncio
import json

from cellvoice.notebook._turn_requests import among, turn_requests

from .cells import Cells, cells
from .conftest import MakeSession
from .rig import Service, recorded

__all__ = ["cells"]  # a fixture


def test_an_older_version_of_a_turn_on_the_page_is_given_with_its_sound(
    make_session: MakeSession, cells: Cells
) -> None:
    session = make_session(Service(recorded()))
    with cells.run("a"):
        older = session.say("Hello.")
    with cells.run("a"):
        newest = session.say("Good morning.")
    ask = turn_requests(among({newest.id: newest}))
    told, _ = asyncio.run(ask["version"]({"turn": older.id}, ()))  # type: ignore[arg-type]
    card = json.loads(json.dumps(told["card"], allow_nan=False))
    assert card["id"] == older.id
    assert card["input"][0]["text"] == "Hello."
    _, (sound,) = asyncio.run(ask["sound"]({"turn": older.id}, ()))  # type: ignore[arg-type]
    assert len(sound) > 1_000
    told, _ = asyncio.run(ask["version"]({"turn": newest.id}, ()))  # type: ignore[arg-type]
    assert told["card"]["versions"] == {"k": 2, "of": 2, "ids": [older.id, newest.id]}
