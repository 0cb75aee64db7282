"""A real kernel, and a page that speaks to it as a browser would, for the tests beside it."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_client.manager import KernelManager

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
TURN_MIME = "application/vnd.cellvoice.turn.v1+json"
GENEROUS_S = 60.0

Message = dict[str, Any]


@dataclass
class Output:
    """One output of a cell, as the page would have it now."""

    data: dict[str, Any]
    display_id: str | None


@dataclass
class Cell:
    """What running a cell has given so far."""

    request: str
    outputs: list[Output] = field(default_factory=list)
    stream: str = ""
    error: list[str] = field(default_factory=list)
    idle: bool = False


class Page:
    """One widget's page: hello, an inbox, and the numbered messages that it sends.

    `bare`: it speaks on a comm of ours, without what widgets put around each message.
    """

    def __init__(self, notebook: Notebook, comm_id: str, name: str, *, bare: bool = False) -> None:
        self.notebook = notebook
        self.comm_id = comm_id
        self.name = name
        self.events: dict[int, tuple[str, Mapping[str, Any], list[bytes]]] = {}
        self.answers: dict[str, Message] = {}
        self.welcomed = False
        self._bare = bare
        self._seq = 0

    def hello(self, *, lab: bool = False) -> None:
        self._post({"kind": "hello", "have": 0, "lab": lab})

    def emit(self, name: str, data: Mapping[str, Any], *buffers: bytes) -> None:
        self._seq += 1
        self._post({"kind": "event", "seq": self._seq, "name": name, "data": data}, buffers)

    def request(self, name: str, data: Mapping[str, Any], *buffers: bytes) -> str:
        self._seq += 1
        request = f"{self.name}.{self._seq}"
        content = {"kind": "request", "seq": self._seq, "id": request, "name": name, "data": data}
        self._post(content, buffers)
        return request

    def named(self, name: str) -> list[Mapping[str, Any]]:
        """The data of every event of that name, in order."""
        return [data for _, (said, data, _) in sorted(self.events.items()) if said == name]

    def sound(self) -> bytes:
        """The sound of every `turn.audio`, in order."""
        found = [b for _, (said, _, b) in sorted(self.events.items()) if said == "turn.audio"]
        return b"".join(b"".join(buffers) for buffers in found)

    def take(self, message: Message, buffers: list[bytes]) -> None:
        if message["kind"] == "event":
            self.events[message["seq"]] = (message["name"], message["data"], buffers)
        elif message.get("page") == self.name:  # a gap is for all pages
            if message["kind"] == "welcome":
                self.welcomed = True
            elif message["kind"] != "ack":
                self.answers[message["id"]] = {**message, "buffers": buffers}

    def _post(self, content: Message, buffers: Any = ()) -> None:
        said = {"v": 1, "page": self.name, **content}
        data = said if self._bare else {"method": "custom", "content": said}
        self.notebook.comm_message(self.comm_id, data, list(buffers))


class Notebook:
    """A kernel with the front end that the flags describe."""

    def __init__(self, folder: str, *, kernel_name: str = "python3") -> None:
        self.manager = KernelManager(kernel_name=kernel_name)
        self.manager.start_kernel(cwd=folder)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=GENEROUS_S)
        self.cells: dict[str, Cell] = {}
        self.comms: dict[str, Mapping[str, Any]] = {}
        self.closed_comms: set[str] = set()
        self.pages: dict[str, list[Page]] = {}
        self._replied: set[str] = set()
        self.subshell = self._make_subshell()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def start(
        self,
        code: str,
        *,
        cell_id: str | None = None,
        subshells: bool = True,
        deleted: Sequence[str] = (),
    ) -> Cell:
        """Run a cell without waiting. No cell id: as nbclient does, with no page at all.

        `deleted` are cells that were deleted, or cut, since the execution before.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        metadata: dict[str, object] = {}
        if cell_id is not None:
            # What JupyterLab 4 sends, besides the metadata of the cell itself.
            metadata = {"trusted": True, "deletedCells": list(deleted), "recordTiming": False}
            metadata["cellId"] = cell_id
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        if cell_id is not None and subshells:
            message["header"]["subshell_id"] = None
        cell = self.cells[message["header"]["msg_id"]] = Cell(message["header"]["msg_id"])
        self.client.shell_channel.send(message)
        return cell

    def run(
        self,
        code: str,
        *,
        cell_id: str | None = None,
        subshells: bool = True,
        deleted: Sequence[str] = (),
    ) -> Cell:
        """Run a cell and wait until it is done. A page that is asked for says hello by itself."""
        cell = self.start(code, cell_id=cell_id, subshells=subshells, deleted=deleted)
        self.until(lambda: cell.idle)
        return cell

    def value(self, expression: str) -> Any:
        """What an expression is worth in the kernel, by way of JSON."""
        cell = self.run(f"import json as _json; print(_json.dumps({expression}))")
        assert not cell.error, cell.error
        return json.loads(cell.stream)

    def page(self, view: str, name: str = "page", *, lab: bool = False) -> Page:
        """Open a page on the newest widget with that view, and wait for its welcome."""

        def newest() -> str | None:
            open_comms = {c: s for c, s in self.comms.items() if c not in self.closed_comms}
            found = [comm for comm, state in open_comms.items() if state.get("view") == view]
            return found[-1] if found else None

        self.until(lambda: newest() is not None)
        return self._open(Page(self, newest() or "", name), lab=lab)

    def frozen_cards(self) -> Page | None:
        """A page that shows frozen cards, as our plugin looks for the kernel; None without."""
        reply = self.client.comm_info("cellvoice.turns", reply=True, timeout=GENEROUS_S)
        found = list(reply["content"]["comms"])
        return self._open(Page(self, found[0], "page", bare=True)) if found else None

    def _open(self, page: Page, *, lab: bool = False) -> Page:
        self.pages.setdefault(page.comm_id, []).append(page)
        page.hello(lab=lab)
        # As a real page does: the first hello may come before the kernel's end of the channel.
        self.until(lambda: page.welcomed, knock=lambda: page.hello(lab=lab))
        return page

    def until(self, done: Callable[[], bool], knock: Callable[[], object] = lambda: None) -> None:
        """Read what the kernel says until something is so; knock where it says nothing."""
        deadline_s = time.monotonic() + GENEROUS_S
        while not done():
            left_s = deadline_s - time.monotonic()
            assert left_s > 0, "the kernel did not get there in time"
            try:
                self._take(self.client.get_iopub_msg(timeout=min(left_s, 0.5)))
            except queue.Empty:
                knock()

    def comm_message(self, comm_id: str, data: Message, buffers: list[bytes]) -> None:
        """As JupyterLab does: by the comm's own subshell where the kernel has them."""
        content = {"comm_id": comm_id, "data": data}
        message = self.client.session.msg("comm_msg", content)
        if self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        self.client.session.send(self.client.shell_channel.socket, message, buffers=buffers)

    def _make_subshell(self) -> str | None:
        about = self.client.kernel_info(reply=True, timeout=GENEROUS_S)
        if "kernel subshells" not in about["content"].get("supported_features", []):
            return None
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=GENEROUS_S)
        found: str | None = reply["content"].get("subshell_id")
        return found

    def _take(self, message: Message) -> None:
        content, kind = message["content"], message["msg_type"]
        if kind == "comm_open":
            self.comms[content["comm_id"]] = content["data"].get("state", {})
        elif kind == "comm_close":
            self.closed_comms.add(content["comm_id"])
        elif kind == "comm_msg" and content["data"].get("method", "custom") == "custom":
            buffers = [bytes(buffer) for buffer in message["buffers"]]
            for page in self.pages.get(content["comm_id"], []):
                page.take(content["data"].get("content", content["data"]), buffers)
        elif kind == "update_display_data":
            self._update(content)
        else:
            cell = self.cells.get(message["parent_header"].get("msg_id", ""))
            if cell is not None:
                self._output(cell, kind, content)

    def _update(self, content: Message) -> None:
        wanted = content["transient"]["display_id"]
        for cell in self.cells.values():
            for output in cell.outputs:
                if output.display_id == wanted:
                    output.data = content["data"]

    def _output(self, cell: Cell, kind: str, content: Message) -> None:
        if kind in ("display_data", "execute_result"):
            display_id = content.get("transient", {}).get("display_id")
            cell.outputs.append(Output(content["data"], display_id))
        elif kind == "stream":
            cell.stream += content["text"]
        elif kind == "error":
            cell.error = content["traceback"]
        elif kind == "status" and content["execution_state"] == "idle":
            self._await_reply(cell)
            cell.idle = True

    def _await_reply(self, cell: Cell) -> None:
        """A page runs its next cell when it has the reply, so a cell is over only then.

        ipykernel 7.0 to 7.3 hangs for good when a request reaches it while it sends a reply.
        """
        deadline_s = time.monotonic() + GENEROUS_S
        while cell.request not in self._replied:
            message = self.client.get_shell_msg(timeout=max(0.0, deadline_s - time.monotonic()))
            self._replied.add(message["parent_header"]["msg_id"])
