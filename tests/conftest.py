"""For every test: no network but this machine, no key, no settings of whoever runs it."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# As in the engine's own process; read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

TESTS = Path(__file__).resolve().parent
# Read by cellvoice, httpx or Jupyter, and different on every machine.
SETTINGS_OF_THE_MACHINE = (
    "ALL_PROXY",
    "AZURE_OPENAI_API_KEY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


class NetworkClosed(OSError):
    """A test tried to leave this machine."""


def stays_here(host: object) -> bool:
    """Whether a host name or address means this machine."""
    if host is None or host in ("", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def guard_network(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook sees what every library does, however it came by its sockets."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not stays_here(address[0]):
            raise NetworkClosed(f"tests may not reach the network: connect to {address[0]}")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if not stays_here(host) and not is_address(host):
            raise NetworkClosed(f"tests may not reach the network: look up {host!r}")


def is_address(host: object) -> bool:
    """Looking up a literal address asks nobody; connecting to it is what counts."""
    try:
        ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return True


def pytest_configure() -> None:
    # For good: an audit hook can't be removed, and nothing in a test run should need it to be.
    sys.addaudithook(guard_network)
    for name in SETTINGS_OF_THE_MACHINE:
        os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Jupyter and IPython read and write below a temporary folder, not in the user's home.

    So do programs that ask for a temporary folder: what a killed kernel leaves goes with the run's.
    """
    home = tmp_path_factory.mktemp("settings")
    temporary = home / "tmp"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", None)
        for name in (
            "IPYTHONDIR",
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
        ):
            folder = home / name.lower()
            folder.mkdir()
            patch.setenv(name, str(folder))
        yield


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of streams as the service sent them."""
    return TESTS / "fixtures" / "recorded"


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder of spoken questions."""
    return TESTS / "fixtures" / "speech"


@pytest.fixture(scope="session")
def contract() -> Path:
    """The folder of JSON that Python and TypeScript both test against."""
    return TESTS / "contract"
