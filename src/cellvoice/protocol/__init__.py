"""The service's language: requests out, bytes in, events, and what a reply used and cost.

Bytes and values only: no sockets, clocks, threads or files.
"""

from __future__ import annotations

from .completion import CompletionParser, parse_completion
from .events import (
    AudioChunk,
    AudioExpiry,
    AudioStarted,
    EngineNamed,
    ErrorReceived,
    Event,
    FinishReason,
    Heartbeat,
    LogprobsChunk,
    OtherChoice,
    RefusalChunk,
    ReplyStarted,
    StreamDone,
    TextChunk,
    ToolCallChunk,
    TranscriptChunk,
    UsageReceived,
)
from .fault import error_from_json, error_from_response, mask_keys
from .fold import Reply, ReplyToolCall, fold
from .guard import NoiseGuard
from .listing import ListedModel, models_in
from .logprobs import ReplyLogprobs, joined_text
from .messages import (
    STAY_IN_VOICE,
    assistant_audio,
    assistant_text,
    staying_in_voice,
    system_message,
    user_message,
)
from .models import (
    ENGINE_MODEL,
    MODELS,
    VOICES,
    ModelFacts,
    Prices,
    SecondPrice,
    cost_usd,
    estimate_input_tokens,
    facts,
    usd_per_second,
)
from .params import (
    PARAMS,
    Param,
    Tokenize,
    cautions,
    check,
    check_all,
    current_names,
    nearest,
    value_from_text,
    with_parameters,
)
from .params import form as settings_form
from .parse import StreamParser
from .request import Request, build_request
from .schema import NotAnObject, Schema, schema_of
from .sent_sound import SentSound, json_ready
from .sse import MAX_EVENT_BYTES, SSEDecoder
from .usage import InputDetails, OutputDetails, Usage

__all__ = [
    "ENGINE_MODEL",
    "MAX_EVENT_BYTES",
    "MODELS",
    "PARAMS",
    "VOICES",
    "AudioChunk",
    "AudioExpiry",
    "AudioStarted",
    "CompletionParser",
    "EngineNamed",
    "ErrorReceived",
    "Event",
    "FinishReason",
    "Heartbeat",
    "InputDetails",
    "ListedModel",
    "LogprobsChunk",
    "ModelFacts",
    "NoiseGuard",
    "NotAnObject",
    "OtherChoice",
    "OutputDetails",
    "Param",
    "Prices",
    "RefusalChunk",
    "Reply",
    "ReplyLogprobs",
    "ReplyStarted",
    "ReplyToolCall",
    "Request",
    "STAY_IN_VOICE",
    "SSEDecoder",
    "Schema",
    "SecondPrice",
    "SentSound",
    "StreamDone",
    "StreamParser",
    "TextChunk",
    "Tokenize",
    "ToolCallChunk",
    "TranscriptChunk",
    "Usage",
    "UsageReceived",
    "assistant_audio",
    "assistant_text",
    "build_request",
    "cautions",
    "check",
    "check_all",
    "cost_usd",
    "current_names",
    "error_from_json",
    "error_from_response",
    "estimate_input_tokens",
    "facts",
    "fold",
    "joined_text",
    "json_ready",
    "mask_keys",
    "nearest",
    "models_in",
    "parse_completion",
    "schema_of",
    "settings_form",
    "sound_bytes",
    "staying_in_voice",
    "system_message",
    "usd_per_second",
    "user_message",
    "value_from_text",
    "with_parameters",
]
