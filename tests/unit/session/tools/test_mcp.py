"""Tools of a real MCP server process, over its standard input and over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cellvoice.audio import Clip
from cellvoice.errors import CellvoiceError, ConnectionFailed, UsageError
from cellvoice.session.tools._mcp_results import McpImage, McpToolError
from cellvoice.session.tools.declare import ToolArgumentsError, tools_from
from cellvoice.session.tools.mcp_server import McpServer, mcp

SERVER = Path(__file__).resolve().parents[3] / "fixtures" / "mcp" / "server.py"
COMMAND = [sys.executable, str(SERVER)]


def call(server: McpServer, name: str, **arguments: object) -> object:
    tool = next(tool for tool in server.tools() if tool.name == name)
    return asyncio.run(tool.call(tool.validated(arguments), None))


@pytest.fixture(scope="module")
def server() -> Iterator[McpServer]:
    with mcp(COMMAND) as opened:
        yield opened


def test_the_tools_of_a_server_are_tools_like_any_other(server: McpServer) -> None:
    weather, book, *_ = tools_from([server])
    assert weather.definition() == {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Current weather.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "The city."},
                    "unit": {
                        "description": 'null means "C"',
                        "anyOf": [{"type": "string", "enum": ["C", "F"]}, {"type": "null"}],
                    },
                },
                "required": ["city", "unit"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
    assert book.name == "rooms_book" and book.description == "Book a room."


def test_a_call_reaches_the_server_and_its_result_comes_back_as_a_value(server: McpServer) -> None:
    assert call(server, "weather", city="Lyon", unit=None) == {"city": "Lyon", "degrees": 21.5}
    assert call(server, "rooms_book", room=3) == "room 3 is booked"
    assert call(server, "shout", words=["a", "b"]) == "A\nB"
    text, picture, sound = call(server, "show")  # type: ignore[misc]  # a list
    assert text == "Look and listen."
    assert isinstance(picture, McpImage) and picture.data == b"picture"
    assert picture._repr_mimebundle_()["image/png"] == "cGljdHVyZQ=="
    assert isinstance(sound, Clip) and sound.duration_s == pytest.approx(0.01)


def test_what_the_server_does_not_call_read_only_is_taken_to_write(server: McpServer) -> None:
    assert {tool.name: tool.writes for tool in server.tools()}["weather"] is False
    assert {tool.name: tool.writes for tool in server.tools()}["rooms_book"] is True
    assert all(tool.approve is None for tool in server.tools())
    with mcp(COMMAND, approve="auto", only=["weather"], prefix="my_") as other:
        (weather,) = other.tools()
    assert (weather.name, weather.approve) == ("my_weather", "auto")


def test_arguments_are_checked_before_the_server_is_asked(server: McpServer) -> None:
    with pytest.raises(ToolArgumentsError, match="room is string, expected integer"):
        call(server, "rooms_book", room="three")


def test_a_failure_of_the_tool_is_the_server_s_own_words(server: McpServer) -> None:
    with pytest.raises(McpToolError, match="no room is free"):
        call(server, "fail")


def test_the_program_sees_no_variable_that_it_was_not_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")
    with mcp(COMMAND, env={"TOKEN": "t"}) as server:
        seen = call(server, "variables")
        assert isinstance(seen, list) and "TOKEN" in seen and "OPENAI_API_KEY" not in seen
        assert "t" not in repr(server).split()


def test_closing_ends_the_process_and_its_tools_say_so() -> None:
    server = mcp(COMMAND)
    assert not server.running
    pid = call(server, "process")
    assert isinstance(pid, int) and server.running and psutil.pid_exists(pid)
    tools = server.tools()
    server.close()
    server.close()
    assert not server.running and not psutil.pid_exists(pid)
    assert repr(server) == f"<McpServer {Path(sys.executable).name} server.py, not running>"
    with pytest.raises(McpToolError, match="was closed"):
        asyncio.run(tools[0].call({"city": "Lyon"}, None))


def test_a_server_that_ends_by_itself_is_started_again_by_the_next_call(server: McpServer) -> None:
    first = call(server, "process")
    tools = {tool.name: tool for tool in server.tools()}
    with pytest.raises(McpToolError, match="ended before it answered"):
        asyncio.run(tools["die"].call({}, None))
    second = asyncio.run(tools["process"].call({}, None))
    assert isinstance(second, int) and second != first and psutil.pid_exists(second)


def test_the_end_of_the_kernel_is_the_end_of_the_server() -> None:
    program = (
        "import asyncio, sys\n"
        "from cellvoice.session.tools.mcp_server import mcp\n"
        "tools = {tool.name: tool for tool in mcp(sys.argv[1:]).tools()}\n"
        "print(asyncio.run(tools['process'].call({}, None)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *COMMAND], capture_output=True, text=True, check=True
    )
    assert not psutil.pid_exists(int(ran.stdout))
    assert ran.stderr == ""


async def test_it_works_on_the_caller_s_own_loop() -> None:
    async with mcp(COMMAND) as server:
        weather = (await server.atools())[0]
        assert await weather.call({"city": "Lyon"}, None) == {"city": "Lyon", "degrees": 21.5}
    assert not server.running


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server that runs over HTTP, on a port of the system's choice."""
    process = subprocess.Popen([*COMMAND, "0"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if "running on" in line)
        yield next(word for word in line.split() if word.startswith("http")) + "/mcp"
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()


def test_a_server_that_runs_is_reached_by_its_address(address: str) -> None:
    with mcp(url=address, headers={"Authorization": "Bearer secret"}, only=["weather"]) as server:
        assert call(server, "weather", city="Lyon") == {"city": "Lyon", "degrees": 21.5}
        assert repr(server) == f"<McpServer {address}: weather>"


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (["/no/such/program"], "did not start .FileNotFoundError"),
        ([sys.executable, "-c", "import sys; sys.exit('sorry')"], "Its last words: sorry"),
    ],
)
def test_a_program_that_is_no_server_is_told_with_its_last_words(
    program: list[str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        mcp(program).tools()


def test_a_program_that_says_nothing_is_given_up_and_ended() -> None:
    silent = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(ConnectionFailed, match=r"within 0.3 s; cv.mcp\(…, timeout_s=…\)"):
        mcp(silent, timeout_s=0.3).tools()
    assert {child.pid for child in psutil.Process().children()} <= before


def test_an_address_with_nobody_there_is_a_failed_connection() -> None:
    with pytest.raises(ConnectionFailed, match="there is no MCP server at http://127.0.0.1:9/mcp"):
        mcp(url="http://127.0.0.1:9/mcp").tools()


def test_no_secret_of_an_address_or_of_a_header_is_shown() -> None:
    at = mcp(url="http://me:pass@127.0.0.1:9/mcp?token=t0", headers={"Authorization": "t1"})
    assert repr(at) == "<McpServer http://127.0.0.1:9/mcp, not running>"
    with pytest.raises(ConnectionFailed) as caught:
        at.tools()
    assert not any(word in str(caught.value) for word in ("pass", "t0", "t1"))


def test_a_tool_that_the_server_has_not_is_refused_with_those_it_has() -> None:
    server = mcp(COMMAND, only=["weather", "whether"])
    with pytest.raises(UsageError, match="has no tool 'whether'; it has: .*weather"):
        server.tools()
    assert not server.running


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(UsageError, match=r"pip install 'cellvoice\[mcp\]'"):
        mcp(COMMAND).tools()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, r"either command=\[…\] or url=…"),
        ({"command": ["a"], "url": "http://127.0.0.1"}, "only one of them"),
        ({"command": "python server.py"}, "expected a list"),
        ({"command": []}, "expected a list"),
    ],
)
def test_a_place_that_is_none_is_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(CellvoiceError, match=sentence):
        mcp(**arguments)  # type: ignore[arg-type]
