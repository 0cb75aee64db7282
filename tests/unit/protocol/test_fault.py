"""Each failure that the service is known to tell, and who must act on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from cellvoice.errors import (
    AudioNotFound,
    AuthError,
    BillingError,
    CellvoiceError,
    ModelNotFound,
    QuotaError,
    RateLimited,
    RequestTooLarge,
    ServiceError,
)
from cellvoice.protocol import ErrorReceived, StreamParser, error_from_json, error_from_response

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"


def told(status: int, **error: object) -> ServiceError:
    found = error_from_response(status, json.dumps({"error": error}).encode(), {})
    assert isinstance(found, ServiceError)
    return found


INVALID = "invalid_request_error"
# (status, type, code, param, message) as the service writes them, and what they become.
REFUSALS: list[tuple[int, str, str | None, str | None, str, type[CellvoiceError], str]] = [
    (
        400,
        INVALID,
        "invalid_value",
        "model",
        "This model requires that either input content or output modality contain audio.",
        ServiceError,
        "about 'model'",
    ),
    (
        400,
        INVALID,
        None,
        "audio.voice",
        "Invalid value: 'bob'. Supported values are: 'alloy', 'echo'.",
        ServiceError,
        "'alloy', 'echo'",
    ),
    (
        400,
        INVALID,
        "unsupported_value",
        "audio.format",
        "Unsupported value: 'audio.format' does not support 'wav' when stream=true. Supported "
        "values are: 'pcm16'.",
        ServiceError,
        "'pcm16'",
    ),
    (
        400,
        INVALID,
        None,
        None,
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this "
        "model. Learn more about supported models at the Structured Outputs guide: https://x",
        ServiceError,
        "response_format",
    ),
    (
        400,
        INVALID,
        "audio_not_found",
        "content.messages[2].audio.id",
        "Assistant audio audio_67544060dacc8190b5bcc01f9be218e9 not found.",
        AudioNotFound,
        "messages[2]",
    ),
    (
        400,
        INVALID,
        "unsupported_format",
        "messages",
        "This model does not support the format you provided.",
        ServiceError,
        "about 'messages'",
    ),
    (
        400,
        INVALID,
        "invalid_value",
        "messages[3]",
        "Invalid 'messages[3]'. Content blocks are expected to be either text or image_url type.",
        ServiceError,
        "text or image_url",
    ),
    (
        400,
        INVALID,
        "unknown_parameter",
        "response_format.properties",
        "Unknown parameter: 'response_format.properties'.",
        ServiceError,
        "Unknown parameter",
    ),
    (
        400,
        INVALID,
        "empty_array",
        "messages",
        "Invalid 'messages': empty array.",
        ServiceError,
        "empty",
    ),
    (
        403,
        INVALID,
        None,
        None,
        "You are not allowed to request logprobs from this model",
        ServiceError,
        "logprobs",
    ),
    (
        403,
        INVALID,
        "unsupported_country_region_territory",
        None,
        "Country, region, or territory not supported",
        ServiceError,
        "not supported",
    ),
    (
        404,
        INVALID,
        "model_not_found",
        None,
        "The model `x` does not exist or you do not have access to it.",
        ModelNotFound,
        "gpt-audio-1.5",
    ),
    (
        429,
        "tokens",
        "rate_limit_exceeded",
        None,
        "Rate limit reached for gpt-audio on tokens per min (TPM): Limit 30000, Used 29937, "
        "Requested 385. Please try again in 644ms. Visit https://x to learn more.",
        RateLimited,
        "ask again in 644 ms",
    ),
    (
        429,
        "tokens",
        "rate_limit_exceeded",
        None,
        "Request too large for gpt-audio on tokens per min (TPM): Limit 30000, Requested 41232.",
        RequestTooLarge,
        "shorter sound",
    ),
    (
        429,
        "rate_limit_error",
        "slow_down",
        None,
        "Please slow down.",
        RateLimited,
        "wait a little",
    ),
    (
        500,
        "server_error",
        None,
        None,
        "The server had an error while processing your request. Sorry about that!",
        ServiceError,
        "ask again in a moment",
    ),
    (
        503,
        "service_unavailable_error",
        "server_is_overloaded",
        None,
        "The server is overloaded.",
        ServiceError,
        "overloaded",
    ),
]


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row[0]} {row[2]} {row[3]}")
def test_each_refusal_keeps_the_service_s_words_and_says_who_must_act(
    row: tuple[int, str, str | None, str | None, str, type[CellvoiceError], str],
) -> None:
    status, kind_told, code, param, message, kind, says = row
    error = told(status, message=message, type=kind_told, param=param, code=code)
    assert type(error) is kind
    assert (error.status, error.code, error.param) == (status, code, param)
    assert says in str(error)
    assert message.split(". ")[0].removesuffix(".") in str(error)


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    ],
)
def test_each_billing_code_is_the_account_s_matter(code: str) -> None:
    error = told(429, message="You exceeded it.", type="insufficient_quota", code=code)
    assert type(error) is BillingError and isinstance(error, QuotaError)
    assert "settings/organization/billing" in str(error)


def test_the_recorded_refusals_become_their_kinds() -> None:
    entry = json.loads((RECORDED / "error.401-auth.json").read_text())["Entries"][0]
    body = json.dumps(entry["ResponseBody"]).encode()
    assert isinstance(error_from_response(401, body, {}), AuthError)
    for name, status, kind in (
        ("error.404-unknown-model.yaml", 404, ModelNotFound),
        ("error.400-unsupported-parameter.yaml", 400, ServiceError),
    ):
        recording = yaml.safe_load((RECORDED / name).read_text())["interactions"][0]["response"]
        assert type(error_from_response(status, recording["body"].encode(), {})) is kind


@pytest.mark.parametrize(
    "body",
    [
        b"<html><head><title>413 Request Entity Too Large</title></head></html>",
        b'{"error":{"message":"too much","code":"request_too_large"}}',
        b"",
    ],
)
def test_413_may_come_as_a_page_and_is_the_size(body: bytes) -> None:
    error = error_from_response(413, body, {})
    assert type(error) is RequestTooLarge
    assert "<" not in str(error)


def test_azure_s_number_for_a_code_and_its_words_for_a_wait_are_read() -> None:
    message = "Requests have exceeded the rate limit. Please retry after 22 seconds."
    error = told(429, code="429", message=message)
    assert type(error) is RateLimited
    assert error.retry_after_s == 22.0


OPENROUTER = {
    "code": 429,
    "message": "Provider returned error",
    "metadata": {
        "raw": '{"error":{"message":"busy, key sk-proj-abcdefgh12345678"}}',
        "provider_name": "OpenAI",
    },
}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (OPENROUTER["metadata"]["raw"], "(OpenAI: busy, key ***)"),  # type: ignore[index]
        ({"error": {"message": "busy"}}, "(OpenAI: busy)"),
        ({"message": "busy"}, "(OpenAI: busy)"),
        ("plain words", "(OpenAI: plain words)"),
        ("{cut", "(OpenAI: {cut)"),
        (None, "“Provider returned error”"),
    ],
)
def test_what_the_provider_behind_openrouter_said_is_shown_without_keys(
    raw: object, shown: str
) -> None:
    error = told(429, **{**OPENROUTER, "metadata": {"raw": raw, "provider_name": "OpenAI"}})
    assert type(error) is RateLimited and error.code == "429"
    assert shown in str(error)
    assert "sk-proj" not in str(error)


@pytest.mark.parametrize("metadata", ["words", 5, [], {}, {"raw": ["x"]}, {"raw": {"a": 1}}])
def test_a_provider_s_metadata_may_be_anything(metadata: object) -> None:
    error = told(502, code=502, message="Provider returned error", metadata=metadata)
    assert "Provider returned error" in str(error)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        ("lost", ServiceError, "“lost”"),
        ({"message": "lost", "type": "server_error", "code": None}, ServiceError, "“lost”"),
        ({"message": "lost", "code": 502}, ServiceError, "in the middle of the reply (502)"),
        ({"message": "no credit", "code": 402}, BillingError, "add credit"),
        ({"message": "busy", "code": 429}, RateLimited, "(429)"),
        (OPENROUTER, RateLimited, "(OpenAI: busy, key ***)"),
        ({"code": 503}, ServiceError, "no message"),
        (["lost"], ServiceError, "lost"),
        (True, ServiceError, "True"),
    ],
)
def test_an_error_in_the_middle_of_a_stream_may_have_any_form(
    error: object, kind: type[CellvoiceError], says: str
) -> None:
    (event,) = StreamParser().feed(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")
    assert isinstance(event, ErrorReceived)
    assert type(event.error) is kind
    assert says in str(event.error) and "in the middle of the reply" in str(event.error)
    assert event.error.status is None


def test_the_request_id_is_kept() -> None:
    error = error_from_json({"message": "lost"}, "req_7")
    assert isinstance(error, ServiceError) and error.request_id == "req_7"
