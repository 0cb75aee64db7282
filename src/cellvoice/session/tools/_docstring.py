"""What a docstring tells of a function and its parameters: Google, NumPy or reST style."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Docs", "ParameterDoc", "told_by"]

# One of these begins a list of parameters; a docstring without any is only read as text.
_LISTS: Final = re.compile(
    r"^\s*(?:(?:args|arguments|params|parameters|keyword args|keyword arguments|"
    r"other parameters|other args)\s*:?\s*$|:param\b|:parameter\b|:arg\b|:key\b)",
    re.IGNORECASE | re.MULTILINE,
)
_STYLES: Final = ("google", "numpy", "sphinx")


@dataclass(frozen=True, slots=True)
class ParameterDoc:
    """What is said of one parameter; `type_name` is the type in its words, or ""."""

    text: str
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class Docs:
    """A docstring, taken apart: the words about the whole, and those about each parameter."""

    text: str
    parameters: Mapping[str, ParameterDoc] = field(default_factory=dict)


def told_by(docstring: str | None) -> Docs:
    """Take a docstring apart; one that is written in no known style is all text."""
    text = inspect.cleandoc(docstring or "")
    if not _LISTS.search(text):
        return Docs(text)
    # 50 ms to import, so only for docstrings that have something to find.
    from griffe import Docstring, DocstringSectionKind, parse_auto

    # Its warnings are for those who write documentation, not for those who call a model.
    quiet = {style: {"warnings": False} for style in _STYLES}
    sections = parse_auto(Docstring(text), default="google", per_style_options=quiet)  # type: ignore[arg-type]
    words: list[str] = []
    found: dict[str, ParameterDoc] = {}
    for section in sections:
        if section.kind is DocstringSectionKind.text:
            words.append(str(section.value).strip())
        elif section.kind in (
            DocstringSectionKind.parameters,
            DocstringSectionKind.other_parameters,
        ):
            for one in section.value:
                told = " ".join(one.description.split())
                found[one.name.lstrip("*")] = ParameterDoc(told, str(one.annotation or ""))
    return Docs("\n\n".join(filter(None, words)), found)
