"""The table as a settings panel, a magic and a docstring need it."""

from __future__ import annotations

import inspect
import json
from typing import Final, TypeVar

from cellvoice.errors import UsageError
from cellvoice.protocol.models import facts

from ._check import check
from ._table import PARAMS, Param

__all__ = ["form", "value_from_text", "with_parameters"]

T = TypeVar("T")

_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


def form(model: str) -> list[dict[str, object]]:
    """The settings that a panel offers for a model, JSON-ready, in the order of their groups.

    Left out is what another setting says as well: `max_tokens` (the old name of
    `max_completion_tokens`), `modalities` (a voice, or none, says it), and `extra_body`.
    """
    known = facts(model)
    refused = known.refused if known else {}
    # Another service has voices of its own.
    own_voices = known is None
    return [_field(param, param.name in refused, own_voices) for param in _shown()]


def _shown() -> list[Param]:
    return [param for param in PARAMS.values() if param.in_form]


def _field(param: Param, refused: bool, own_voices: bool) -> dict[str, object]:
    free = param.name == "voice" and own_voices
    return {
        "name": param.name,
        "kind": "text" if free else param.kind,
        "low": param.low,
        "high": param.high,
        "choices": None if free or param.choices is None else list(param.choices),
        "default": param.default,
        "text": param.text,
        "warning": param.warning,
        "expected": param.expected,
        "refused": refused,
        "group": param.group,
    }


def value_from_text(name: str, text: str) -> object:
    """The value that a text stands for, by the parameter's kind; "" stands for None, not set.

    `"0.8"` is a number for temperature and a text for a voice. Raises UsageError.
    """
    param = PARAMS.get(name)
    if text == "":
        return None
    if param is None:
        return check(name, text)  # raises, and names the nearest
    return check(name, _read(param, text))


def _read(param: Param, text: str) -> object:
    if param.kind in ("number", "whole"):
        return _number(text)
    if param.kind == "flag":
        word = text.lower()
        return True if word in _TRUE else False if word in _FALSE else text
    # A text may stand for a list or a mapping; a list's only item may be written bare.
    if param.kind == "json" or (param.kind != "text" and text[:1] in ("[", "{")):
        return _json(param.name, text)
    if param.name == "modalities":
        return text.split(",")
    return text


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _json(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        expected = PARAMS[name].expected
        raise UsageError(f"{name}={text!r} is no JSON ({error}), expected {expected}") from None


def with_parameters(described: T) -> T:
    """Add the table to the docstring of a class or function whose keywords they are."""
    lines = (
        f"    {param.name}: {param.text.removesuffix('.')} ({param.expected})."
        for param in PARAMS.values()
    )
    if described.__doc__ is not None:  # with `python -OO` there is none
        told = inspect.cleandoc(described.__doc__)
        described.__doc__ = "\n".join((told, "", "Parameters of the service:", "", *lines, ""))
    return described
