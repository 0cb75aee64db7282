"""The parameters of a request: the one table that everything which names a parameter reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from cellvoice.protocol.models import VOICES
from cellvoice.protocol.schema import schema_of

from . import _readers as read
from . import _tools

__all__ = ["PARAMS", "Group", "Kind", "Param"]

Kind = Literal["number", "whole", "flag", "choice", "text", "texts", "json"]
Group = Literal["voice", "sampling", "length", "output", "tools", "service"]

# What can be read here; the service's list has aac, too.
_FORMATS = ("wav", "mp3", "flac", "opus", "pcm16")
_TIERS = ("auto", "default", "flex", "scale", "priority", "fast")


class Param(msgspec.Struct, frozen=True):
    """One parameter: what it may be, what it does in a sentence, what is known of it.

    `default` is the service's own and is never sent. `low`, `high` and `choices` are None where
    they don't apply; a "choice" without limits to its values (a voice, a tool) has the known ones.
    `warning` is what is known to go wrong, `audio_note` what is known of models that speak.
    """

    name: str
    group: Group
    kind: Kind
    expected: str
    read: read.Read
    text: str
    default: object = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    warning: str = ""
    audio_note: str = ""
    # Without it the answer is as honest; so when the service refuses it, it is asked again.
    droppable: bool = False
    # The name that it goes by now.
    renamed_to: str | None = None
    # False for what another parameter says as well, so that a settings panel has it once.
    in_form: bool = True


def _number(name: str, group: Group, low: int, high: int, text: str, **more: Any) -> Param:
    expected = f"a number in {low}…{high}".replace("-", "−")
    return Param(
        name, group, "number", expected, read.number(low, high), text, low=low, high=high, **more
    )


def _flag(name: str, group: Group, text: str, **more: Any) -> Param:
    return Param(name, group, "flag", "True or False", read.flag, text, **more)


def _choice(name: str, group: Group, choices: tuple[str, ...], text: str, **more: Any) -> Param:
    words = ", ".join(map(repr, choices[:-1]))
    return Param(
        name, group, "choice", f"{words} or {choices[-1]!r}", read.one_of(*choices), text,
        choices=choices, **more,
    )  # fmt: skip


def _label(name: str, group: Group, text: str, **more: Any) -> Param:
    expected = "a text of 1 to 128 characters"
    return Param(name, group, "text", expected, read.text(128), text, **more)


_LIMIT: Final[Mapping[str, Any]] = {
    "group": "length",
    "kind": "whole",
    "expected": "a whole number of 1 or more",
    "read": read.whole(1, 2**31),
    "low": 1,
}

_VOICE = (
    Param(
        "voice", "voice", "choice", "a name such as 'alloy', or {'id': 'voice_…'}", read.voice,
        "The voice that answers; without one the answer is written.",
        choices=VOICES,
        audio_note="whether an account may use a voice of its own is not known",
    ),
    Param(
        "format", "voice", "choice", "'wav', 'mp3', 'flac', 'opus', 'pcm16' or 'aac'",
        read.one_of(*_FORMATS, "aac"),
        "How sound comes; in any other than pcm16 the reply comes whole, not while it is spoken.",
        choices=_FORMATS, default="pcm16",
        audio_note="a stream takes pcm16 alone; whether aac is taken at all is not known",
    ),
    Param(
        "modalities", "voice", "texts", "['text'] or ['text', 'audio']", read.modalities,
        "Whether the answer is written or spoken; a voice asks for a spoken one by itself.",
        default=("text",), choices=("text", "audio"), in_form=False,
        audio_note="['text'] needs sound in the question",
    ),
)  # fmt: skip

_SAMPLING = (
    _number(
        "temperature", "sampling", 0, 2, "How freely the model chooses its words and its voice.",
        default=1,
        warning="below 0.6, spoken answers have been endless noise; 0.6 to 1.2 is safe",
        audio_note="0 gave endless noise on an earlier audio model; 0 and 1 are accepted today",
    ),
    _number(
        "top_p", "sampling", 0, 1,
        "Choose only among the likeliest tokens that together have this probability.",
        default=1, audio_note="accepted",
    ),
    _number(
        "frequency_penalty", "sampling", -2, 2,
        "Above 0, tokens become less likely the more often they have occurred.",
        default=0, audio_note="accepted; what it does to the sound is not known",
    ),
    _number(
        "presence_penalty", "sampling", -2, 2,
        "Above 0, tokens that have occurred at all become less likely.",
        default=0, audio_note="accepted; what it does to the sound is not known",
    ),
    Param(
        "seed", "sampling", "whole", "a whole number of 64 bits", read.whole(-(2**63), 2**63 - 1),
        "The same seed and request give the same answer, as far as the service can.",
        droppable=True, audio_note="accepted; whether sound comes out the same is not known",
    ),
    Param(
        "logit_bias", "sampling", "json",
        "a mapping of token ids, or of words that are one token, to numbers in −100…100",
        read.token_biases, "Make tokens likelier or less likely.",
        audio_note="not known",
    ),
)  # fmt: skip

_LENGTH = (
    Param(
        name="max_completion_tokens", **_LIMIT,
        text="The most tokens a reply may have; a second of speech takes 20, its words take more.",
        warning="speech is cut in the middle of a word, and a stream does not say so",
        audio_note="accepted; counts the tokens of sound and of text together",
    ),
    Param(
        name="max_tokens", **_LIMIT, text="The old name of max_completion_tokens.",
        renamed_to="max_completion_tokens", in_form=False,
        audio_note="accepted by older audio models, so it is sent by its new name",
    ),
    Param(
        "stop", "length", "texts", "a string, or a list of 1 to 4 strings", read.stops,
        "Where the text ends; the stop itself is left out.", audio_note="not known",
    ),
)  # fmt: skip

_OUTPUT = (
    Param(
        "response_format", "output", "json",
        "{'type': 'text'}, {'type': 'json_object'} or {'type': 'json_schema', 'json_schema': {…}}",
        _tools.response_format, "The form of a written answer, as the service says it.",
        audio_note="refused in every form but text",
    ),
    Param(
        "schema", "output", "json",
        "a JSON schema, or the class of a pydantic model, dataclass, TypedDict or msgspec Struct",
        schema_of, "The answer is an object of this form, in `turn.parsed`.",
        audio_note="asked for by a function that the model must call",
    ),
    _flag(
        "logprobs", "output", "Return the probability of each token of the text.",
        default=False, droppable=True, audio_note="refused, also for written answers",
    ),
    Param(
        "top_logprobs", "output", "whole", "a whole number in 0…20", read.whole(0, 20),
        "How many other likely tokens to return for each place; sets logprobs.",
        low=0, high=20, droppable=True, audio_note="refused, as logprobs is",
    ),
    Param(
        "n", "output", "whole", "a whole number in 1…128", read.whole(1, 128),
        "How many replies to give; each is paid for, the turn shows the first.",
        default=1, low=1, high=128, audio_note="not known",
    ),
)  # fmt: skip

_TOOLS = (
    Param(
        "tools", "tools", "json", "a list of tools in the service's form", _tools.tools,
        "What the model may call.",
        audio_note="functions work; custom tools and strict ones are not known",
    ),
    Param(
        "tool_choice", "tools", "choice",
        "'none', 'auto', 'required', a tool's name, or the service's form", _tools.tool_choice,
        "Whether the model calls a tool, and which.",
        choices=("none", "auto", "required"), default="auto",
        audio_note="allowed_tools is not known",
    ),
    _flag(
        "parallel_tool_calls", "tools", "Whether several tools may be called at once.",
        default=True, audio_note="accepted",
    ),
)  # fmt: skip

_SERVICE = (
    _flag(
        "store", "service", "Keep the exchange at the service.", default=False,
        audio_note="accepted",
    ),
    Param(
        "metadata", "service", "json",
        "a mapping of up to 16 names (64 characters) to texts (512 characters)", read.metadata,
        "Notes that the service keeps with a stored exchange.", audio_note="needs store=True",
    ),
    _choice(
        "service_tier", "service", _TIERS, "How fast, and at which price, the service works.",
        audio_note="every reply seen says default; other tiers are not known",
    ),
    _label(
        "safety_identifier", "service",
        "Names the end user to the service's abuse checks; use a hash, never a name.",
    ),
    _label(
        "prompt_cache_key", "service", "Brings similar requests to the same cache.",
        droppable=True, audio_note="nothing was ever cached in what was seen",
    ),
    Param(
        "extra_body", "service", "json", "a mapping of further fields of the request",
        read.extra_body,
        "Further fields for other servers, as they are and in place of any of the same name.",
        in_form=False,
    ),
)  # fmt: skip

_GROUPS = (_VOICE, _SAMPLING, _LENGTH, _OUTPUT, _TOOLS, _SERVICE)

PARAMS: Final[Mapping[str, Param]] = MappingProxyType(
    {param.name: param for group in _GROUPS for param in group}
)
