"""A notebook without a kernel: what is displayed, and pages that speak to the widgets."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from cellvoice.notebook._frontend import Hearing
from cellvoice.notebook._place import Here
from cellvoice.session import Cell, Session, run
from cellvoice.widgets import VoiceWidget
from cellvoice.widgets import code as code_module

HEARD = Hearing(page=True, blocking=True, awaiting=True, reason="")
DEAF = Hearing(page=True, blocking=False, awaiting=False, reason="this page can't be heard")


class Outbox(list[dict[str, Any]]):
    """What a page was sent; another thread waits for more of it."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def append(self, message: dict[str, Any]) -> None:
        with self._changed:
            super().append(message)
            self._changed.notify_all()

    def named(self, name: str) -> list[dict[str, Any]]:
        """The data of all such events so far."""
        return [message["data"] for message in self if message.get("name") == name]

    def first(self, name: str) -> dict[str, Any]:
        """Wait for the first such event."""
        return self.at_least(1, name)[0]

    def at_least(self, count: int, name: str) -> list[dict[str, Any]]:
        """Wait for so many such events."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.named(name)) >= count, 10)
            assert came, f"{name} was sent {len(self.named(name))} times, expected {count}"
        return self.named(name)

    def answer(self, request: str) -> dict[str, Any]:
        """Wait for the answer to a request."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: [message for message in self if message.get("id") == request], 10
            )
        assert found, f"{request} was not answered"
        return dict(found[0])

    def until(self, name: str, is_so: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the newest such event is as expected."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: bool(self.named(name)) and is_so(self.named(name)[-1]), 10
            )
            assert came, f"the last {name} is {self.named(name)[-1:]}"


class Notebook:
    """The outputs by display id as they are now, and the widgets in the order they were made."""

    def __init__(self) -> None:
        self.outputs: dict[str, Mapping[str, Any]] = {}
        self.widgets: list[VoiceWidget] = []
        self.sent: dict[VoiceWidget, Outbox] = {}

    @property
    def output(self) -> Mapping[str, Any]:
        """The only output."""
        (found,) = self.outputs.values()
        return found

    def publish(self, data: Mapping[str, Any], transient: Mapping[str, str], **_: object) -> None:
        self.outputs[transient["display_id"]] = data

    def say(self, widget: VoiceWidget, content: dict[str, Any]) -> None:
        """A message of the page, handled when this returns."""
        widget._handle_custom_msg({"v": 1, "page": "p", **content}, [])
        run(turn_of_the_loop())


async def turn_of_the_loop() -> None:
    """What was put on the loop before is done."""


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Notebook:
    found = Notebook()
    (tmp_path / "widget.js").write_text("export default {};")
    (tmp_path / "page.js.gz").write_bytes(gzip.compress(b"the whole module", mtime=0))
    monkeypatch.setattr(code_module, "STATIC", tmp_path)
    monkeypatch.setattr("cellvoice.notebook._slot.publish_display_data", found.publish)
    made = VoiceWidget.__init__

    def make(widget: VoiceWidget, view: Any, **options: Any) -> None:
        made(widget, view, **options)
        found.widgets.append(widget)
        found.sent[widget] = Outbox()

    def send(widget: VoiceWidget, content: dict[str, Any], buffers: object = None) -> None:
        found.sent[widget].append(content)

    monkeypatch.setattr(VoiceWidget, "__init__", make)
    monkeypatch.setattr(VoiceWidget, "send", send)
    return found


@pytest.fixture
def session() -> Iterator[Session]:
    found = Session(api_key="k", journal=False)
    yield found
    found.close()


@pytest.fixture
def where() -> Callable[..., Here]:
    """One run of one cell."""

    def make(
        run: str = "run 1", cell: str = "a", hearing: Hearing = HEARD, deleted: Any = ()
    ) -> Here:
        return Here(run, Cell(cell), hearing, tuple(deleted))

    return make
