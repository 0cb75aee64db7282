"""Parameters from a session to the embedded engine and back: nothing in between is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cellvoice.errors import ServiceError
from cellvoice.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(journal=False) as session:
        yield session


def test_a_reply_in_one_mp3_is_heard(session: Session) -> None:
    streamed = session.say("What is the capital of France?", seed=1)
    whole = session.say("What is the capital of France?", seed=1, format="mp3")
    assert whole.request is not None and not whole.request.streams
    assert whole.text == streamed.text
    assert whole.clip is not None and streamed.clip is not None
    assert whole.clip.duration_s == pytest.approx(streamed.clip.duration_s, abs=0.1)
    assert whole.clip.rms_dbfs == pytest.approx(streamed.clip.rms_dbfs, abs=1.0)


def test_what_the_engine_cannot_do_is_told(session: Session) -> None:
    turn = session.say("Hello.", prompt_cache_key="lesson", top_logprobs=2)
    assert turn.finish == "complete"
    assert turn.reply.logprobs is not None
    assert not any("asked again without" in notice for notice in turn.notices)
    with pytest.raises(ServiceError, match="reasoning_effort"):
        session.say("Hello.", extra_body={"reasoning_effort": "low"})


def test_the_engine_is_not_warned_of_as_if_it_were_the_service(session: Session) -> None:
    session.say("Hello.")
    assert session.say("Hello.", temperature=0).notices == ()
