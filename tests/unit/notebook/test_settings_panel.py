"""What the page may set of a session, and what it is told of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cellvoice.notebook._settings_panel import saved_settings, set_values, settings_state
from cellvoice.notebook.pad import PAD_MIME, show_pad
from cellvoice.protocol import VOICES
from cellvoice.session import Session
from cellvoice.widgets import VoiceWidget

from .conftest import Notebook, Outbox

CONTRACT = Path(__file__).parents[2] / "contract/pad_settings.v1.json"


class Page:
    """A page that shows the pad and asks for settings."""

    def __init__(self, notebook: Notebook, widget: VoiceWidget) -> None:
        self._notebook = notebook
        self._widget = widget
        self._sent = 0
        self.say({"kind": "hello", "have": 0, "lab": True})

    def say(self, content: dict[str, Any]) -> None:
        self._notebook.say(self._widget, content)

    def set(self, values: object) -> Mapping[str, Any]:
        """The kernel's answer to one request."""
        self._sent += 1
        request = {"kind": "request", "name": "settings", "id": f"r{self._sent}"}
        self.say({**request, "seq": self._sent, "data": {"values": values}})
        answers = [sent for sent in self.heard if sent.get("id") == f"r{self._sent}"]
        assert len(answers) == 1
        return answers[0]

    @property
    def heard(self) -> Outbox:
        return self._notebook.sent[self._widget]

    def states(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many `pad.state`; the settings in each."""
        return [state["settings"] for state in self.heard.at_least(count, "pad.state")]


@pytest.fixture
def page(notebook: Notebook, session: Session, where: Any, request: pytest.FixtureRequest) -> Page:
    show_pad(session, where("run 1", request.node.name))
    return Page(notebook, notebook.widgets[0])


def test_the_page_is_told_what_the_contract_says() -> None:
    session = Session(api_key="k", journal=False, temperature=0.4, stop=["END", "\n"])
    # The page's own tests read the same file.
    assert settings_state(session) == json.loads(CONTRACT.read_text(encoding="utf-8"))


def test_the_form_begins_with_model_voice_and_system_and_names_nothing_twice() -> None:
    form: Any = settings_state(Session(api_key="k", journal=False))["form"]
    names = [row["name"] for row in form]
    assert names[:3] == ["model", "voice", "system"]
    assert len(names) == len(set(names))
    assert form[1]["choices"] == [*VOICES, "none"]
    assert {row["name"] for row in form if row["refused"]} >= {"logprobs", "response_format"}


def test_a_fresh_session_has_nothing_set() -> None:
    assert set_values(Session(api_key="k", journal=False)) == {}


def test_what_a_page_sets_holds_for_the_session_and_is_answered(
    page: Page, session: Session
) -> None:
    answer = page.set({"temperature": 0.8, "stop": ["END", "\n"], "voice": "marin"})
    assert answer["kind"] == "result"
    assert answer["data"] == {
        "values": {"voice": "marin", "temperature": 0.8, "stop": ["END", "\n"]}
    }
    assert dict(session.parameters) == {"temperature": 0.8, "stop": ["END", "\n"]}
    assert session.voice == "marin"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0.8", 0.8),
        ("seed", "9007199254740993", 2**53 + 1),
        ("logit_bias", '{"5": -100}', {"5": -100}),
        ("tool_choice", "required", "required"),
        ("safety_identifier", "12", "12"),
    ],
)
def test_a_text_is_read_by_the_kind_of_its_parameter(
    page: Page, session: Session, name: str, text: str, value: object
) -> None:
    assert page.set({name: text})["kind"] == "result"
    assert session.parameters[name] == value


def test_the_page_is_told_the_new_state(page: Page) -> None:
    page.set({"temperature": "0.8"})
    assert [state["values"] for state in page.states(2)] == [{}, {"temperature": 0.8}]


def test_null_takes_a_value_back_and_a_voice_back_to_what_it_was(
    page: Page, session: Session
) -> None:
    page.set({"temperature": 0.8, "voice": "none", "model": "gpt-audio-mini", "system": "Hm."})
    assert (session.voice, session.model, session.system) == (None, "gpt-audio-mini", "Hm.")
    assert page.states(2)[-1]["values"]["voice"] == "none"
    answer = page.set({"temperature": None, "voice": None, "model": None, "system": None})
    assert answer["data"] == {"values": {}}
    assert (session.voice, session.model, session.system) == ("alloy", "gpt-audio", None)


def test_a_custom_voice_is_set_by_its_id(page: Page, session: Session) -> None:
    page.set({"voice": "voice_12"})
    assert session.voice == "voice_12"
    turn = session.pending_turn()
    assert turn._settings.voice == {"id": "voice_12"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"temperature": "3"}, "temperature=3: expected a number in 0…2"),
        ({"temperature": "warm"}, "temperature='warm': expected a number in 0…2"),
        ({"temprature": 1}, "did you mean 'temperature'"),
        ({"logit_bias": "{5"}, "logit_bias"),
        ({"voice": 5}, "voice=5: expected a name"),
        ({"model": " "}, "model=' ': expected a name"),
        ("temperature", "no values"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(
    page: Page, session: Session, values: object, sentence: str
) -> None:
    answer = page.set(values)
    assert (answer["kind"], answer["data"]["name"]) == ("error", "UsageError")
    assert sentence in answer["data"]["message"]
    assert set_values(session) == {}


def test_of_several_values_all_are_taken_or_none(page: Page, session: Session) -> None:
    page.set({"seed": 1})
    page.states(2)  # a state that still waits would give way to the next
    assert page.set({"seed": 2, "temperature": 3})["kind"] == "error"
    assert dict(session.parameters) == {"seed": 1}
    page.set({"seed": 3})
    assert [state["values"] for state in page.states(3)] == [{}, {"seed": 1}, {"seed": 3}]


def test_no_values_ask_for_what_holds_now(page: Page, session: Session) -> None:
    session.system = "Be brief."
    assert page.set({})["data"] == {"values": {"system": "Be brief."}}
    assert page.states(2)[-1]["values"] == {"system": "Be brief."}


def test_another_model_has_another_form(page: Page) -> None:
    page.set({"model": "some-other-model"})
    before, after = (
        {row["name"] for row in state["form"] if row["refused"]} for state in page.states(2)
    )
    assert "logprobs" in before
    assert "logprobs" not in after


@pytest.mark.parametrize(
    ("parameters", "warned"),
    [({}, True), ({"temperature": 0.3}, True), ({"temperature": 1}, False)],
)
def test_a_temperature_that_is_safe_has_no_warning(
    parameters: dict[str, Any], warned: bool
) -> None:
    form: Any = settings_state(Session(api_key="k", journal=False, **parameters))["form"]
    (row,) = (row for row in form if row["name"] == "temperature")
    assert bool(row["warning"]) is warned


def test_a_page_gets_whole_numbers_that_it_would_round_as_digits() -> None:
    session = Session(api_key="k", journal=False, seed=2**53 + 1)
    assert set_values(session)["seed"] == "9007199254740993"


def test_a_file_keeps_what_was_set_but_no_form_and_no_key() -> None:
    key = "sk-proj-" + "a1B2" * 10
    session = Session(api_key="k", journal=False, system=f"My key is {key}.", temperature=0.7)
    saved = saved_settings(session)
    assert saved["form"] == []
    assert saved["values"]["temperature"] == 0.7  # type: ignore[index]
    assert key not in json.dumps(saved)
    assert "My key is" in json.dumps(saved)


async def test_a_change_reaches_the_file_without_a_turn(
    notebook: Notebook, session: Session, where: Any
) -> None:
    await asyncio.to_thread(show_pad, session, where("run 1", "kept"))
    page = await asyncio.to_thread(Page, notebook, notebook.widgets[0])
    put = asyncio.Event()
    loop = asyncio.get_running_loop()
    publish = notebook.publish

    def published(data: Mapping[str, Any], **more: Any) -> None:
        publish(data, **more)
        if data.get(PAD_MIME, {}).get("state", {}).get("settings", {}).get("values"):
            loop.call_soon_threadsafe(put.set)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cellvoice.notebook._slot.publish_display_data", published)
        await asyncio.to_thread(page.set, {"temperature": "0.7"})
        await asyncio.wait_for(put.wait(), 10)
    settings = notebook.output[PAD_MIME]["state"]["settings"]
    assert settings == {"form": [], "values": {"temperature": 0.7}}
