"""The service's language: requests out, bytes in, events, and what a reply used and cost.

Bytes and values only: no sockets, clocks, threads or files.
"""

from __future__ import annotations

from ._fits import misfit
from ._limits import without_lookaround
from ._live_words import LiveWords
from ._nulls import without_added_nulls
from ._strict import NotStrict, strict_form
from .completion import CompletionParser, parse_completion
from .cost import NO_PARTS, CostPart, CostParts, tokens_cost, usage_cost
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
from .logprobs import ReplyLogprobs, ScoredToken, joined_text
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
from .prices import AZURE, FREE, PriceList, Prices, published_prices
from .raw_events import RawEvent, RawEvents, raw_events
from .raw_log import RawLog
from .request import Request, build_request
from .schema import NotAnObject, Schema, schema_of
from .sent_sound import SentSound, json_ready
from .sse import MAX_EVENT_BYTES, SSEDecoder
from .token_rates import (
    NO_TOKENS,
    TOKENS_PER_REQUEST,
    Tokens,
    estimate_text_tokens,
    fields_tokens,
    messages_tokens,
)
from .usage import InputDetails, OutputDetails, Usage
from .words import WordTime, word_times

__all__ = [
    "AZURE",
    "ENGINE_MODEL",
    "FREE",
    "MAX_EVENT_BYTES",
    "MODELS",
    "NO_PARTS",
    "NO_TOKENS",
    "PARAMS",
    "TOKENS_PER_REQUEST",
    "VOICES",
    "AudioChunk",
    "AudioExpiry",
    "AudioStarted",
    "CompletionParser",
    "CostPart",
    "CostParts",
    "EngineNamed",
    "ErrorReceived",
    "Event",
    "FinishReason",
    "Heartbeat",
    "InputDetails",
    "ListedModel",
    "LiveWords",
    "LogprobsChunk",
    "ModelFacts",
    "NoiseGuard",
    "NotAnObject",
    "NotStrict",
    "OtherChoice",
    "OutputDetails",
    "Param",
    "PriceList",
    "Prices",
    "RawEvent",
    "RawEvents",
    "RawLog",
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
    "ScoredToken",
    "SentSound",
    "StreamDone",
    "StreamParser",
    "TextChunk",
    "Tokenize",
    "Tokens",
    "ToolCallChunk",
    "TranscriptChunk",
    "Usage",
    "UsageReceived",
    "WordTime",
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
    "estimate_text_tokens",
    "facts",
    "fields_tokens",
    "fold",
    "joined_text",
    "json_ready",
    "mask_keys",
    "messages_tokens",
    "misfit",
    "models_in",
    "nearest",
    "parse_completion",
    "published_prices",
    "raw_events",
    "schema_of",
    "settings_form",
    "staying_in_voice",
    "strict_form",
    "system_message",
    "tokens_cost",
    "usage_cost",
    "usd_per_second",
    "user_message",
    "value_from_text",
    "with_parameters",
    "without_added_nulls",
    "without_lookaround",
    "word_times",
]
