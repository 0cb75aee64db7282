"""The pad's settings panel: what can be set, what is, and setting it.

The form is the one table of parameters (`protocol`), with what a session has besides in front.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from cellvoice.errors import UsageError
from cellvoice.protocol import (
    ENGINE_MODEL,
    MODELS,
    VOICES,
    cautions,
    mask_keys,
    settings_form,
    value_from_text,
)
from cellvoice.session import DEFAULT_MODEL, DEFAULT_VOICE, Session
from cellvoice.widgets import Answer

from ._live import Data, Live

# What the page calls "no voice". JSON's null means "as if it was never set", and that is a voice.
_WRITTEN = "none"
_CUSTOM_VOICE = "voice_"

_UNTOUCHED = {"model": DEFAULT_MODEL, "voice": DEFAULT_VOICE, "system": None}

# The known values are not all there are: a tool's own name, or the service's form.
_OPEN = frozenset({"tool_choice"})

# The page shows a warning with any value that is set, unless `cautions` can tell that this is none.
_JUDGED = frozenset({"temperature"})

# Room for more than a line.
_LONG_TEXT_CHARS = 100_000

# A page reads whole numbers exactly up to here (IEEE 754 doubles).
_EXACT_IN_PAGE = 2**53


class SettingsPanel:
    """Answers the page's `settings` requests. `changed` is called after each that was taken."""

    def __init__(self, live: Live, session: Session, changed: Callable[[], None]) -> None:
        self._session = session
        self._changed = changed
        live.requests["settings"] = self._set

    async def _set(self, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        values = data.get("values")
        if not isinstance(values, Mapping):
            raise UsageError("the page sent no values to set; reload it")
        # All or nothing, in one call. No values at all only ask for what holds now.
        self._session.configure(**{name: _meant(name, value) for name, value in values.items()})
        self._changed()
        return {"values": set_values(self._session)}, ()


def settings_state(session: Session) -> dict[str, object]:
    """The form and what is set, as `pad.state` has it."""
    return {"form": [*_own_rows(), *_table_rows(session)], "values": set_values(session)}


def saved_settings(session: Session) -> dict[str, object]:
    """What is set, for a file: without the form, and without a key that slipped into a value."""
    return {"form": [], "values": json.loads(mask_keys(json.dumps(set_values(session))))}


def set_values(session: Session) -> dict[str, object]:
    """What differs from a session with which nothing was done, JSON-ready."""
    found = session.settings_values()
    voice = found["voice"]
    found["voice"] = voice["id"] if isinstance(voice, Mapping) else voice or _WRITTEN
    return {name: _exact(value) for name, value in found.items() if value != _UNTOUCHED.get(name)}


def _meant(name: str, value: object) -> object:
    """A value of the page as `Session.configure` takes it; a text is read by the kind."""
    if name == "model":
        return DEFAULT_MODEL if value is None else value
    if name == "voice":
        return _voice(value)
    if name == "system" or not isinstance(value, str):
        return value
    return value_from_text(name, value)


def _voice(value: object) -> object:
    if value is None:
        return DEFAULT_VOICE
    if value == _WRITTEN:
        return None
    if isinstance(value, str) and value.startswith(_CUSTOM_VOICE):
        return {"id": value}
    return value


def _own_rows() -> list[dict[str, object]]:
    voices = [*VOICES, _WRITTEN]
    return [
        _own("model", [*MODELS], DEFAULT_MODEL, "Who answers.", "a name such as 'gpt-audio'"),
        _own(
            "voice",
            voices,
            DEFAULT_VOICE,
            f"Who speaks: a name, the id of a custom voice ({_CUSTOM_VOICE}…), or {_WRITTEN} for "
            "written answers.",
            f"a name such as 'alloy', an id such as '{_CUSTOM_VOICE}…', or '{_WRITTEN}'",
        ),
        {
            **_own("system", [], None, "What the model is told about how to answer.", "a text"),
            "high": _LONG_TEXT_CHARS,
        },
    ]


def _own(
    name: str, choices: list[str], default: str | None, text: str, expected: str
) -> dict[str, object]:
    return {
        "name": name,
        "kind": "text",
        "low": None,
        "high": None,
        "choices": choices,
        "default": default,
        "text": text,
        "warning": "",
        "expected": expected,
        "refused": False,
        "group": "voice",
    }


def _table_rows(session: Session) -> list[dict[str, object]]:
    model = ENGINE_MODEL if session.badge else session.model
    own = {row["name"] for row in _own_rows()}
    rows = [row for row in settings_form(model) if row["name"] not in own]
    harmless = _harmless(session, model)
    return [
        {
            **row,
            # To the page, a text with choices is one of these or any other.
            "kind": "text" if row["name"] in _OPEN else row["kind"],
            "warning": "" if row["name"] in harmless else row["warning"],
        }
        for row in rows
    ]


def _harmless(session: Session, model: str) -> set[str]:
    """What is set to values of which the warning does not speak."""
    spoken: dict[str, object] = {} if session.voice is None else {"audio": {}}
    said = cautions(model, {**spoken, **session.parameters})
    judged = _JUDGED & session.parameters.keys()
    return {name for name in judged if not any(one.startswith(f"{name}=") for one in said)}


def _exact(value: object) -> object:
    """Whole numbers that a page would round are told as their digits."""
    is_large = isinstance(value, int) and abs(value) > _EXACT_IN_PAGE
    return str(value) if is_large else value
