"""A request's JSON, checked as the service checks it, into what the engine needs to answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cellvoice.audio import Clip
from cellvoice.protocol import ENGINE_MODEL

from . import refusals
from .fields import boolean, check_names, integer, sampling, wants_logprobs
from .forms import parse_form
from .messages import Lookup, Message, parse_messages
from .sampler import Sampling
from .sound import OUTPUT_FORMATS
from .strict import check_strict
from .tools import Choice, parse_tools
from .voices import VOICE_NAMES

__all__ = ["MODELS", "Ask", "parse_ask"]

MODELS = (ENGINE_MODEL, "gpt-audio", "gpt-audio-1.5", "gpt-audio-mini")


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked request. `model` is the name it was asked for by.

    `schema` is the JSON schema that the answer has to meet, as text.
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    speaks: bool
    voice: str = "alloy"
    audio_format: str = "pcm16"
    stream: bool = False
    include_usage: bool = False
    obfuscate: bool = True
    model: str = ENGINE_MODEL
    choices: int = 1
    logprobs: bool = False
    schema: str | None = None
    tools: Choice = field(default_factory=Choice)


def parse_ask(
    body: bytes, earlier: Lookup, strict: bool = False, *, vocabulary_size: int | None = None
) -> Ask:
    """Check a request's body. Raises Refusal, with the service's words, for anything not done.

    `earlier` looks up an audio id; it gives None when the id is unknown or expired. `strict`
    refuses as well what gpt-audio refuses and the engine could do. Token ids in `logit_bias` have
    to be below `vocabulary_size`.
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
    check_names(given)
    speaks, voice, audio_format = _output(given)
    stream = boolean(given, "stream", False)
    if stream and speaks and audio_format != "pcm16":
        raise refusals.streams_pcm16_only(audio_format)
    options = given.get("stream_options", {})
    if not isinstance(options, dict):
        raise refusals.invalid_type("stream_options", "an object")
    messages = parse_messages(given, earlier)
    if strict:
        has_clip = any(isinstance(part, Clip) for said in messages for part in said.parts)
        check_strict(given, speaks or has_clip)
    return Ask(
        model=given["model"],
        messages=messages,
        sampling=sampling(given, vocabulary_size),
        speaks=speaks,
        voice=voice,
        audio_format=audio_format,
        stream=stream,
        include_usage=boolean(options, "include_usage", False),
        obfuscate=boolean(options, "include_obfuscation", True),
        choices=integer(given, "n", 1, 128) or 1,
        logprobs=wants_logprobs(given),
        schema=parse_form(given, messages),
        tools=parse_tools(given),
    )


def _check_model(given: Mapping[str, Any]) -> None:
    model = given.get("model")
    if model is None:
        raise refusals.Refusal("you must provide a model parameter")
    if not isinstance(model, str):
        raise refusals.invalid_type("model", "a string")
    if model not in MODELS:
        raise refusals.unknown_model(model)


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
        raise refusals.no_such_sound(audio_format, OUTPUT_FORMATS)
    return True, str(voice), str(audio_format)
