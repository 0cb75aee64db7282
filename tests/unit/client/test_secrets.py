"""Keys, passwords and own headers go to the server and nowhere else."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator

import httpx
import pytest

from cellvoice.client import Client, ClientOptions, RetryPolicy, Secret
from cellvoice.errors import CellvoiceError, UsageError
from cellvoice.protocol import ErrorReceived, Request

from .asking import events_of, failure_of
from .conftest import KEY, Connect, MakeTransport
from .rig import Exchange, Script, serving, text_event

OWN = "tok-own-0123456789-header"
PASSWORD = "hidden-proxy-password"


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    if error is not None:
        yield error
        yield from chain_of(error.__cause__)
        yield from chain_of(error.__context__)


def all_that_is_shown(error: BaseException) -> str:
    """What a person, a log or a traceback that prints local names could show of an error."""
    shown: list[str] = []
    for one in chain_of(error):
        shown += [str(one), repr(one), repr(one.args), repr(vars(one))]
        if isinstance(one, httpx.RequestError) and one._request is not None:
            shown += [repr(one.request), repr(one.request.headers.raw)]
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown += told.format()
    return "\n".join(shown)


async def hang_up(exchange: Exchange) -> None:
    exchange.cut()
    raise ConnectionError


async def cut_in_the_middle(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.send(text_event("word"))
    exchange.cut()
    raise ConnectionError


async def talk_nonsense(exchange: Exchange) -> None:
    exchange.writer.write(b"nonsense\r\n\r\n")
    await exchange.writer.drain()
    await hang_up(exchange)


async def repeat_what_came(exchange: Exchange) -> None:
    """A refusal that quotes the whole request, as some gateways do."""
    words = f"{KEY[:11]}***{KEY[-4:]} was refused; you sent {exchange.head}"
    body = json.dumps({"error": {"message": words}}).encode()
    await exchange.answer("401 Unauthorized", body)


async def repeat_in_the_middle(exchange: Exchange) -> None:
    await exchange.start()
    words = f"lost {exchange.header('authorization')}"
    await exchange.send(b"data: " + json.dumps({"error": {"message": words}}).encode() + b"\n\n")
    await hang_up(exchange)


async def end_of(client: Client, request: Request) -> CellvoiceError:
    """The error of an exchange, raised or sent. No frame of it knows the server."""
    try:
        *_, last = await events_of(client, request)
    except CellvoiceError as error:
        return error
    assert isinstance(last, ErrorReceived)
    return last.error


@pytest.mark.parametrize(
    "script", [hang_up, cut_in_the_middle, talk_nonsense, repeat_what_came, repeat_in_the_middle]
)
async def test_no_error_shows_a_secret_not_even_in_the_frames_of_libraries(
    script: Script,
    connect: Connect,
    request_to_speak: Request,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(script) as rig:
        client = connect(rig.base_url, headers={"X-Gateway-Token": OWN})
        error = await end_of(client, request_to_speak)
    assert rig.exchanges[0].header("authorization") == f"Bearer {KEY}"
    assert rig.exchanges[0].header("x-gateway-token") == OWN
    shown = all_that_is_shown(error) + caplog.text + repr(client) + repr(vars(client))
    for secret in (KEY, OWN, KEY[-8:]):
        assert secret not in shown
        assert secret.encode() not in pickle.dumps(error)


async def test_a_time_out_shows_no_secret(connect: Connect, request_to_speak: Request) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.until_hung_up()

    async with serving(script) as rig:
        error = await failure_of(connect(rig.base_url, timeout=0.1), request_to_speak)
    assert KEY not in all_that_is_shown(error)


async def test_what_httpx_keeps_of_a_request_has_no_key_in_it(
    make_transport: MakeTransport, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("word") + b"data: [DONE]\n\n")
        await exchange.end()

    kept: list[httpx.Request] = []

    async def keep(response: httpx.Response) -> None:
        kept.append(response.request)

    async with (
        serving(script) as rig,
        httpx.AsyncClient(transport=make_transport(), event_hooks={"response": [keep]}) as own,
    ):
        options = ClientOptions.of(http_client=own, headers={"X-Api-Token": OWN})
        client = Client(rig.base_url, KEY, options=options)
        await events_of(client, request_to_speak)
    assert rig.exchanges[0].header("authorization") == f"Bearer {KEY}"
    assert kept[0].headers["authorization"] == kept[0].headers["x-api-token"] == "***"


async def test_an_error_of_another_library_s_making_keeps_its_frames(
    request_to_speak: Request,
) -> None:
    class Faulty(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise ZeroDivisionError("a fault in a program")

    client = Client(api_key=KEY, transport=Faulty(), retry=RetryPolicy(0))
    with pytest.raises(ZeroDivisionError) as caught:
        await events_of(client, request_to_speak)
    assert any(entry.name == "handle_async_request" for entry in caught.traceback)
    assert KEY not in all_that_is_shown(caught.value)


def refusal_of(make: Callable[[], object]) -> UsageError:
    """The error of something that can't be made, without the frames of who gave the secret."""
    with pytest.raises(UsageError) as caught:
        make()
    return caught.value.with_traceback(caught.tb.tb_next and caught.tb.tb_next.tb_next)


