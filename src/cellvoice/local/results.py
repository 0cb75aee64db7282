"""What is said about the results of tools."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from .messages import Message, PastCall

__all__ = ["calls_made", "told"]

_LONGEST = 400  # letters of a result that are said
_ASKED = re.compile(
    r"^\s*(?:and\s+)?(?:what is|what's|how much is|calculate|compute)\s+(.+?)[\s?.!]*$",
    re.IGNORECASE,
)


def calls_made(messages: Sequence[Message]) -> list[tuple[PastCall, str]]:
    """The calls since the newest question, each with the text that its tool gave."""
    made: list[PastCall] = []
    results: dict[str, str] = {}
    for message in reversed(messages):
        if message.role == "user":
            break
        if message.role == "tool":
            results.setdefault(message.call_id, message.text())
        made[:0] = message.calls
    return [(call, results[call.id]) for call in made if call.id in results]


def told(question: str, made: Sequence[tuple[PastCall, str]]) -> list[str]:
    """Ways to say the results, the plainest first."""
    each = [_sentences(question if len(made) == 1 else "", call, text) for call, text in made]
    return [" ".join(ways[at] for ways in each) for at in range(min(map(len, each)))]


def _sentences(question: str, call: PastCall, text: str) -> list[str]:
    text = " ".join(text.split())[:_LONGEST]
    if not text:
        return [f"The tool {_spoken(call.name)} gave nothing.", "There was no result."]
    if text.lower().startswith(("error", "failed")):
        return [f"The tool {_spoken(call.name)} failed: {text.rstrip('.')}."] * 2
    value = _in_words(text)
    asked = _ASKED.match(question)
    about = _arguments(call)
    if value is None:
        return [text if text[-1] in ".!?" else f"{text}."] * 2
    if asked and not text.startswith("{"):
        return [_capital(f"{asked[1]} is {value}."), f"The answer is {value}."]
    if text.startswith("{"):
        return [_capital(f"{about}{value}."), f"The tool {_spoken(call.name)} says: {value}."]
    return [f"The result of {_spoken(call.name)} is {value}.", _capital(f"{about}it is {value}.")]


def _in_words(text: str) -> str | None:
    """A result as part of a sentence, or None for one that is sentences already."""
    try:
        value = json.loads(text)
    except ValueError:
        return None if " " in text else text
    if isinstance(value, dict):
        pairs = [f"the {_spoken(key)} is {_plain(inner)}" for key, inner in value.items()]
        return _joined(pairs) or "nothing"
    return _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return _joined([_plain(inner) for inner in value]) or "an empty list"
    if isinstance(value, dict):
        return _joined([f"{_spoken(k)} {_plain(v)}" for k, v in value.items()]) or "nothing"
    return str(value)


def _arguments(call: PastCall) -> str:
    """`For Paris, ` where the call had a word for an argument."""
    try:
        given = json.loads(call.arguments)
    except ValueError:
        return ""
    words = [v for v in given.values() if isinstance(v, str)] if isinstance(given, dict) else []
    return f"for {words[0]}, " if words else ""


def _joined(parts: list[str]) -> str:
    return (
        parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
    )


def _spoken(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).strip().lower()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
