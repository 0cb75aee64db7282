"""The messages of a request, into words, clips and replayed answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

from . import refusals
from .sound import INPUT_FORMATS, decoded

__all__ = ["Earlier", "Lookup", "Message", "PastCall", "parse_messages"]

_ROLES = ("developer", "system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answer that was spoken before and is remembered by its audio id."""

    transcript: str
    audio_tokens: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that the assistant asked for; `arguments` is the text it gave."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message: texts and clips in the order given; `earlier` is a replayed spoken answer.

    `calls` are those of an assistant, `call_id` is the call that a tool's message answers.
    """

    role: str
    parts: tuple[str | Clip, ...] = ()
    earlier: Earlier | None = None
    calls: tuple[PastCall, ...] = ()
    call_id: str = ""

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
    messages = tuple(_message(item, index, earlier) for index, item in enumerate(raw))
    _check_answered(messages)
    return messages


def _message(item: object, index: int, earlier: Lookup) -> Message:
    where = f"messages[{index}]"
    if not isinstance(item, dict):
        raise refusals.invalid_type(where, "an object")
    role = item.get("role")
    if role == "function":
        raise refusals.unsupported_parameter(f"{where}.role")
    if role not in _ROLES:
        raise refusals.invalid_value(f"{where}.role", role, _ROLES)
    remembered = _replayed(item, index, earlier) if role == "assistant" else None
    calls = _calls(item, where) if role == "assistant" else ()
    call_id = item.get("tool_call_id") if role == "tool" else ""
    if not isinstance(call_id, str):
        raise refusals.missing(f"{where}.tool_call_id")
    parts = _parts(item, where, str(role))
    if parts is None and not (remembered or calls or (role == "assistant" and item.get("refusal"))):
        raise refusals.invalid_type(f"{where}.content", "a string or an array of objects")
    return Message(str(role), parts or (), remembered, calls, call_id)


def _parts(item: Mapping[str, Any], where: str, role: str) -> tuple[str | Clip, ...] | None:
    """What a message says, or None if it has no content."""
    content = item.get("content")
    if content is None:
        return None
    if isinstance(content, str):
        return (content,)
    if not isinstance(content, list):
        raise refusals.invalid_type(f"{where}.content", "a string or an array of objects")
    return tuple(_part(part, role, f"{where}.content[{at}]") for at, part in enumerate(content))


def _calls(item: Mapping[str, Any], where: str) -> tuple[PastCall, ...]:
    raw = item.get("tool_calls")
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise refusals.invalid_type(f"{where}.tool_calls", "an array of objects")
    calls = []
    for at, call in enumerate(raw):
        place = f"{where}.tool_calls[{at}]"
        if not isinstance(call, dict):
            raise refusals.invalid_type(place, "an object")
        kind = call.get("type")
        if kind not in ("function", "custom"):
            raise refusals.invalid_value(f"{place}.type", kind, ("function", "custom"))
        inner, text = call.get(kind), "arguments" if kind == "function" else "input"
        if not isinstance(inner, dict):
            raise refusals.missing(f"{place}.{kind}")
        if not isinstance(call.get("id"), str):
            raise refusals.missing(f"{place}.id")
        for name in ("name", text):
            if not isinstance(inner.get(name), str):
                raise refusals.missing(f"{place}.{kind}.{name}")
        calls.append(PastCall(call["id"], inner["name"], inner[text]))
    return tuple(calls)


def _check_answered(messages: tuple[Message, ...]) -> None:
    """Every call has its result, and every result its call, as the service demands."""
    open_calls: list[str] = []
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.call_id not in open_calls:
                raise refusals.Refusal(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceding message with 'tool_calls'.",
                    param=f"messages.[{index}].role",
                )
            open_calls.remove(message.call_id)
            continue
        _check_none_open(open_calls)
        open_calls = [call.id for call in message.calls]
    _check_none_open(open_calls)


def _check_none_open(open_calls: list[str]) -> None:
    if open_calls:
        raise refusals.Refusal(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(open_calls)}",
            param="messages",
        )


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
