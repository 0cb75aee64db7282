"""Ctrl-C and the end of a process while a tool runs, in real processes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest

from .programs import Start, programs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for children there")

WAIT_S = 30.0
# A service in the process itself that calls `work`, and a tool that would work for an hour.
PROGRAM = """
import json, sys, threading, time
import httpx
import cellvoice as cv

class Body(httpx.AsyncByteStream):
    async def __aiter__(self):
        function = {"name": "work", "arguments": "{}"}
        call = {"index": 0, "id": "call_1", "function": function}
        delta = {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        yield b"data: " + json.dumps({"id": "c", **delta}).encode() + b"\\n\\ndata: [DONE]\\n\\n"

class Service(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

working = threading.Event()

def work(context: cv.ToolContext) -> None:
    "Work."
    print("WORKING", flush=True)
    working.set()
    time.sleep(3600)

session = cv.Session("gpt-audio", transport=Service(), journal=False, tools=[work])
"""


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program after `PROGRAM`."""
    with programs(PROGRAM) as started:
        yield started


def test_ctrl_c_ends_the_turn_although_its_tool_can_not_be_ended(start: Start) -> None:
    process = start(
        "turn = session.say('Go.')\n"
        "call = turn.tool_calls[0]\n"
        "print(turn.finish, call.state, call.error, sep='; ', flush=True)\n"
    )
    assert process.stdout is not None and process.stdout.readline() == "WORKING\n"
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate(timeout=WAIT_S)
    assert said == "stopped; failed; stopped by the user; whether it took effect is not known\n"
    # The thread of the tool does not keep the process.
    assert (process.returncode, complaints) == (0, "")


def test_a_process_ends_although_a_tool_works(start: Start) -> None:
    process = start("session.start_turn('Go.')\nworking.wait()\n")
    assert process.stdout is not None and process.stdout.readline() == "WORKING\n"
    _, complaints = process.communicate(timeout=WAIT_S)
    assert (process.returncode, complaints) == (0, "")
