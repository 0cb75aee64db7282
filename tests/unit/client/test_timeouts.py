"""Each limit of time has its own error, that names it and says how to change it."""

from __future__ import annotations

import asyncio

import pytest

from cellvoice.client import ClientOptions, Timeouts
from cellvoice.errors import (
    AnswerTimeout,
    CellvoiceError,
    ConnectionFailed,
    IdleTimeout,
    StreamBroken,
    TotalTimeout,
    UsageError,
)
from cellvoice.protocol import Event, Request, StreamDone, TextChunk

from .asking import events_of, failure_of
from .conftest import Connect
from .rig import Exchange, Rig, Script, serving, text_event


async def silent(exchange: Exchange) -> None:
    """Never answer."""
    await exchange.until_hung_up()


async def silent_after_the_head(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.until_hung_up()


async def silent_after_a_word(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.send(text_event("word"))
    await exchange.until_hung_up()


async def endless(exchange: Exchange) -> None:
    """Noise without an end, as fast as it is read."""
    await exchange.start()
    while True:
        await exchange.send(text_event("word"))
        await asyncio.sleep(0.01)


async def silent_in_an_unstreamed_body(exchange: Exchange) -> None:
    await exchange.start(content_type="application/json")
    await exchange.send(b'{"choices":')
    await exchange.until_hung_up()


@pytest.mark.parametrize(
    ("script", "limits", "kind", "branch", "names"),
    [
        (silent, {"first_byte_s": 0.1}, AnswerTimeout, ConnectionFailed, "first_byte_s=…"),
        (silent_after_the_head, {"first_byte_s": 0.6}, IdleTimeout, StreamBroken, "first_byte_s=…"),
        (silent_after_a_word, {"idle_s": 0.1}, IdleTimeout, StreamBroken, "idle_s=…"),
        (silent_in_an_unstreamed_body, {"idle_s": 0.1}, IdleTimeout, StreamBroken, "idle_s=…"),
        (silent, {"total_s": 0.1}, TotalTimeout, StreamBroken, "timeout=seconds"),
        (silent_after_a_word, {"total_s": 0.5}, TotalTimeout, StreamBroken, "timeout=seconds"),
        (endless, {"total_s": 0.5}, TotalTimeout, StreamBroken, "timeout=seconds"),
    ],
)
async def test_a_limit_that_passes_ends_the_exchange_and_the_connection(
    script: Script,
    limits: dict[str, float],
    kind: type[CellvoiceError],
    branch: type[CellvoiceError],
    names: str,
    connect: Connect,
    request_to_speak: Request,
) -> None:
    events: list[Event] = []
    async with serving(script) as rig, asyncio.timeout(10):
        client = connect(rig.base_url, timeout=Timeouts(**limits))
        error = await failure_of(client, request_to_speak, events)
        await rig.hung_up.wait()
    assert type(error) is kind
    assert isinstance(error, branch) and isinstance(error, TimeoutError)
    (limit_s,) = limits.values()
    assert f"{limit_s:g} s" in str(error) and names in str(error)
    assert f"127.0.0.1:{rig.port}" in str(error)
    if script in (silent_after_a_word, endless):
        assert TextChunk("word") in events


async def test_bytes_that_keep_coming_pass_every_idle_limit(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for _ in range(9):
            await exchange.send(b": still here\n\n")
            await asyncio.sleep(0.1)
        await exchange.send(text_event("word") + b"data: [DONE]\n\n")
        await exchange.end()

    async with serving(script) as rig:
        client = connect(rig.base_url, timeout=Timeouts(idle_s=0.6, first_byte_s=5))
        events = await events_of(client, request_to_speak)
    assert events[-1] == StreamDone()


async def test_a_user_s_cancel_is_no_time_out(connect: Connect, request_to_speak: Request) -> None:
    arrived = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        arrived.set()
        await exchange.until_hung_up()

    async with serving(script) as rig, asyncio.timeout(10):
        task = asyncio.create_task(events_of(connect(rig.base_url), request_to_speak))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await rig.hung_up.wait()


@pytest.mark.parametrize("given", [0, -1, float("nan"), float("inf"), True, "10"])
def test_a_time_that_cannot_be_waited_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match="expected seconds above 0"):
        ClientOptions.of(timeout=given)
    with pytest.raises(UsageError, match="idle_s"):
        Timeouts(idle_s=given)  # type: ignore[arg-type]


def test_a_number_is_for_the_whole_exchange_and_none_is_without_limit() -> None:
    assert Timeouts.of(30) == Timeouts(total_s=30)
    assert Timeouts.of(Timeouts(idle_s=None)).idle_s is None


async def test_without_limits_a_reply_still_comes(
    connect: Connect, request_to_speak: Request
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(text_event("word") + b"data: [DONE]\n\n")
        await exchange.end()

    limits = Timeouts(connect_s=None, first_byte_s=None, idle_s=None, total_s=None)
    rig: Rig
    async with serving(script) as rig:
        assert await events_of(connect(rig.base_url, timeout=limits), request_to_speak)
