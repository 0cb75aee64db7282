"""The messages of a request, into words, clips and replayed answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

from . import refusals
from .sound import INPUT_FORMATS, decoded

__all__ = ["Earlier", "Lookup", "Message", "parse_messages"]

_ROLES = ("developer", "system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answer that was spoken before and is remembered by its audio id."""

    transcript: str
    audio_tokens: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message: texts and clips in the order given; `earlier` is a replayed spoken answer."""

    role: str
    parts: tuple[str | Clip, ...] = ()
    earlier: Earlier | None = None

    def text(self) -> str:
        """The written words, and those of a replayed answer."""
        written = " ".join(part for part in self.parts if isinstance(part, str))
        return self.earlier.transcript if self.earlier and not written else written


Lookup = Callable[[str], Earlier | None]


def parse_messages(given: Mapping[str, Any], earlier: Lookup) -> tuple[Message, ...]:
    """Check all messages; `earlier` looks up a replayed audio id. Raises Refusal."""
    raw = given.get("messages")
    if raw is None:
        raise refusals.missing("messages")
    if not isinstance(raw, list):
        raise refusals.invalid_type("messages", "an array of objects")
    if not raw:
        raise refusals.Refusal(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            param="messages",
            code="empty_array",
        )
    return tuple(_message(item, index, earlier) for index, item in enumerate(raw))


def _message(item: object, index: int, earlier: Lookup) -> Message:
    where = f"messages[{index}]"
    if not isinstance(item, dict):
        raise refusals.invalid_type(where, "an object")
    role = item.get("role")
    if role in ("tool", "function"):
        raise refusals.unsupported_parameter(f"{where}.role")
    if role not in _ROLES:
        raise refusals.invalid_value(f"{where}.role", role, _ROLES)
    for name, value in item.items():
        if name == "tool_calls" and value:
            raise refusals.unsupported_parameter(f"{where}.tool_calls")
    remembered = _replayed(item, index, earlier) if role == "assistant" else None
    content = item.get("content")
    if content is None:
        if remembered is None and not (role == "assistant" and item.get("refusal")):
            raise refusals.invalid_type(f"{where}.content", "a string or an array of objects")
        return Message(str(role), (), remembered)
    if isinstance(content, str):
        return Message(str(role), (content,), remembered)
    if not isinstance(content, list):
        raise refusals.invalid_type(f"{where}.content", "a string or an array of objects")
    parts = (_part(part, str(role), f"{where}.content[{at}]") for at, part in enumerate(content))
    return Message(str(role), tuple(parts), remembered)


def _replayed(item: Mapping[str, Any], index: int, earlier: Lookup) -> Earlier | None:
    audio = item.get("audio")
    if audio is None:
        return None
    if not isinstance(audio, dict) or not isinstance(audio.get("id"), str):
        raise refusals.missing(f"messages[{index}].audio.id")
    for name in audio:
        if name != "id":
            raise refusals.unknown_parameter(f"messages[{index}].audio.{name}")
    remembered = earlier(audio["id"])
    if remembered is None:
        raise refusals.audio_not_found(audio["id"], index)
    return remembered


def _part(part: object, role: str, where: str) -> str | Clip:
    if not isinstance(part, dict):
        raise refusals.invalid_type(where, "an object")
    kind = part.get("type")
    if kind == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    if kind != "input_audio" or role != "user":
        allowed = ("text", "input_audio") if role == "user" else ("text",)
        raise refusals.invalid_value(f"{where}.type", kind, allowed)
    audio = part.get("input_audio")
    if not isinstance(audio, dict) or not isinstance(audio.get("data"), str):
        raise refusals.missing(f"{where}.input_audio.data")
    format_name = audio.get("format")
    if format_name not in INPUT_FORMATS:
        raise refusals.invalid_value(f"{where}.input_audio.format", format_name, INPUT_FORMATS)
    try:
        return decoded(audio["data"], str(format_name))
    except AudioError as error:
        raise refusals.unsupported_format() from error
