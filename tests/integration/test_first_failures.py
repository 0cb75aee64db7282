"""What a person meets first when something is missing: one sentence in the cell, and no key."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from .notebook_rig import TURN_MIME, Cell, Notebook

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded"
KEY = "sk-proj-notARealKey1234567890abcdefghij"


class Refusals(BaseHTTPRequestHandler):
    """The service as it refuses: by the first folder of the path, in its recorded words."""

    protocol_version = "HTTP/1.1"
    bodies: ClassVar[dict[str, Any]] = {
        "401": json.loads((RECORDED / "error.401-auth.json").read_text())["Entries"][0][
            "ResponseBody"
        ],
        "404": {"error": {"message": f"No model for {KEY}.", "code": "model_not_found"}},
        "429": {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}},
    }

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status = self.path.split("/")[1]
        body = json.dumps(self.bodies[status]).encode()
        self.send_response(int(status))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The address of a service that refuses everything."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusals)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    notebook = Notebook(str(tmp_path_factory.mktemp("notebook")))
    notebook.run("import cellvoice as cv")
    yield notebook
    notebook.close()


def say(notebook: Notebook, base_url: str) -> Cell:
    code = f"cv.Session(journal=False, api_key={KEY!r}, base_url={base_url!r}).say('Hello')"
    return notebook.run(code)


def told(cell: Cell, state: str = "failed") -> str:
    """The one line of the error, which the card tells as well; the key is in neither."""
    (line,) = cell.error
    (output,) = cell.outputs
    card = output.data[TURN_MIME]
    assert card["state"] == state
    name, _, sentence = line.partition(": ")
    assert (card["error"]["name"], card["error"]["message"]) == (name, sentence)
    assert "\n" not in line
    assert KEY not in repr((cell.outputs, cell.error, cell.stream))
    assert cell.stream == ""
    return line


@pytest.mark.parametrize(
    ("status", "start", "then"),
    [
        ("401", "AuthError: the service refused the API key (401)", "set OPENAI_API_KEY"),
        ("404", "ModelNotFound: the model is not there (404)", 'Session(model="gpt-audio-1.5")'),
        ("429", "BillingError: the account's money or limit is used up (429)", "add credit"),
    ],
)
def test_a_refused_turn_is_one_line_and_a_card_that_says_the_same(
    notebook: Notebook, service: str, status: str, start: str, then: str
) -> None:
    line = told(say(notebook, f"{service}/{status}/v1"))
    assert line.startswith(start)
    assert then in line


def test_no_network_is_one_line_that_names_the_server(notebook: Notebook, service: str) -> None:
    line = told(say(notebook, "http://127.0.0.1:9/v1"))
    assert line == (
        "ConnectionFailed: the server at 127.0.0.1:9 cannot be reached (connection refused); "
        "check the network and base_url, then ask again"
    )


def test_a_wrong_key_does_not_stay_in_the_way(notebook: Notebook, service: str) -> None:
    told(say(notebook, f"{service}/401/v1"))
    cell = notebook.run("cv.Session(journal=False).say('Hello')")
    assert cell.error == []
    assert cell.outputs[0].data[TURN_MIME]["state"] == "complete"


def test_an_engine_that_is_killed_is_one_line_and_the_next_cell_is_answered(
    notebook: Notebook,
) -> None:
    # At the pace at which sound plays, so that most of the reply is still to come.
    notebook.run(
        "import os\n"
        "from cellvoice import local\n"
        "os.environ['CELLVOICE_ENGINE_PACE'] = 'realtime'\n"
        "local.shared_engine().close()\n"
        "class Killer:\n"
        "    def started(self, turn): pass\n"
        "    async def ended(self, turn): pass\n"
        "    def event(self, turn, event):\n"
        "        child = local.shared_engine()._child\n"
        "        if turn.reply.pcm and child.alive():\n"
        "            child.process.kill(); child.process.wait()\n"
        "session = cv.Session(journal=False); unwatch = session.watch(Killer())"
    )
    assert told(notebook.run("session.say('Hello')"), "cut") == (
        "EngineError: the embedded engine ended before the reply was complete; "
        "what came is kept, ask again and it is started anew"
    )
    cell = notebook.run("unwatch(); session.say('Hello again', max_completion_tokens=15)")
    assert cell.error == []
    assert cell.outputs[0].data[TURN_MIME]["state"] == "length"
