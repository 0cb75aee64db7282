"""Where a session's requests go, with which key, and where that key never appears."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from cellvoice.errors import AuthError, CellvoiceError, DeviceError, UsageError
from cellvoice.session import Session

from .conftest import MakeSession
from .rig import Service, recorded, refusal

CANARY = "canary-0123456789-key"


def test_without_key_and_address_the_embedded_engine_answers_and_says_so() -> None:
    session = Session(journal=False)
    assert session.badge == "embedded engine, not gpt-audio"
    assert "OPENAI_API_KEY" in session.notice
    assert "embedded engine" in repr(session)


def test_the_services_address_without_a_key_is_refused_at_once() -> None:
    with pytest.raises(AuthError, match="set OPENAI_API_KEY or pass api_key="):
        Session(base_url="https://api.openai.com/v1")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/v1", "https://models.example/v1"])
def test_another_address_needs_no_key(address: str) -> None:
    assert Session(base_url=address, journal=False).badge == ""


def test_the_environments_key_is_used_and_the_argument_goes_first(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    service = Service(recorded())
    make_session(service).say("Hello.")
    make_session(service, api_key="from-the-argument").say("Hello.")
    sent = [asked.headers["authorization"] for asked in service.asked]
    assert sent == ["Bearer from-the-environment", "Bearer from-the-argument"]
    assert str(service.asked[0].url) == "https://api.openai.com/v1/chat/completions"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"temperature": 9}, "0…2"),
        ({"temprature": 1}, "temperature"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"voice": 7}, "voice"),
        ({"system": ""}, "system message is empty"),
        ({"base_url": "not an address"}, "base_url"),
        ({"base_url": 7}, "base_url"),
        ({"journal": 7}, "journal"),
        ({"journal": ""}, "journal"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        Session(**{"api_key": CANARY, "journal": False, **settings})  # type: ignore[arg-type]


def test_a_key_that_no_key_can_be_is_refused_without_quoting_it() -> None:
    with pytest.raises(UsageError, match="API key") as caught:
        Session(api_key=f"{CANARY} with a space", journal=False)
    with pytest.raises(UsageError, match="api_key is a bytes"):
        Session(api_key=CANARY.encode(), journal=False)  # type: ignore[arg-type]
    assert CANARY not in repr(caught.value)


def test_a_setting_that_cannot_be_changes_nothing(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    with pytest.raises(UsageError):
        session.voice = 7  # type: ignore[assignment]
    with pytest.raises(UsageError):
        session.model = ""
    assert (session.voice, session.model) == ("alloy", "gpt-audio-1.5")


def test_a_custom_voice_is_sent_whole_and_read_as_its_id(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service, voice={"id": "voice_1"})
    assert session.voice == "voice_1" and session.say("Hello.").voice == "voice_1"
    assert service.asked[0].body["audio"]["voice"] == {"id": "voice_1"}


def test_a_model_that_will_be_shut_down_is_noticed_once(make_session: MakeSession) -> None:
    service = Service(recorded())
    december_2026 = 1_796_500_000.0
    session = make_session(service, model="gpt-audio", clock=lambda: december_2026)
    first, second = session.say("one"), session.say("two")
    assert any("gpt-audio-1.5" in notice for notice in first.notices)
    assert second.notices == ()
    early = make_session(service, model="gpt-audio", clock=lambda: december_2026 - 200 * 86_400)
    assert early.notice == ""


def test_listening_outside_a_notebook_proposes_a_file(make_session: MakeSession) -> None:
    with pytest.raises(DeviceError, match=r"Clip\.read"):
        make_session(Service(recorded())).listen()


def test_the_key_is_in_nothing_that_is_shown_logged_or_written(
    make_session: MakeSession,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    service = Service(
        recorded(),
        refusal(401, message=f"Incorrect API key provided: {CANARY}.", code="invalid_api_key"),
        refusal(500, message=f"Authorization was Bearer {CANARY}"),
    )
    session = make_session(service, api_key=CANARY)
    shown = [repr(session), str(vars(session)), repr(session.say("Hello."))]
    for _ in range(2):
        with pytest.raises(CellvoiceError) as caught:
            session.say("Hello.")
        shown += [str(caught.value), repr(caught.value), str(vars(caught.value))]
        shown += traceback.TracebackException.from_exception(
            caught.value, capture_locals=True
        ).format()
    shown += [repr(turn) + str(vars(turn)) + repr(turn.request) for turn in session.turns]
    shown += [caplog.text, *capsys.readouterr()]
    session.close()  # from here on nothing is written any more
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 3  # the lines, a sound, .gitignore
    shown += [path.read_bytes().decode("latin-1") for path in written]
    assert service.asked[0].headers["authorization"] == f"Bearer {CANARY}"
    assert [text for text in shown if CANARY in text] == []
