"""What a turn tells of a service that is busy, slow, or asked in a particular way."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import httpx
import pytest

from cellvoice.client import Timeouts
from cellvoice.errors import (
    AudioNotFound,
    CellvoiceError,
    ConnectionFailed,
    IdleTimeout,
    RateLimited,
    ServiceError,
    TotalTimeout,
    UsageError,
)
from cellvoice.session import Session

from .conftest import MakeSession
from .rig import WAIT_S, Hold, Reply, Service, event, events_of, recorded, refusal

OWN = "tok-own-0123456789-header"


def busy(**headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {"error": {"message": "Rate limit reached.", "code": "rate_limit_exceeded"}}
    return Reply([json.dumps(told).encode()], 429, named)


def test_a_busy_service_is_asked_again_and_the_turn_says_so(make_session: MakeSession) -> None:
    service = Service(busy(retry_after_ms="1"), recorded())
    turn = make_session(service, max_retries=2).say("Hello.")
    assert turn.finish == "complete"
    assert turn.notices == ("the service was busy (429); asking again after 1 ms",)
    assert service.asked[0].body == service.asked[1].body


def test_the_user_sees_why_it_waits_and_can_stop_it(make_session: MakeSession) -> None:
    told = Hold()
    service = Service(Reply([told, *busy().pieces], 429, {"retry-after": "119"}))
    turn = make_session(service, max_retries=2).start_turn("Hello.")
    told.wait_until_reached()
    told.release()
    assert service.asked[0].closed.wait(WAIT_S)
    turn.stop()
    assert turn.wait(WAIT_S)
    assert turn.finish == "stopped"
    assert turn.notices[0] == "the service was busy (429); asking again after 119.0 s"
    assert len(service.asked) == 1


def test_a_wait_that_is_too_long_is_told_with_its_length(make_session: MakeSession) -> None:
    service = Service(busy(retry_after="300"))
    with pytest.raises(RateLimited, match="ask again in 5 min") as caught:
        make_session(service, max_retries=2).say("Hello.")
    assert caught.value.retry_after_s == 300.0
    assert caught.value.turn is not None and caught.value.turn.finish == "failed"


@pytest.mark.parametrize(
    ("timeout", "kind"), [(0.5, TotalTimeout), (Timeouts(idle_s=0.1), IdleTimeout)]
)
def test_a_limit_keeps_what_came_on_the_error_s_turn(
    timeout: float | Timeouts, kind: type[CellvoiceError], make_session: MakeSession
) -> None:
    word = event({"choices": [{"index": 0, "delta": {"audio": {"id": "a", "transcript": "Hel"}}}]})
    service = Service(Reply([word, Hold()]))
    with pytest.raises(kind) as caught:
        make_session(service, timeout=timeout).say("Hello.")
    turn = caught.value.turn
    assert turn is not None
    assert (turn.finish, turn.reply.transcript) == ("cut", "Hel")
    assert service.asked[0].closed.wait(WAIT_S)


def test_a_request_that_nobody_waited_for_any_longer_is_not_called_free(
    make_session: MakeSession,
) -> None:
    service = Service(Reply([Hold()]))
    session = make_session(service, timeout=0.3)
    with pytest.raises(TotalTimeout) as caught:
        session.say("Hello.")
    assert caught.value.turn is not None
    assert caught.value.turn.finish == "failed"
    assert caught.value.turn.cost.estimated


def test_the_cause_of_a_broken_connection_is_the_network_s(make_session: MakeSession) -> None:
    service = Service(Reply([httpx.ConnectError("refused")]))
    with pytest.raises(ConnectionFailed) as caught:
        make_session(service).say("Hello.")
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_an_error_in_the_middle_has_the_reply_so_far(make_session: MakeSession) -> None:
    begun = [*events_of()[:8], b'data: {"error":{"message":"lost","code":429}}\n\n']
    service = Service(Reply(begun))
    with pytest.raises(RateLimited, match="in the middle of the reply") as caught:
        make_session(service, max_retries=2).say("Hello.")
    assert caught.value.turn is not None and caught.value.turn.reply.transcript
    assert len(service.asked) == 1


def test_a_sound_that_is_gone_for_good_has_its_own_error(make_session: MakeSession) -> None:
    service = Service(refusal(400, message="Assistant audio x not found.", code="audio_not_found"))
    with pytest.raises(AudioNotFound):
        make_session(service).say("Hello.")


def test_the_environment_names_the_address_and_the_account(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1/")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-environment")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj_environment")
    service = Service(recorded())
    make_session(service).say("Hello.")
    make_session(service, base_url="https://other.example/v1", organization="org-own").say("Hi.")
    first, second = service.asked
    assert str(first.url) == "https://models.example/v1/chat/completions"
    assert str(second.url) == "https://other.example/v1/chat/completions"
    assert [asked.headers["openai-organization"] for asked in service.asked] == [
        "org-environment",
        "org-own",
    ]
    assert first.headers["openai-project"] == "proj_environment"


def test_the_environment_s_address_is_asked_in_place_of_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert Session(journal=False).badge == ""


def test_azure_is_asked_with_its_own_key(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-openai")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "the-key-of-azure")
    service = Service(recorded())
    at = "https://name.openai.azure.com/openai/deployments/mine"
    make_session(service, base_url=at, azure_api_version="2025-01-01-preview").say("Hello.")
    (asked,) = service.asked
    assert asked.headers["api-key"] == "the-key-of-azure"
    assert "authorization" not in asked.headers
    assert str(asked.url).endswith("/mine/chat/completions?api-version=2025-01-01-preview")


def test_an_own_authorization_goes_before_the_environment_s_key_and_is_shown_nowhere(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-openai")
    service = Service(recorded(), refusal(403, message=f"no entry for {OWN}"))
    session = make_session(service, headers={"Authorization": f"Token {OWN}", "X-Team": "red"})
    session.say("Hello.")
    with pytest.raises(ServiceError, match=r"no entry for \*\*\*") as caught:
        session.say("Hello.")
    assert service.asked[0].headers["authorization"] == f"Token {OWN}"
    assert service.asked[0].headers["x-team"] == "red"
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert OWN not in "".join(told.format()) + repr(session) + str(vars(session))
    assert all(OWN.encode() not in data for data in written)


def test_settings_of_the_connection_are_no_parameters_of_the_service(
    make_session: MakeSession,
) -> None:
    service = Service(recorded())
    session = make_session(service, timeout=30, max_retries=1, organization="org-1", seed=7)
    session.say("Hello.")
    assert dict(session.parameters) == {"seed": 7}
    assert not {"timeout", "max_retries", "organization"} & set(service.asked[0].body)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"timeout": -1}, "timeout: -1 is no time to wait"),
        ({"max_retries": 99}, "max_retries=99"),
        ({"headers": {"Content-Type": "x"}}, "set by cellvoice itself"),
        ({"proxy": "socks5://h:1", "base_url": "https://models.example/v1"}, "SOCKS"),
        ({"headers": {"Authorization": "x"}, "api_key": "sk-a-key-besides"}, "give only one"),
        ({"base_url": "https://name.openai.azure.com", "api_key": "k"}, "lacks its path"),
    ],
)
def test_a_connection_that_cannot_be_is_refused_when_the_session_is_made(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        Session(journal=False, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": f"{OWN} with a space"},
        {"api_key": OWN.encode()},
        {"api_key": "sk-a-key-besides", "headers": {"Authorization": f"Bearer {OWN}"}},
        {"headers": {"X-Token": f"{OWN}\ntwo"}},
        {"headers": OWN},
        {"base_url": f"https://me:{OWN}@models.example/v1"},
        {"base_url": f"https://api.openai.com/v1?key={OWN}"},
        {"base_url": f"models.example/v1?key={OWN}"},
        {"base_url": "https://models.example/v1", "proxy": f"socks5://me:{OWN}@h:1"},
    ],
)
def test_what_is_refused_is_in_no_local_name_of_the_traceback(settings: dict[str, object]) -> None:
    made: list[Session] = []
    with pytest.raises(CellvoiceError) as caught:
        made.append(Session(journal=False, **settings))  # type: ignore[arg-type]
    frames = caught.value.__traceback__
    assert frames is not None
    ours = caught.value.with_traceback(frames.tb_next)
    told = traceback.TracebackException.from_exception(ours, capture_locals=True)
    assert made == [] and OWN not in "".join(told.format())


def test_an_own_client_is_left_open_when_the_session_is_closed() -> None:
    service = Service(recorded())
    own = httpx.AsyncClient(transport=service)
    with Session(
        model="gpt-audio-1.5", api_key="a-key-for-tests", http_client=own, journal=False
    ) as session:
        assert session.say("Hello.").finish == "complete"
    assert not own.is_closed
    assert service.asked[0].headers["authorization"] == "Bearer a-key-for-tests"
