"""The service's errors: JSON, HTML or plain text, to one error that says who must act."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from cellvoice.errors import ServiceError

from ._json import NotJSON, decode
from ._verdict import Told, error_of
from .delays import told_delay_s

__all__ = ["error_from_json", "error_from_response", "mask_keys"]

_MASK: Final = "***"
_KEYS = re.compile(
    r"""
      \b(?:sk|sess|rk|pk)-[\w*…-]{4,}            # a key, or a part of one with stars
    | (?<=key\ provided:\ )\S*[^\s.,;'"]            # what the service quotes, whatever its shape
    | (?<=Bearer\ )[^\s'"]+                        # the header
    | (?<=Basic\ )[A-Za-z0-9+/]{8,}={0,2}          # the header, with a name and a password
    | (?<=://)[^\s/@'"]+(?=@)                      # a name and a password in an address
    | (?<![^\s:'"])[^\s:'"]*?\*{3,}[^\s.,;'"]*     # head and tail with stars between them
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAX_QUOTED_CHARS = 600
_MAX_HTML_CHARS = 120
_TOO_MANY = 429


def mask_keys(text: str) -> str:
    """The text without anything that looks like a key or a part of one.

    `"Incorrect API key provided: sk-ab***yz."` becomes `"Incorrect API key provided: ***."`.
    """
    return _KEYS.sub(_MASK, text)


def error_from_response(
    status: int, body: bytes, headers: Mapping[str, str], *, now_s: float = 0.0
) -> ServiceError:
    """The error that an HTTP answer of 300 or above stands for; the body may be anything.

    `now_s` (Unix seconds) is what a date in `retry-after` is taken from.
    """
    told = _told_by_body(status, body)
    # Other refusals also say "try again", but with what is wrong put right.
    words = told.message if status == _TOO_MANY else ""
    told = msgspec.structs.replace(
        told,
        request_id=headers.get("x-request-id") or None,
        retry_after_s=told_delay_s(headers, words, now_s),
    )
    return error_of(status, told)


def error_from_json(error: object, request_id: str | None = None) -> ServiceError:
    """The error in an `error` member of an event in the middle of a stream."""
    return error_of(None, msgspec.structs.replace(_told_by_json(error), request_id=request_id))


def _told_by_body(status: int, body: bytes) -> Told:
    try:
        found: object = decode(body)
    except NotJSON:
        return Told(_plain_text(status, body))
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict):
        # Some servers leave out the wrapping `error`, some call the message `detail`.
        return _told_by_json(found.get("error", found))
    return Told(_short(found))


def _told_by_json(error: object) -> Told:
    if not isinstance(error, Mapping):
        return Told(_short(error))
    message = error.get("message") or error.get("detail") or "no message"
    return Told(
        message=_short(_with_provider(message, error.get("metadata"))),
        # Azure and OpenRouter write the code as a number.
        code=_word(error.get("code")),
        type=_word(error.get("type")),
        param=_word(error.get("param")),
    )


def _with_provider(message: object, metadata: object) -> str:
    """OpenRouter's own message is "Provider returned error"; what that provider said is beside it.

    `raw` is that provider's body, as text or as an object.
    """
    if not isinstance(metadata, Mapping) or not metadata.get("raw"):
        return str(message)
    raw, name = metadata["raw"], _word(metadata.get("provider_name"))
    if isinstance(raw, str):
        with contextlib.suppress(NotJSON):
            raw = decode(raw.encode())
    if isinstance(raw, Mapping):
        raw = raw.get("error", raw)
    if isinstance(raw, Mapping):
        raw = raw.get("message") or raw
    return f"{message} ({name or 'the provider'}: {raw})"


def _short(said: object) -> str:
    return mask_keys(str(said))[:_MAX_QUOTED_CHARS]


def _plain_text(status: int, body: bytes) -> str:
    text = body[:20_000].decode("utf-8", "replace")
    if "<" not in text[:200]:
        short = _short(" ".join(text.split()))
        return short or f"HTTP {status} without a body"
    title = re.search(r"<(?:title|h1)[^>]*>(.*?)</", text, re.IGNORECASE | re.DOTALL)
    words = html.unescape(re.sub(r"<[^>]*>", " ", title[1])) if title else ""
    named = mask_keys(" ".join(words.split()))[:_MAX_HTML_CHARS]
    return f"a web page ({named}) instead of JSON" if named else "a web page instead of JSON"


def _word(value: object) -> str | None:
    if value is None or isinstance(value, (dict, list, bool)):
        return None
    return _short(value)
