"""A session on the embedded engine and on real sockets: nothing in between is played."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellvoice import _compose, local
from cellvoice.audio import Clip
from cellvoice.errors import ConnectionFailed, EngineError, ServiceError
from cellvoice.local import LocalTransport
from cellvoice.local.child import EngineProcess
from cellvoice.local.ears import Ear, NoEar
from cellvoice.local.ears.phrases import PhraseEar
from cellvoice.local.engine import Engine
from cellvoice.local.voices import choose_voice
from cellvoice.protocol import estimate_input_tokens
from cellvoice.session import Endpoint, Session, Turn

QUESTION = Path(__file__).parents[2] / "notebooks" / "question.wav"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(journal=tmp_path) as session:
        yield session


def test_a_spoken_question_is_heard_and_answered_in_speech(session: Session) -> None:
    turn = session.say(QUESTION)
    assert turn.finish == "complete"
    assert turn.heard is not None and "capital of france" in turn.heard.lower()
    assert "Paris" in turn.text
    assert turn.clip is not None and turn.clip.duration_s > 1
    assert turn.clip.rms_dbfs > -40
    assert turn.engine is not None and turn.engine["badge"] == session.badge
    assert float(turn.cost) == 0.0 and turn.cost_note is None
    spoken_tokens = estimate_input_tokens(Clip.read(QUESTION).duration_s)
    assert turn.usage is not None and turn.usage.prompt_audio_tokens == spoken_tokens
    first, total = turn.timing.first_sound_s, turn.timing.total_s
    assert first is not None and total is not None and 0 < first < total


def test_the_notice_tells_the_way_to_the_real_one_once(session: Session) -> None:
    first, second = session.say("Hello."), session.say("Hello again.")
    assert any("OPENAI_API_KEY" in notice for notice in first.notices)
    assert second.notices == ()


def test_a_second_turn_replays_the_first_by_its_id(session: Session) -> None:
    first = session.say("What is the capital of France?")
    second = session.say("And of Italy?")
    assert second.request is not None
    _, answer, _ = second.request.messages
    assert answer == {"role": "assistant", "audio": {"id": first.reply.audio_id}}
    assert second.finish == "complete" and second.clip is not None


def test_an_engine_that_has_ended_is_started_again(session: Session) -> None:
    session.say("Hello.")
    local.shared_engine().close()
    assert session.say("Hello again.").finish == "complete"


def test_a_forgotten_answer_is_repaired_with_its_words(session: Session) -> None:
    # A new engine knows nothing of the sounds of the old one.
    session.say("What is the capital of France?")
    local.shared_engine().close()
    turn = session.say("And of Italy?")
    assert turn.finish == "complete"
    assert any("the transcript was sent instead" in notice for notice in turn.notices)


class Killer:
    """Watches a session and kills the engine when a turn has come so far."""

    def __init__(self, engine: EngineProcess, at: str) -> None:
        self._engine = engine
        self._at = at

    def started(self, turn: Turn) -> None:
        self._kill_at("start", turn)

    def event(self, turn: Turn, event: object) -> None:
        if turn.reply.pcm:
            self._kill_at("sound", turn)

    async def ended(self, turn: Turn) -> None:
        pass

    def _kill_at(self, place: str, turn: Turn) -> None:
        child = self._engine._child
        if (place, turn.number) == (self._at, 3) and child is not None and child.alive():
            child.process.kill()
            child.process.wait()


@pytest.mark.parametrize(("at", "finish"), [("start", "failed"), ("sound", "cut")])
def test_an_engine_that_dies_in_a_turn_is_told_and_the_next_turn_is_answered(
    at: str, finish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At the pace at which sound plays, so that most of the reply is still to come.
    engine = EngineProcess(pace="realtime")
    endpoint = Endpoint(engine.base_url, engine.api_key)
    monkeypatch.setattr(_compose, "engine", lambda: endpoint)
    with Session(journal=False) as session:
        session.watch(Killer(engine, at))
        for _ in range(2):
            session.say("Hello.", max_completion_tokens=15)
        with pytest.raises(EngineError) as caught:
            session.say("Hello.")
        assert str(caught.value).startswith("the embedded engine ended before")
        assert "ask again" in str(caught.value) and "\n" not in str(caught.value)
        assert session.turns[2].finish == finish
        endpoint = Endpoint(engine.base_url, engine.api_key)
        turn = session.say("Hello again.", max_completion_tokens=15)
        assert turn.finish == "length" and turn.text
    engine.close()


def strange() -> Clip:
    """A question that the engine does not know by its sound."""
    samples = choose_voice("formant").speak("Nobody knows who painted this wall.", "alloy")
    return Clip.from_array(samples, 24_000)


@pytest.mark.parametrize("ear", [NoEar(), PhraseEar()])
def test_an_engine_without_a_recogniser_says_what_to_install(ear: Ear) -> None:
    transport = LocalTransport(Engine(ear=ear))
    with Session(transport=transport, journal=False) as session:
        assert "pip install" not in " ".join(session.say("Hello.").notices)
        turn = session.say(strange())
    assert turn.finish == "complete" and turn.clip is not None
    (notice,) = turn.notices
    assert "pip install 'cellvoice[engine]'" in notice


def test_the_engine_answers_in_this_process_behind_the_same_seam() -> None:
    with Session(transport=LocalTransport(), journal=False) as session:
        turn = session.say(Clip.read(QUESTION))
        assert turn.finish == "complete" and turn.clip is not None
        assert session.badge == "embedded engine, not gpt-audio"


def test_an_unknown_model_is_refused_in_the_services_form() -> None:
    with Session("no-such-model", journal=False) as session, pytest.raises(ServiceError) as caught:
        session.say("Hello.")
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


def test_an_engine_that_cannot_start_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")

    monkeypatch.setattr(local, "shared_engine", missing)
    with Session(journal=False) as session:
        with pytest.raises(EngineError, match="needs uvicorn") as caught:
            session.say("Hello.")
        assert "pip install" in str(caught.value) and "\n" not in str(caught.value)
        assert session.turns[0].finish == "failed"
    with pytest.raises(EngineError):
        _compose.engine()


def test_a_script_ends_without_a_warning() -> None:
    program = (
        "import cellvoice as cv\n"
        f"turn = cv.Session(journal=False).say(cv.Clip.read({str(QUESTION)!r}))\n"
        "print(turn.finish, len(turn.clip.resampled(16_000).to_bytes('mp3')) > 0)\n"
    )
    # What is warned of at the very end can't raise any more; it is written to stderr.
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "complete True\n", "")


def test_a_closed_port_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with Session(base_url=f"http://127.0.0.1:{port}/v1", journal=False) as session:
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port} cannot be reached"):
            session.say("Hello.")
        assert session.turns[0].finish == "failed"
