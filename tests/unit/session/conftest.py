"""Sessions that talk to a played service, write below a temporary folder, and are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cellvoice.session import Session

from .rig import SHORTEST_EXPIRES_AT, Service, recorded

MakeSession = Callable[..., Session]
Resume = Callable[..., Session]


@pytest.fixture
def make_session(tmp_path: Path) -> Iterator[MakeSession]:
    """Make a session for a service. Its clock stands half an hour before the recording expires."""
    made: list[Session] = []

    def make(service: Service, **settings: Any) -> Session:
        settings = {
            "model": "gpt-audio-1.5",
            "journal": tmp_path / "journal",
            "clock": lambda: SHORTEST_EXPIRES_AT - 1800.0,
            "max_retries": 0,
            **settings,
        }
        session = Session(transport=service, **settings)
        made.append(session)
        return session

    yield make
    for session in made:
        session.close()


@pytest.fixture
def resume() -> Iterator[Resume]:
    """Resume a conversation, by what names it or as another session that lets go of it first.

    The clock stands half an hour before the recording expires.
    """
    made: list[Session] = []

    def again(wanted: Any, service: Service | None = None, **settings: Any) -> Session:
        if isinstance(wanted, Session):
            wanted.close()
            wanted = wanted.journal_folder
        settings = {"clock": lambda: SHORTEST_EXPIRES_AT - 1800.0, **settings}
        session = Session.resume(wanted, transport=service or Service(recorded()), **settings)
        made.append(session)
        return session

    yield again
    for session in made:
        session.close()
