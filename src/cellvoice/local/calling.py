"""Which tools a question calls for: words in common with a tool's name and description."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .numerals import numerals
from .tools import ToolSpec
from .words import content_words, stem

__all__ = ["Wish", "nearest", "wishes"]

# A tool is called by two hits in its description, or one in its name.
_ENOUGH = 2.0
_NAME_HIT, _TEXT_HIT, _NUMBERS_FIT = 2.0, 1.0, 0.5
_MOST_TEXT = 2.0
_MOST_LETTERS = 1_000  # of a question that are looked at: its end
_PARTS = re.compile(
    r"\s*(?:[;?!.]\s+|,\s*and\s+|,\s+|\band then\b|\bthen\b|\band\b)\s*", re.IGNORECASE
)
# People say `times` and programs say `multiply`: words that mean one thing to a tool.
_SAME = (
    "multiply multiplied product times multiplication x",
    "add plus sum addition total",
    "subtract minus difference subtraction",
    "divide divided quotient division over",
    "calculate compute calculator arithmetic evaluate times plus minus divided",
    "weather forecast temperature rain sunny",
    "light lamp bulb lights",
    "timer alarm countdown remind reminder",
    "search find lookup look",
    "time clock hour",
    "email mail send message",
    "translate translation",
    "play music song",
    "convert conversion",
    "random dice roll",
    "read load open fetch get show",
)
_MEANT: dict[str, set[str]] = {}
for _line in _SAME:
    for _word in _line.split():
        _MEANT.setdefault(stem(_word), set()).update(stem(other) for other in _line.split())


@dataclass(frozen=True, slots=True)
class Wish:
    """A tool to call, and the part of the question that its arguments are copied from."""

    tool: ToolSpec
    text: str


def wishes(question: str, tools: Sequence[ToolSpec]) -> list[Wish]:
    """The calls that `question` asks for, in its order."""
    question = question[-_MOST_LETTERS:]
    whole = _best(question, tools)
    parts = [part for part in _PARTS.split(question) if part.strip()]
    if len(parts) > 1:
        several = _by_parts(parts, tools, whole)
        if len(several) > 1:
            return several
    return [Wish(whole, question)] if whole is not None else []


def nearest(question: str, tools: Sequence[ToolSpec]) -> Wish:
    """The tool that fits best, however badly: one of them has to be called."""
    return Wish(max(tools, key=lambda tool: _score(question, tool)), question)


def _by_parts(parts: list[str], tools: Sequence[ToolSpec], whole: ToolSpec | None) -> list[Wish]:
    """A call for each part that asks for one; none at all if a part is only half of a question.

    `weather in Paris and in London` are two, `add 17 and 23` is one: its second half has neither a
    word that calls for the tool nor enough numbers for it.
    """
    found: list[Wish] = []
    for part in parts:
        tool = _best(part, tools)
        if tool is not None and _numbers_needed(tool) <= len(numerals(part)):
            found.append(Wish(tool, part))
        elif tool is not None:
            return []
        elif found and _may_repeat(part, found[-1].tool):
            found.append(Wish(found[-1].tool, part))
        elif whole is not None and numerals(part):
            return []
    return found


def _may_repeat(part: str, tool: ToolSpec) -> bool:
    """Whether a part without a verb of its own (`and in London`) asks for the same once more."""
    needed = _numbers_needed(tool)
    if needed:
        return len(numerals(part)) >= needed
    return bool(_properties(tool)) and 0 < len(content_words(part)) <= 3


def _best(text: str, tools: Sequence[ToolSpec]) -> ToolSpec | None:
    scored = [(_score(text, tool), -at) for at, tool in enumerate(tools)]
    score, at = max(scored, default=(0.0, 0))
    return tools[-at] if score >= _ENOUGH else None


def _score(text: str, tool: ToolSpec) -> float:
    asked = {stem(word) for word in content_words(text)}
    if re.search(r"\d\s*[*×x]\s*\d", text):
        asked.add(stem("times"))
    for sign, word in (("+", "plus"), ("/", "divided"), ("÷", "divided")):
        if sign in text:
            asked.add(stem(word))
    meant = asked.union(*(_MEANT.get(word, set()) for word in asked))
    names = {stem(word) for word in content_words(tool.name)}
    described = {stem(word) for word in content_words(tool.description)} - names
    direct = bool(asked & (names | described))
    score = _NAME_HIT * len(meant & names) + min(_MOST_TEXT, _TEXT_HIT * len(asked & described))
    if not direct and not meant & names:
        score += min(_MOST_TEXT, _TEXT_HIT * len(meant & described))
    needed = _numbers_needed(tool)
    if needed and len(numerals(text)) < needed:
        return score / 2
    return score + _NUMBERS_FIT if needed and score else score


def _numbers_needed(tool: ToolSpec) -> int:
    """How many numbers its arguments must have at least."""
    schema = json.loads(tool.parameters)
    required = schema.get("required")
    return sum(
        isinstance(part, dict) and part.get("type") in ("number", "integer")
        for name, part in _properties(tool).items()
        if isinstance(required, list) and name in required
    )


def _properties(tool: ToolSpec) -> dict[str, object]:
    found = json.loads(tool.parameters).get("properties")
    return found if isinstance(found, dict) else {}
