"""What the tests of the client share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import httpx_aiohttp
import pytest

from cellvoice.client import Client, ClientOptions, RetryPolicy
from cellvoice.protocol import Request, build_request, user_message

KEY = "sk-proj-abcdefghijklmnop1234"

MakeTransport = Callable[..., httpx.AsyncBaseTransport]
Connect = Callable[..., Client]


@pytest.fixture
def request_to_speak() -> Request:
    return build_request(model="gpt-audio", voice="alloy", messages=[user_message("Say hello.")])


@pytest.fixture
def request_unstreamed() -> Request:
    return build_request(model="m", messages=[user_message("Say hello.")], stream=False)


@pytest.fixture(params=["httpx", "aiohttp"])
def make_transport(request: pytest.FixtureRequest) -> MakeTransport:
    """Both libraries that the bytes may go through; what the user reads must not tell which."""
    if request.param == "aiohttp":
        return httpx_aiohttp.AiohttpTransport
    return httpx.AsyncHTTPTransport


@pytest.fixture
async def connect(make_transport: MakeTransport) -> AsyncIterator[Connect]:
    """Make a client over either library; it gives up at once, unless `retry` or options differ."""
    made: list[Client] = []

    def connect(
        base_url: str, key: str | None = KEY, *, retry: RetryPolicy | None = None, **options: Any
    ) -> Client:
        client = Client(
            base_url,
            key,
            make_transport(),
            options=ClientOptions.of(**options),
            retry=retry or RetryPolicy(max_retries=0),
        )
        made.append(client)
        return client

    yield connect
    for client in made:
        await client.aclose()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate that nobody trusts, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("authority")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:api.nowhere.example"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder
