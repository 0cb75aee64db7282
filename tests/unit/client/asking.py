"""How the tests ask: for all events, and for the error that came in place of the last."""

from __future__ import annotations

import pytest

from cellvoice.client import Client
from cellvoice.errors import CellvoiceError
from cellvoice.protocol import Event, Request


async def events_of(client: Client, request: Request) -> list[Event]:
    async with client.stream(request) as stream:
        return [event async for event in stream]


async def failure_of(
    client: Client, request: Request, events: list[Event] | None = None
) -> CellvoiceError:
    """The error that ends an exchange; `events` gets what came before it."""
    with pytest.raises(CellvoiceError) as caught:
        async with client.stream(request) as stream:
            async for event in stream:
                if events is not None:
                    events.append(event)
    return caught.value
