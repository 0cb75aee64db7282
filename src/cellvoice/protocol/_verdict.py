"""What the service said, to the error that says who must act and what to do."""

from __future__ import annotations

import re

import msgspec

from cellvoice.errors import (
    AudioNotFound,
    AuthError,
    BillingError,
    ModelNotFound,
    RateLimited,
    RequestTooLarge,
    ServiceError,
)

__all__ = ["Told", "error_of"]

_AFTER_A_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_BILLING_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
        "billing_not_active",
    }
)
# It comes as a rate limit (429), but no waiting makes the request smaller.
_TOO_LARGE = "request too large"
# What compatible servers say of a model that they don't have; a wrong path has other words.
_OF_MODELS = re.compile(r"\bmodels?\b|\bno endpoints found\b", re.IGNORECASE)


class Told(msgspec.Struct, frozen=True):
    """What the service said, whatever form it said it in; `message` has no keys in it."""

    message: str
    code: str | None = None
    type: str | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None


def error_of(status: int | None, told: Told) -> ServiceError:
    """The error; `status` is None for one that came in the middle of a stream."""
    kind, sentence = _account(status, told) or _request(status, told) or _service(status, told)
    return kind(
        sentence,
        status=status,
        code=told.code,
        param=told.param,
        request_id=told.request_id,
        retry_after_s=told.retry_after_s,
    )


_Verdict = tuple[type[ServiceError], str]


def _account(status: int | None, told: Told) -> _Verdict | None:
    """The account must act: key, money, rate."""
    # After its first sentence the service only links to pages; ours says what to do.
    briefly = _quoted(_AFTER_A_SENTENCE.split(told.message, maxsplit=1)[0])
    meant, where = _meant(status, told), _where(status, told)
    if meant == 401 or told.code == "invalid_api_key":
        return AuthError, (
            f"the service refused the API key{where}: {briefly}; set OPENAI_API_KEY to a "
            "valid key or pass api_key=, OpenAI's are made at https://platform.openai.com/api-keys"
        )
    if {told.code, told.type} & _BILLING_CODES or meant == 402:
        return BillingError, (
            f"the account's money or limit is used up{where}: {briefly}; add credit or "
            "raise the limit at https://platform.openai.com/settings/organization/billing"
        )
    if meant == 429 and not _too_large(status, told):
        when = _when(told.retry_after_s)
        return RateLimited, (
            f"the account's rate limit is reached{where}: {_quoted(told.message)}; "
            f"{when or 'wait a little and ask again'}, or send less at a time"
        )
    return None


def _request(status: int | None, told: Told) -> _Verdict | None:
    """The caller must act, and it is known how."""
    said, where = _quoted(told.message), _where(status, told)
    if told.code == "audio_not_found":
        return AudioNotFound, (
            f"the service no longer has the sound of an earlier reply{where}{_about(told)}; it "
            f"keeps sound for an hour, send the words in its place: “{told.message.strip()}”"
        )
    if told.code == "model_not_found" or (status == 404 and _OF_MODELS.search(told.message)):
        return ModelNotFound, (
            f'the model is not there{where}: {said}; try Session(model="gpt-audio-1.5")'
        )
    if _too_large(status, told):
        return RequestTooLarge, (
            f"the request is too large for the service{where}: {said}; send shorter sound, or "
            "start a new session, whose requests have no earlier turns in them"
        )
    return None


def _service(status: int | None, told: Told) -> _Verdict:
    said, where = _quoted(told.message), _where(status, told)
    if status is None:
        return ServiceError, (
            f"the service failed{where}: {said}; what came before is kept, ask again"
        )
    if status == 404:
        return ServiceError, (
            f"there is nothing at this address{where}: {said}; "
            "check base_url, it usually ends in /v1"
        )
    if status >= 500:
        when = _when(told.retry_after_s)
        return ServiceError, f"the service failed{where}: {said}; {when or 'ask again in a moment'}"
    if status < 400:
        return ServiceError, f"the service points elsewhere{where}: {said}; check base_url"
    said = f"“{told.message.strip()}”"  # ends our sentence, so it keeps its full stop
    return ServiceError, f"the service refused the request{where}{_about(told)}: {said}"


def _meant(status: int | None, told: Told) -> int | None:
    """The HTTP status; in a stream that has begun there can be none, only a number as the code."""
    if status is None and told.code is not None and re.fullmatch(r"[45]\d\d", told.code):
        return int(told.code)
    return status


def _too_large(status: int | None, told: Told) -> bool:
    return _meant(status, told) == 413 or told.message.lower().startswith(_TOO_LARGE)


def _where(status: int | None, told: Told) -> str:
    if status is not None:
        return f" ({status})"
    meant = _meant(None, told)
    return " in the middle of the reply" + (f" ({meant})" if meant else "")


def _about(told: Told) -> str:
    return f" about {told.param!r}" if told.param else ""


def _when(delay_s: float | None) -> str:
    if delay_s is None:
        return ""
    if delay_s < 1:
        return f"ask again in {max(1, round(delay_s * 1000))} ms"
    if delay_s <= 120:
        return f"ask again in {delay_s:.0f} s"
    minutes = round(delay_s / 60)
    if minutes <= 120:
        return f"ask again in {minutes} min"
    return f"ask again in {round(minutes / 60)} hours"


def _quoted(said: str) -> str:
    """The service's words as a part of our sentence."""
    return f"“{said.strip().removesuffix('.')}”"
