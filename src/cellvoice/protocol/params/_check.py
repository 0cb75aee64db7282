"""Parameters checked one by one and together, and turned into the fields of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from cellvoice.errors import UsageError
from cellvoice.protocol.models import facts
from cellvoice.protocol.schema import Schema

from . import _tools
from ._readers import Wrong
from ._table import PARAMS

__all__ = ["Tokenize", "check", "check_all", "current_names", "nearest", "sent_fields"]

# The ids of a text's tokens. It may raise UsageError: then words can't be used.
Tokenize = Callable[[str], Sequence[int]]

# Names that people bring with them, and what they are called here.
_OTHER_NAMES: Final = {
    "max_output_tokens": "max_completion_tokens",
    "stop_sequences": "stop",
    "user": "safety_identifier",
    "functions": "tools",
    "function_call": "tool_choice",
    "audio": "voice",
    "audio_format": "format",
    "stream": "format",
}
# The service has them, for other models than those that speak.
_BY_EXTRA_BODY: Final = frozenset(
    (
        *("moderation", "prediction", "reasoning_effort", "verbosity", "web_search_options"),
        *("prompt_cache_options", "prompt_cache_retention", "stream_options"),
    )
)
# They are not sent under these names: a request says them in another form.
_SAID_OTHERWISE: Final = frozenset({"voice", "format", "modalities", "schema", "extra_body"})


def check(name: str, value: object) -> object:
    """Check one parameter and return it as it is kept, ready to be sent.

    Raises UsageError that names the nearest known parameter, or the range that was expected.
    """
    param = PARAMS.get(name)
    if param is None:
        raise UsageError(_unknown(name))
    try:
        return param.read(value)
    except Wrong as wrong:
        if wrong.args:
            raise UsageError(f"{name}: {wrong}") from None
    except UsageError:
        raise
    except (TypeError, ValueError):
        pass
    raise UsageError(f"{name}={_short(value)}: expected {param.expected}")


def check_all(params: Mapping[str, object], tokenize: Tokenize | None = None) -> dict[str, object]:
    """Check parameters together; None means "not set" and is left out.

    With `tokenize`, words in `logit_bias` are seen to be tokens; they stay words, because which
    tokens they are depends on the model. Raises UsageError.
    """
    for name in params:
        if name not in PARAMS:
            raise UsageError(_unknown(name))
    given = current_names(params)
    checked = {name: check(name, value) for name, value in given.items() if value is not None}
    if checked.get("tools") == []:
        del checked["tools"]  # the service refuses an empty list, which means the same
    if "logit_bias" in checked and tokenize is not None:
        _token_ids(checked["logit_bias"], tokenize)
    if "top_logprobs" in checked and checked.get("logprobs") is False:
        raise UsageError("top_logprobs needs logprobs, which is False; leave one of them out")
    if "schema" in checked and "response_format" in checked:
        raise UsageError("schema and response_format both give the answer's form; leave one out")
    if "tool_choice" in checked and "tools" in checked:
        _tools.check_choice(checked["tool_choice"], checked["tools"])
    return checked


def current_names(params: Mapping[str, object]) -> dict[str, object]:
    """The same with old names replaced. Raises UsageError if old and new name disagree."""
    found = dict(params)
    for old, value in params.items():
        new = PARAMS[old].renamed_to if old in PARAMS else None
        if new is None:
            continue
        del found[old]
        if value is None:
            found.setdefault(new, None)
        elif found.get(new) is None:
            found[new] = value
        elif found[new] != value:
            raise UsageError(
                f"{old}={_short(value)} and {new}={_short(found[new])} differ, and {old} is only "
                f"the old name; leave it out"
            )
    return found


def sent_fields(
    params: Mapping[str, object], model: str, tokenize: Tokenize | None = None
) -> dict[str, object]:
    """Checked parameters as the fields of a request, without those of its sound and `extra_body`.

    Raises UsageError for a choice among tools without tools, and for words in `logit_bias` where
    there is no tokenizer.
    """
    sent = {name: value for name, value in params.items() if name not in _SAID_OTHERWISE}
    if "logit_bias" in sent:
        sent["logit_bias"] = _token_ids(sent["logit_bias"], tokenize)
    if "top_logprobs" in sent:
        sent["logprobs"] = True
    schema = params.get("schema")
    if isinstance(schema, Schema):
        _ask_for(schema, sent, model)
    if "tools" not in sent:
        for name in ("tool_choice", "parallel_tool_calls"):
            if name in sent:
                raise UsageError(f"{name} needs tools, and there are none; leave it out")
    elif "tool_choice" in sent:
        _tools.check_choice(sent["tool_choice"], sent["tools"])
        sent["tool_choice"] = _tools.chosen(sent["tool_choice"], sent["tools"])
    return sent


def _ask_for(schema: Schema, sent: dict[str, object], model: str) -> None:
    known = facts(model)
    if known is None or "response_format" not in known.refused:
        sent["response_format"] = schema.as_response_format()
        return
    # Without structured outputs, the object is the arguments of a function.
    tools = sent.get("tools", [])
    assert isinstance(tools, list)
    if any(name == schema.name for _, name in _tools.tool_names(tools)):
        raise UsageError(
            f"the schema and a tool are both called {schema.name!r}, and {model} gives the object "
            "by calling a function of that name; rename one"
        )
    if sent.get("tool_choice") == "none":
        raise UsageError(
            f"tool_choice='none' forbids what schema= needs: {model} has no structured outputs "
            "and gives the object by calling a function; leave tool_choice out"
        )
    sent["tools"] = [*tools, schema.as_tool()]
    # Beside tools of the user's the model must be free to call one of them first.
    sent.setdefault("tool_choice", "required" if tools else schema.name)


def _token_ids(biases: object, tokenize: Tokenize | None) -> dict[str, object]:
    assert isinstance(biases, Mapping)
    found: dict[str, object] = {}
    for key, bias in biases.items():
        token = key if key.isascii() and key.isdecimal() else str(_token_of(key, tokenize))
        if found.get(token, bias) != bias:
            raise UsageError(f"logit_bias has the token {token} ({key!r}) twice, expected it once")
        found[token] = bias
    return found


def _token_of(word: str, tokenize: Tokenize | None) -> int:
    if tokenize is None:
        raise UsageError(
            f"logit_bias has the word {word!r}, and there is no tokenizer here to find its id; "
            "give token ids"
        )
    ids = list(tokenize(word))
    if len(ids) == 1:
        return ids[0]
    hint = "give their ids one by one"
    if not word.startswith(" ") and len(list(tokenize(f" {word}"))) == 1:
        hint = f"{f' {word}'!r}, with the space that a word has before it in a sentence, is one"
    listed = ", ".join(map(str, ids))
    raise UsageError(
        f"logit_bias has the word {word!r}, which is {len(ids)} tokens ({listed}), expected words "
        f"that are one; {hint}"
    )


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that is most like this one, or None if none is."""
    return next(iter(get_close_matches(name, known, 1, 0.6)), None)


def _unknown(name: str) -> str:
    if name in _BY_EXTRA_BODY:
        return f"{name!r} is no parameter here; extra_body={{{name!r}: …}} sends it as it is"
    near = _OTHER_NAMES.get(name) or nearest(name, list(PARAMS))
    if near is not None:
        return f"unknown parameter {name!r}; did you mean {near!r}?"
    return f"unknown parameter {name!r}, expected one of {', '.join(sorted(PARAMS))}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
