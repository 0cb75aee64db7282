"""The list of a server's models."""

from __future__ import annotations

import json
from datetime import date

import pytest

from cellvoice.client import Client
from cellvoice.errors import AuthError, ModelNotFound, ProtocolError
from cellvoice.protocol import ListedModel, error_from_response, models_in

from .rig import Exchange, serving

LIST = {
    "object": "list",
    "data": [
        {"id": "gpt-audio-1.5", "object": "model", "shutdown_date": None},
        {"id": "gpt-audio", "object": "model", "shutdown_date": "2027-01-20"},
    ],
}


async def test_the_list_is_read_with_the_day_on_which_a_model_ends() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("200 OK", json.dumps(LIST).encode())

    async with serving(script) as rig:
        client = Client(rig.base_url, "sk-proj-abcdefghijklmnop1234")
        found = await client.models()
        again = await client.models()
        await client.aclose()
    assert found == again
    assert found == (ListedModel("gpt-audio", date(2027, 1, 20)), ListedModel("gpt-audio-1.5"))
    assert rig.exchanges[0].head.startswith("GET /v1/models HTTP/1.1\r\n")
    assert rig.exchanges[0].header("authorization") == "Bearer sk-proj-abcdefghijklmnop1234"
    assert rig.connections == 1


async def test_a_refusal_is_an_error_like_any_other() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.answer("401 Unauthorized", b'{"error":{"message":"no"}}')

    async with serving(script) as rig:
        client = Client(rig.base_url, "sk-proj-abcdefghijklmnop1234")
        with pytest.raises(AuthError):
            await client.models()
        await client.aclose()


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"data":null}', b'{"data":[1,{"id":2}]}'])
def test_rows_that_name_no_model_count_as_none(body: bytes) -> None:
    assert models_in(body) == ()


def test_a_day_that_is_none_is_not_told() -> None:
    body = b'[{"id":"m","shutdown_date":"soon"}]'
    assert models_in(body) == (ListedModel("m"),)
    with pytest.raises(ProtocolError, match="no JSON"):
        models_in(b"<html>")


@pytest.mark.parametrize(
    "message", ["No endpoints found for x/y.", "Specified model not found", "Unknown model 'x'"]
)
def test_other_servers_words_for_a_missing_model_are_understood(message: str) -> None:
    body = json.dumps({"error": {"message": message, "code": 404}}).encode()
    assert isinstance(error_from_response(404, body, {}, now_s=0.0), ModelNotFound)