def test_no_repr_and_no_pickle_has_a_secret() -> None:
    options = ClientOptions.of(
        headers={"Authorization": f"Bearer {OWN}", "X-Team": "red"},
        proxy=f"http://me:{PASSWORD}@proxy.example:3128",
    )
    shown = repr(options) + repr(Client("https://models.example/v1", options=options))
    assert OWN not in shown and PASSWORD not in shown and "X-Team" in shown
    for secret in (Secret(KEY), options):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(secret)


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": f"{KEY} with a space"},
        {"base_url": f"https://me:{KEY}@models.example/v1"},
        {"base_url": f"https://models.example/v1?key={KEY}"},
        {"base_url": f"nonsense://me:{KEY}@models.example"},
        {"base_url": f"models.example/v1?key={KEY}"},
        {"base_url": f"https://[{KEY}@models.example"},
    ],
)
def test_what_is_refused_at_once_is_not_quoted(given: dict[str, str]) -> None:
    error = refusal_of(lambda: Client(**given))  # type: ignore[arg-type]
    assert KEY not in all_that_is_shown(error)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Token": f"{KEY}\ntwo"},
        {"X Token": KEY},
        {"X-Token": f"ä{KEY}"},
        {"Content-Length": KEY},
        {"x-token": KEY, "X-Token": KEY},
        {"X-Token": KEY.encode()},
        [("X-Token", KEY)],
    ],
)
def test_headers_that_cannot_be_sent_are_refused_without_their_values(headers: object) -> None:
    error = refusal_of(lambda: ClientOptions.of(headers=headers))
    assert "headers" in str(error)
    assert KEY not in all_that_is_shown(error)


def test_authorization_is_not_given_twice() -> None:
    options = ClientOptions.of(headers={"authorization": f"Bearer {OWN}"})
    with pytest.raises(UsageError, match="give only one"):
        Client(api_key=KEY, options=options)


async def test_an_own_authorization_takes_the_key_s_place_and_is_masked_as_one(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        words = f"no such {exchange.header('authorization')}"
        await exchange.answer("401 Unauthorized", json.dumps({"error": words}).encode())

    async with serving(script) as rig:
        client = connect(rig.base_url, None, headers={"Authorization": f"Token {OWN}"})
        error = await failure_of(client, request_to_speak)
    assert rig.exchanges[0].header("authorization") == f"Token {OWN}"
    assert "there is none" not in str(error)
    assert OWN not in all_that_is_shown(error)


async def test_a_cancelled_exchange_leaves_no_key_on_its_request(
    request_to_speak: Request,
) -> None:
    kept: list[httpx.Request] = []
    sent = asyncio.Event()

    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            kept.append(request)
            assert request.headers["authorization"] == f"Bearer {KEY}"
            sent.set()
            await asyncio.Event().wait()
            raise AssertionError

    client = Client(api_key=KEY, transport=Silent())
    task = asyncio.create_task(events_of(client, request_to_speak))
    await sent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kept[0].headers["authorization"] == "***"
    await client.aclose()
