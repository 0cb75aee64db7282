"""What kind of body an answer has: events, one JSON value, or no reply at all."""

from __future__ import annotations

import httpx

from cellvoice.errors import ProtocolError
from cellvoice.protocol import Request, mask_keys

from ._address import host_of
from ._failures import stream_broken
from ._limits import begun_with

__all__ = ["EVENT_STREAM", "JSON", "is_stream"]

EVENT_STREAM = "text/event-stream"
JSON = "application/json"
# Any other type may have been said without a thought; then the first bytes tell.
_NO_REPLY = ("audio/", "image/", "video/")
_NO_BODY = (204, 205)
_STREAM_BEGINS = (b"data:", b":", b"event:", b"id:", b"retry:")
_MAX_QUOTED_CHARS = 120


async def is_stream(response: httpx.Response, request: Request) -> bool:
    """Whether the body is an event stream: what the server says, else what the body looks like.

    Raises ProtocolError for a body that is no reply, StreamBroken if there is none to look at.
    """
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.status_code in _NO_BODY:
        raise _no_reply(response, f"nothing ({response.status_code})")
    if media == EVENT_STREAM:
        return True
    if media == JSON or media.endswith("+json"):
        return False
    if media == "text/html":
        raise _no_reply(response, "a web page")
    if media.startswith(_NO_REPLY):
        raise _no_reply(response, media[:_MAX_QUOTED_CHARS])
    if "content-encoding" in response.headers:
        return request.streams
    return _looks_like_a_stream(response, await _beginning(response), request)


def _looks_like_a_stream(response: httpx.Response, begins: bytes, request: Request) -> bool:
    text = begins.lstrip(b"\xef\xbb\xbf\r\n\t ")
    if not text:
        return request.streams
    if text.startswith(_STREAM_BEGINS):
        return True
    if text.startswith((b"{", b"[")):
        return False
    if text.startswith(b"<"):
        raise _no_reply(response, "a web page")
    words = " ".join(text[:1_000].decode("utf-8", "replace").split())
    raise _no_reply(response, f"“{mask_keys(words)[:_MAX_QUOTED_CHARS]}”")


async def _beginning(response: httpx.Response) -> bytes:
    try:
        return await begun_with(response)
    except httpx.RequestError as error:
        failed = stream_broken(error, response.request.url)
        failed.__cause__ = error
    raise failed


def _no_reply(response: httpx.Response, what: str) -> ProtocolError:
    return ProtocolError(
        f"the server at {host_of(response.request.url)} answered with {what}, "
        "expected a reply; check base_url, it usually ends in /v1"
    )
