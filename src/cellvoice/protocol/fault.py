"""The service's errors: JSON, HTML or plain text, to one error that says who must act."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cellvoice.errors import AuthError, CellvoiceError, QuotaError, ServiceError

from ._json import NotJSON, decode

__all__ = ["error_from_json", "error_from_response", "mask_keys"]

_MASK: Final = "***"
_KEYS = re.compile(
    r"""
      \b(?:sk|sess|rk|pk)-[\w*…-]{4,}            # a key, or a part of one with stars
    | (?<=key\ provided:\ )\S*[^\s.,;'"]            # what the service quotes, whatever its shape
    | (?<=Bearer\ )[^\s'"]+                        # the header
    | (?<![^\s:'"])[^\s:'"]*?\*{3,}[^\s.,;'"]*     # head and tail with stars between them
    """,
    re.VERBOSE | re.IGNORECASE,
)
_AFTER_A_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_MAX_QUOTED_CHARS = 600
_MAX_HTML_CHARS = 120
_MONEY_STATUS = 402
_BILLING_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
    }
)


def mask_keys(text: str) -> str:
    """The text without anything that looks like a key or a part of one.

    `"Incorrect API key provided: sk-ab***yz."` becomes `"Incorrect API key provided: ***."`.
    """
    return _KEYS.sub(_MASK, text)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the service said, whatever form it said it in; `message` has no keys in it."""

    message: str
    code: str | None = None
    type: str | None = None
    param: str | None = None


def error_from_response(status: int, body: bytes, headers: Mapping[str, str]) -> CellvoiceError:
    """The error that an HTTP answer of 300 or above stands for; the body may be anything."""
    request_id = headers.get("x-request-id") or None
    return _error(status, _told_by_body(status, body), request_id)


def error_from_json(error: object, request_id: str | None = None) -> CellvoiceError:
    """The error in an `error` member of an event in the middle of a stream."""
    return _error(None, _told_by_json(error), request_id)


def _told_by_body(status: int, body: bytes) -> _Told:
    try:
        found: object = decode(body)
    except NotJSON:
        return _Told(_plain_text(status, body))
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict):
        # Some servers leave out the wrapping `error`, some call the message `detail`.
        return _told_by_json(found.get("error", found))
    return _Told(mask_keys(str(found))[:_MAX_QUOTED_CHARS])


def _told_by_json(error: object) -> _Told:
    if not isinstance(error, Mapping):
        return _Told(mask_keys(str(error))[:_MAX_QUOTED_CHARS])
    message = error.get("message") or error.get("detail") or "no message"
    return _Told(
        message=mask_keys(message if isinstance(message, str) else str(message))[
            :_MAX_QUOTED_CHARS
        ],
        # Azure and OpenRouter write the code as a number.
        code=_word(error.get("code")),
        type=_word(error.get("type")),
        param=_word(error.get("param")),
    )


def _plain_text(status: int, body: bytes) -> str:
    text = body[:20_000].decode("utf-8", "replace")
    if "<" not in text[:200]:
        short = mask_keys(" ".join(text.split()))[:_MAX_QUOTED_CHARS]
        return short or f"HTTP {status} without a body"
    title = re.search(r"<(?:title|h1)[^>]*>(.*?)</", text, re.IGNORECASE | re.DOTALL)
    words = html.unescape(re.sub(r"<[^>]*>", " ", title[1])) if title else ""
    named = mask_keys(" ".join(words.split()))[:_MAX_HTML_CHARS]
    return f"a web page ({named}) instead of JSON" if named else "a web page instead of JSON"


def _error(status: int | None, told: _Told, request_id: str | None) -> CellvoiceError:
    kind, sentence = _kind_and_sentence(status, told)
    return kind(sentence, status=status, code=told.code, param=told.param, request_id=request_id)


def _kind_and_sentence(status: int | None, told: _Told) -> tuple[type[ServiceError], str]:
    said = _quoted(told.message)
    # After its first sentence the service only links to pages; ours says what to do.
    briefly = _quoted(_AFTER_A_SENTENCE.split(told.message, maxsplit=1)[0])
    if status == 401 or told.code == "invalid_api_key":
        return AuthError, (
            f"the service refused the API key{_in(status)}: {briefly}; set OPENAI_API_KEY to a "
            "valid key or pass api_key=, keys are made at https://platform.openai.com/api-keys"
        )
    if {told.code, told.type} & _BILLING_CODES or status == _MONEY_STATUS:
        return QuotaError, (
            f"the account's money or limit is used up{_in(status)}: {briefly}; add credit or "
            "raise the limit at https://platform.openai.com/settings/organization/billing"
        )
    if status == 429:
        return QuotaError, (
            f"the account's rate limit is reached{_in(status)}: {said}; "
            "wait a little and ask again, or send less at a time"
        )
    if told.code == "model_not_found":
        return ServiceError, (
            f'the model is not there{_in(status)}: {said}; try Session(model="gpt-audio-1.5")'
        )
    if status == 404:
        return ServiceError, (
            f"there is nothing at this address{_in(status)}: {said}; "
            "check base_url, it usually ends in /v1"
        )
    if status is not None and status >= 500:
        return ServiceError, f"the service failed{_in(status)}: {said}; ask again in a moment"
    if status is None:
        return ServiceError, (
            f"the service failed in the middle of the reply: {said}; "
            "what came before is kept, ask again"
        )
    if status < 400:
        return ServiceError, f"the service points elsewhere{_in(status)}: {said}; check base_url"
    about = f" about {told.param!r}" if told.param else ""
    said = f"“{told.message.strip()}”"  # ends our sentence, so it keeps its full stop
    return ServiceError, f"the service refused the request{_in(status)}{about}: {said}"


def _quoted(said: str) -> str:
    """The service's words as a part of our sentence."""
    return f"“{said.strip().removesuffix('.')}”"


def _in(status: int | None) -> str:
    return "" if status is None else f" ({status})"


def _word(value: object) -> str | None:
    if value is None or isinstance(value, (dict, list, bool)):
        return None
    return str(value)
