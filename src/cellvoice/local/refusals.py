"""The service's errors, in its own words: what the engine says when it does not do something."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

__all__ = [
    "Refusal",
    "audio_not_found",
    "bad_json",
    "bad_key",
    "bad_method",
    "bad_url",
    "engine_failed",
    "invalid_type",
    "invalid_value",
    "missing",
    "needs_audio",
    "no_such_sound",
    "out_of_range",
    "streams_pcm16_only",
    "too_large",
    "unknown_model",
    "unknown_parameter",
    "unsupported_format",
    "unsupported_parameter",
]


class Refusal(Exception):
    """An answer with an error: an HTTP status and the service's error body."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self._error = {"message": message, "type": kind, "param": param, "code": code}

    def body(self) -> bytes:
        """`{"error": {...}}`, as the service writes it."""
        return json.dumps({"error": self._error}, indent=2).encode()

    def event(self) -> bytes:
        """The same on one line, for an error inside a stream."""
        return b"data: " + json.dumps({"error": self._error}).encode() + b"\n\n"


def bad_key(key: str | None) -> Refusal:
    """401. The service shows head and tail of the key; short keys are hidden whole."""
    if not key:
        return Refusal(
            "You didn't provide an API key. You need to provide your API key in an Authorization "
            "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). The embedded engine "
            "prints its key as api_key=… when it starts.",
            status=401,
        )
    shown = f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}" if len(key) > 16 else "*" * len(key)
    return Refusal(
        f"Incorrect API key provided: {shown}. "
        "You can find your API key at https://platform.openai.com/account/api-keys.",
        status=401,
        code="invalid_api_key",
    )


def unknown_model(model: str) -> Refusal:
    """404."""
    return Refusal(
        f"The model `{model}` does not exist or you do not have access to it.",
        status=404,
        code="model_not_found",
    )


def bad_url(method: str, path: str) -> Refusal:
    """404 for a path that the engine does not serve."""
    return Refusal(f"Invalid URL ({method} {path})", status=404)


def bad_method(method: str, path: str) -> Refusal:
    """405."""
    return Refusal(f"Not allowed to {method} on {path}.", status=405, code="method_not_supported")


def bad_json() -> Refusal:
    """400 for a body that is no JSON object."""
    return Refusal(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't "
        "using your HTTP library correctly. The API expects a JSON payload.)"
    )


def too_large(limit_mb: int) -> Refusal:
    """413."""
    return Refusal(f"Maximum content size limit of {limit_mb} MB exceeded.", status=413)


def needs_audio() -> Refusal:
    """400: sound neither in nor out."""
    return Refusal(
        "This model requires that either input content or output modality contain audio.",
        param="model",
        code="invalid_value",
    )


def streams_pcm16_only(format_name: str) -> Refusal:
    """400: a container cannot be streamed."""
    return Refusal(
        f"Unsupported value: 'audio.format' does not support '{format_name}' when stream=true. "
        "Supported values are: 'pcm16'.",
        param="audio.format",
        code="unsupported_value",
    )


def no_such_sound(format_name: object, supported: Sequence[str]) -> Refusal:
    """400 for a format of spoken answers. aac is one of the service's that nothing here writes."""
    if format_name != "aac":
        return invalid_value("audio.format", format_name, supported)
    return Refusal(
        "Unsupported value: 'audio.format' does not support 'aac' with this model. "
        f"Supported values are: {_listed(supported)}.",
        param="audio.format",
        code="unsupported_value",
    )


def unsupported_parameter(param: str) -> Refusal:
    """400 for a parameter of the service that the engine does not act on."""
    return Refusal(
        f"Unsupported parameter: '{param}' is not supported with this model.",
        param=param,
        code="unsupported_parameter",
    )


def unknown_parameter(param: str) -> Refusal:
    """400 for a name that the service does not know either."""
    return Refusal(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def missing(param: str) -> Refusal:
    """400."""
    return Refusal(
        f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def invalid_value(param: str, value: object, supported: Sequence[str]) -> Refusal:
    """400 for a value outside a list."""
    return Refusal(
        f"Invalid value: '{value}'. Supported values are: {_listed(supported)}.",
        param=param,
        code="invalid_value",
    )


def invalid_type(param: str, expected: str) -> Refusal:
    """400 for a value of the wrong type."""
    return Refusal(
        f"Invalid type for '{param}': expected {expected}.", param=param, code="invalid_type"
    )


def out_of_range(param: str, value: float, low: float, high: float) -> Refusal:
    """400 for a number outside its range."""
    kind = "integer" if isinstance(value, int) else "decimal"
    side, sign, bound = (
        ("above maximum", "<=", high) if value > high else ("below minimum", ">=", low)
    )
    short = "above_max" if value > high else "below_min"
    return Refusal(
        f"Invalid '{param}': {kind} {side} value. "
        f"Expected a value {sign} {bound:g}, but got {value} instead.",
        param=param,
        code=f"{kind}_{short}_value",
    )


def audio_not_found(audio_id: str, message_index: int) -> Refusal:
    """400: an earlier answer that was never given, or was given more than an hour ago."""
    return Refusal(
        f"Assistant audio {audio_id} not found.",
        param=f"content.messages[{message_index}].audio.id",
        code="audio_not_found",
    )


def unsupported_format() -> Refusal:
    """400: bytes that are not the sound they are said to be."""
    return Refusal(
        "This model does not support the format you provided.",
        param="messages",
        code="unsupported_format",
    )


def engine_failed(reason: str) -> Refusal:
    """500: a part of the engine broke."""
    return Refusal(f"The embedded engine failed: {reason}", status=500, kind="server_error")


def _listed(supported: Sequence[str]) -> str:
    names = [f"'{name}'" for name in supported]
    return " and ".join(names) if len(names) <= 2 else f"{', '.join(names[:-1])}, and {names[-1]}"
