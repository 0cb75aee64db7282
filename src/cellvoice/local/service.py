"""What the engine answers to an HTTP request, without any HTTP library.

The server and the in-process transport both call `Service.answer`, so both say the same bytes.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cellvoice.errors import CellvoiceError

from . import refusals, vocabulary
from .asks import MODELS, Ask, parse_ask
from .engine import Engine
from .faults import Fault, Faults
from .fields import ACTED_ON
from .limits import REQUESTS_PER_MINUTE, Limits, estimated_tokens
from .openapi import description
from .refusals import Refusal
from .streaming import Body, BrokenStream, Pace, Sleep, SoundStream
from .wire import completion, stream

__all__ = ["MAX_BODY_BYTES", "Answer", "Service"]

MAX_BODY_BYTES = 64 * 1024 * 1024
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: `body` is bytes, or a stream that must be closed when it is left early."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Body


class Service:
    """Answers `POST /v1/chat/completions` and `GET /v1/models` as the service does."""

    def __init__(
        self,
        engine: Engine,
        *,
        api_key: str | None,
        pace: Pace = "fast",
        strict: bool = False,
        faults: Sequence[Fault] = (),
        requests_per_minute: int = REQUESTS_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`api_key=None` accepts any caller: only for the transport inside one process.

        `strict` refuses what gpt-audio refuses though the engine could do it.
        """
        self._engine = engine
        self._strict = strict
        self._faults = Faults(faults)
        self._limits = Limits(clock, requests_per_minute)
        self._api_key = api_key
        self._pace: Pace = pace
        self._clock = clock
        self._sleep = sleep

    async def answer(
        self, method: str, path: str, authorization: str | None, body: bytes
    ) -> Answer:
        """The response to one request; never raises for what the caller sent."""
        started = self._clock()
        more: Mapping[str, str] = {}
        try:
            if (method, path) == ("GET", "/openapi.json"):
                return Answer(200, {"content-type": _JSON}, description())
            self._check_key(authorization)
            # As in the service, a caller that is not known is told of no limits.
            more = {"openai-organization": "org-embedded", "openai-project": "proj_embedded"}
            status, kind, content = await self._routed(method, path, body)
            more = {**more, **self._limits.headers()}
        except Refusal as refusal:
            status, kind, content = refusal.status, _JSON, refusal.body()
            more = {**more, **(self._limits.headers() if more else {}), **refusal.headers}
        headers = {
            "content-type": kind,
            "openai-version": "2020-10-01",
            "openai-processing-ms": str(round((self._clock() - started) * 1000)),
            "x-request-id": f"req_{secrets.token_hex(16)}",
            **more,
        }
        return Answer(status, headers, content)

    async def _routed(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes | Body]:
        where = path.rstrip("/")
        if where == "/v1/chat/completions":
            _only("POST", method, path)
            if len(body) > MAX_BODY_BYTES:
                raise refusals.too_large(MAX_BODY_BYTES // 1024**2)
            return await self._completed(body)
        if where == "/v1/models":
            _only("GET", method, path)
            return 200, _JSON, _models()
        if where.startswith("/v1/models/"):
            _only("GET", method, path)
            return 200, _JSON, _model(where.removeprefix("/v1/models/"))
        if where in vocabulary.PATHS:
            _only(vocabulary.PATHS[where], method, path)
            tokenizer = self._engine.tokenizer
            if method == "GET":
                return 200, _JSON, vocabulary.described(tokenizer)
            return 200, _JSON, vocabulary.tokenized(body, tokenizer)
        raise refusals.bad_url(method, path)

    async def _completed(self, body: bytes) -> tuple[int, str, bytes | Body]:
        refusal = self._faults.refusal()
        if refusal is not None:
            raise refusal
        engine = self._engine
        ask = await asyncio.to_thread(
            parse_ask, body, engine.earlier, self._strict, vocabulary_size=len(engine.tokenizer)
        )
        self._limits.take(ask.model, estimated_tokens(ask.messages))
        if ask.stream:
            return 200, "text/event-stream; charset=utf-8", await self._streamed(ask)
        try:
            return 200, _JSON, await asyncio.to_thread(completion, self._engine, ask)
        except CellvoiceError as error:
            raise refusals.engine_failed(str(error)) from error

    async def _streamed(self, ask: Ask) -> Body:
        sound = SoundStream(stream(self._engine, ask), self._pace, self._clock, self._sleep)
        await sound.begin()
        fault = self._faults.in_stream()
        return sound if fault is None else BrokenStream(sound, fault, self._sleep)

    def _check_key(self, authorization: str | None) -> None:
        if self._api_key is None:
            return
        kind, _, key = (authorization or "").partition(" ")
        given = key.strip() if kind.lower() == "bearer" else ""
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise refusals.bad_key(given or None)


def _only(allowed: str, method: str, path: str) -> None:
    if method != allowed:
        raise refusals.bad_method(method, path)


def _models() -> bytes:
    return json.dumps({"object": "list", "data": [_row(name) for name in MODELS]}).encode()


def _model(name: str) -> bytes:
    if name not in MODELS:
        raise refusals.unknown_model(name)
    return json.dumps(_row(name)).encode()


def _row(name: str) -> dict[str, object]:
    row = {"id": name, "object": "model", "created": 1_795_392_000, "owned_by": "cellvoice"}
    return {**row, "x_engine": {"acts_on": sorted(ACTED_ON)}}
