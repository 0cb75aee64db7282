"""A request's JSON, checked as the service checks it, into what the engine needs to answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

from . import refusals
from .sampler import Sampling
from .sound import INPUT_FORMATS, OUTPUT_FORMATS, decoded
from .voices import VOICE_NAMES

__all__ = ["MODELS", "Ask", "Earlier", "Message", "parse_ask"]

MODELS = ("cellvoice-engine-1", "gpt-audio", "gpt-audio-1.5", "gpt-audio-mini")

# The service's default is 1. A model of a thousand words is worth reading only below that, so
# what the caller did not set is set lower; whatever the caller sets is obeyed.
DEFAULT_TEMPERATURE = 0.4

_ROLES = ("developer", "system", "user", "assistant")
# Parameters that the first form of the engine does not act on, with the values that ask for
# nothing and are therefore no reason to refuse.
_NOT_DONE: Mapping[str, tuple[object, ...]] = {
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "moderation": (),
    "n": (1,),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "presence_penalty": (0,),
    "reasoning_effort": (),
    "response_format": ({"type": "text"},),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "verbosity": (),
    "web_search_options": (),
}
_ACTED_ON = frozenset(
    [
        "audio",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "modalities",
        "model",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
    ]
)
# They change nothing in an answer of the service either.
_WITHOUT_EFFECT = frozenset(
    [
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    ]
)


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


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked request."""

    messages: tuple[Message, ...]
    sampling: Sampling
    speaks: bool
    voice: str = "alloy"
    audio_format: str = "pcm16"
    stream: bool = False
    include_usage: bool = False
    obfuscate: bool = True


def parse_ask(body: bytes, earlier: Callable[[str], Earlier | None]) -> Ask:
    """Check a request's body. Raises Refusal, with the service's words, for anything not done.

    `earlier` looks up an audio id; it gives None when the id is unknown or expired.
    """
    try:
        raw = json.loads(body)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise refusals.bad_json() from error
    if not isinstance(raw, dict):
        raise refusals.bad_json()
    # null means "not set" everywhere in this API.
    given: dict[str, Any] = {name: value for name, value in raw.items() if value is not None}
    _check_model(given)
    _check_names(given)
    speaks, voice, audio_format = _output(given)
    stream = _boolean(given, "stream", False)
    if stream and speaks and audio_format != "pcm16":
        raise refusals.streams_pcm16_only(audio_format)
    options = given.get("stream_options", {})
    if not isinstance(options, dict):
        raise refusals.invalid_type("stream_options", "an object")
    messages = _messages(given, earlier)
    if not speaks and not any(isinstance(p, Clip) for m in messages for p in m.parts):
        raise refusals.needs_audio()
    return Ask(
        messages=messages,
        sampling=_sampling(given),
        speaks=speaks,
        voice=voice,
        audio_format=audio_format,
        stream=stream,
        include_usage=_boolean(options, "include_usage", False),
        obfuscate=_boolean(options, "include_obfuscation", True),
    )


def _check_model(given: Mapping[str, Any]) -> None:
    model = given.get("model")
    if model is None:
        raise refusals.Refusal("you must provide a model parameter")
    if not isinstance(model, str):
        raise refusals.invalid_type("model", "a string")
    if model not in MODELS:
        raise refusals.unknown_model(model)


def _check_names(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name in _NOT_DONE:
            if value not in _NOT_DONE[name]:
                raise refusals.unsupported_parameter(name)
        elif name not in _ACTED_ON and name not in _WITHOUT_EFFECT:
            raise refusals.unknown_parameter(name)


def _output(given: Mapping[str, Any]) -> tuple[bool, str, str]:
    """Whether to speak, in which voice, in which format."""
    modalities = given.get("modalities", ["text"])
    if not isinstance(modalities, list):
        raise refusals.invalid_type("modalities", "an array of strings")
    for name in modalities:
        if name not in ("text", "audio"):
            raise refusals.invalid_value("modalities", name, ("text", "audio"))
    if "audio" not in modalities:
        return False, "alloy", "pcm16"
    if "text" not in modalities:
        raise refusals.invalid_value("modalities", modalities, ("text", "text, audio"))
    audio = given.get("audio")
    if audio is None:
        raise refusals.missing("audio")
    if not isinstance(audio, dict):
        raise refusals.invalid_type("audio", "an object")
    for name in ("voice", "format"):
        if audio.get(name) is None:
            raise refusals.missing(f"audio.{name}")
    voice, audio_format = audio["voice"], audio["format"]
    if voice not in VOICE_NAMES:
        raise refusals.invalid_value("audio.voice", voice, VOICE_NAMES)
    if audio_format not in OUTPUT_FORMATS:
        raise refusals.invalid_value("audio.format", audio_format, OUTPUT_FORMATS)
    return True, str(voice), str(audio_format)


def _sampling(given: Mapping[str, Any]) -> Sampling:
    stop = given.get("stop", [])
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(text, str) for text in stops):
        raise refusals.invalid_type("stop", "a string or an array of strings")
    if len(stops) > 4:
        raise refusals.Refusal(
            f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got an "
            f"array with length {len(stops)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    name = "max_completion_tokens" if "max_completion_tokens" in given else "max_tokens"
    return Sampling(
        temperature=_number(given, "temperature", DEFAULT_TEMPERATURE, 0, 2),
        top_p=_number(given, "top_p", 1.0, 0, 1),
        seed=_integer(given, "seed", -(2**63), 2**63 - 1),
        stop=tuple(stops),
        max_tokens=_integer(given, name, 1, 1_000_000),
    )


def _messages(
    given: Mapping[str, Any], earlier: Callable[[str], Earlier | None]
) -> tuple[Message, ...]:
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


def _message(item: object, index: int, earlier: Callable[[str], Earlier | None]) -> Message:
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


def _replayed(
    item: Mapping[str, Any], index: int, earlier: Callable[[str], Earlier | None]
) -> Earlier | None:
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


def _boolean(given: Mapping[str, Any], name: str, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise refusals.invalid_type(name, "a boolean")
    return value


def _number(given: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refusals.invalid_type(name, "a decimal")
    if not low <= value <= high:
        raise refusals.out_of_range(name, float(value), low, high)
    return float(value)


def _integer(given: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusals.invalid_type(name, "an integer")
    if not low <= value <= high:
        raise refusals.out_of_range(name, value, low, high)
    return value
