"""Ctrl-C and the interrupt button, in real processes."""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from .programs import Start, programs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for children there")

WAIT_S = 30.0
# A service in the process itself: the recorded reply, and silence before its last three events.
SERVICE = f"""
import asyncio, httpx, os, pathlib, sys, threading
import cellvoice as cv

EVENTS = pathlib.Path({str(Path(__file__).parents[1] / "fixtures" / "recorded")!r},
                      "gpt-audio-1.5.basic.shortest.sse").read_bytes().split(b"\\n\\n")

class Body(httpx.AsyncByteStream):
    async def __aiter__(self):
        for event in EVENTS[:-4]:
            await asyncio.sleep(0.002)
            yield event + b"\\n\\n"
        print("HELD", flush=True)
        await asyncio.sleep(3600)
    async def aclose(self):
        print("CLOSED", flush=True)
        if SLOW_CLOSE:
            await asyncio.sleep(3600)

class Service(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request):
        headers = {{"content-type": "text/event-stream"}}
        return httpx.Response(200, headers=headers, stream=Body())

SLOW_CLOSE = False
session = cv.Session("gpt-audio-1.5", transport=Service(), journal=sys.argv[1])
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program after `SERVICE`; its journal lies in `tmp_path`."""
    with programs(SERVICE, str(tmp_path)) as started:
        yield started


def wait_for_line(stream: IO[str] | None, line: str) -> None:
    assert stream is not None
    said = stream.readline()
    while said.strip() != line:
        assert said not in ("", "HELD\n"), f"the process never said {line!r}"
        said = stream.readline()


def test_ctrl_c_ends_the_reply_and_the_script_goes_on_with_what_was_heard(start: Start) -> None:
    process = start(
        """
turn = session.say("Hello.")
print(turn.finish, turn.text, turn.clip.duration_s, turn.error)
print(sum(1 for line in open(session.journal_folder / "turns.jsonl") if '"stopped"' in line))
again = session.say("In a script the caller decides.")
print(again.finish)
""",
    )
    wait_for_line(process.stdout, "HELD")
    sent_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    wait_for_line(process.stdout, "CLOSED")
    wait_for_line(process.stdout, "stopped Hello 0.55 None")
    assert time.monotonic() - sent_s < 2.0
    wait_for_line(process.stdout, "1")
    wait_for_line(process.stdout, "HELD")
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=WAIT_S)
    assert rest.splitlines()[-1] == "stopped"
    assert (process.returncode, errors) == (0, "")


def test_a_second_ctrl_c_does_not_wait_for_the_clean_up(start: Start) -> None:
    process = start(
        """
SLOW_CLOSE = True
try:
    session.say("Hello.")
except cv.Stopped as stopped:
    print(stopped, flush=True)
    print(session.turns[0].text, flush=True)
    os._exit(0)
""",
    )
    wait_for_line(process.stdout, "HELD")
    process.send_signal(signal.SIGINT)
    wait_for_line(process.stdout, "CLOSED")
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=WAIT_S)
    assert "closed in the background" in rest and rest.endswith("Hello\n")
    assert (process.returncode, errors) == (0, "")


def test_ctrl_c_in_asyncio_run_ends_the_turn_as_stopped(start: Start) -> None:
    process = start(
        """
try:
    asyncio.run(session.asay("Hello."))
except KeyboardInterrupt:
    print(session.turns[0].finish, session.turns[0].text)
""",
    )
    wait_for_line(process.stdout, "HELD")
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=WAIT_S)
    assert rest.endswith("stopped Hello\n")
    assert (process.returncode, errors) == (0, "")


def test_a_script_that_ends_while_a_turn_runs_keeps_it(start: Start, tmp_path: Path) -> None:
    process = start(
        """
class Held(threading.Event):
    def started(self, turn): pass
    def event(self, turn, event): self.set()
    async def ended(self, turn): print(turn.finish, turn.text, flush=True)
held = Held()
session.start_turn("Hello.", view=held)
held.wait(10)
""",
    )
    rest, errors = process.communicate(timeout=WAIT_S)
    assert "stopped" in rest.splitlines()[-1]
    assert (process.returncode, errors) == (0, "")
    (journal,) = tmp_path.glob("*/turns.jsonl")
    assert '"finish":"stopped"' in journal.read_text()


Kernel = tuple[KernelManager, BlockingKernelClient]


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    manager, client = start_new_kernel(cwd=str(tmp_path), env=dict(os.environ))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def outputs_of(client: BlockingKernelClient, asked: str) -> Iterator[dict[str, object]]:
    """What a cell puts out, until the kernel is idle again."""
    while True:
        try:
            message = client.get_iopub_msg(timeout=WAIT_S)
        except queue.Empty:
            raise AssertionError("the cell does not end") from None
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return
        yield {"type": message["msg_type"], **message["content"]}


def test_the_interrupt_button_ends_a_loop_in_a_cell_with_one_line(kernel: Kernel) -> None:
    manager, client = kernel
    prepare = client.execute(SERVICE.replace("sys.argv[1]", "'journal'"))
    assert [output for output in outputs_of(client, prepare) if output["type"] == "error"] == []
    loop = client.execute('for n in range(3):\n    session.say(f"turn {n}")')
    errors = []
    for output in outputs_of(client, loop):
        if output["type"] == "stream" and "HELD" in str(output["text"]):
            manager.interrupt_kernel()
        elif output["type"] == "error":
            errors.append(output)
    (error,) = errors
    assert error["ename"] == "Stopped"
    traceback = error["traceback"]
    assert isinstance(traceback, list) and len(traceback) == 1
    assert "this cell was interrupted" in traceback[0]
    after = client.execute("print([(turn.finish, turn.text) for turn in session.turns])")
    said = [output["text"] for output in outputs_of(client, after) if output["type"] == "stream"]
    assert said == ["[('stopped', 'Hello')]\n"]
    # The next cell may ask again.
    again = client.execute('turn = session.say("again")')
    kinds = []
    for output in outputs_of(client, again):
        kinds.append(output["type"])
        if output["type"] == "stream" and "HELD" in str(output["text"]):
            manager.interrupt_kernel()
    assert "error" not in kinds
