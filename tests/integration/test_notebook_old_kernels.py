"""The kernels that people still have: nothing hangs, and a turn is asked when its page is heard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip

from .notebook_rig import TURN_MIME, WIDGET_MIME, Cell, Notebook, Page

KERNELS = Path(__file__).parents[2] / ".venv" / "kernels"
BUNDLE = {TURN_MIME, "text/html", "text/plain"}
RATE_HZ = 24_000


@pytest.fixture(scope="module", params=["6.31.0", "7.3.0"])
def kernel(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Notebook]:
    """A kernel of an older ipykernel, which `scripts/setup` has put beside the environment's."""
    folder = KERNELS / request.param
    if not folder.is_dir():
        pytest.skip(f"no ipykernel {request.param} in {folder}; scripts/setup brings it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        notebook = Notebook(str(tmp_path_factory.mktemp("notebook")))
    assert notebook.value("__import__('ipykernel').__version__") == request.param
    yield notebook
    notebook.close()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    kernel.run("import cellvoice as cv; session = cv.Session(journal=False)")
    kernel.comms.clear()
    return kernel


def is_old(notebook: Notebook) -> bool:
    """Whether the kernel hears no page while a cell runs."""
    return notebook.subshell is None


def question() -> Clip:
    at = np.arange(RATE_HZ) / RATE_HZ
    return Clip.from_array(0.4 * np.sin(2 * np.pi * 300 * at), RATE_HZ)


def record(page: Page, clip: Clip) -> None:
    pcm = clip.to_pcm16()
    page.emit("record.start", {"take": "take1", "sample_rate_hz": RATE_HZ, "device": ""})
    page.emit("record.frames", {"take": "take1", "start_frame": 0}, pcm)
    page.emit("record.stop", {"take": "take1", "frames": len(pcm) // 2})


def send(notebook: Notebook, page: Page) -> Any:
    request = page.request("send", {"take": "take1"})
    notebook.until(lambda: request in page.answers)
    return page.answers[request]


def only(cell: Cell) -> dict[str, Any]:
    assert cell.error == []
    (output,) = cell.outputs
    return output.data


def test_a_turn_with_a_page_ends_frozen(notebook: Notebook) -> None:
    cell = notebook.start("turn = session.say('Hello')", cell_id="a")
    notebook.until(lambda: bool(cell.outputs))
    assert WIDGET_MIME in cell.outputs[0].data
    # A kernel that hears nobody in the middle of a cell is not to wait for a page, either.
    page = None if is_old(notebook) else notebook.page("card")
    notebook.until(lambda: cell.idle)
    assert set(only(cell)) == BUNDLE
    notebook.until(lambda: set(notebook.comms) <= notebook.closed_comms)
    if page is not None:
        assert page.named("turn.ended")[0]["card"] == only(cell)[TURN_MIME]


def test_the_pad_hears_and_answers_between_cells(notebook: Notebook) -> None:
    cell = notebook.run("session", cell_id="pad")
    assert WIDGET_MIME in only(cell)
    page = notebook.page("pad")
    record(page, question())
    assert send(notebook, page)["kind"] == "result"
    notebook.until(lambda: bool(page.named("turn.ended")))
    assert page.named("turn.ended")[0]["card"]["state"] == "complete"
    assert notebook.value("session.turns[0].input[0].duration_s") == 1.0


def test_listening_waits_where_the_kernel_can_hear_and_else_says_what_to_install(
    notebook: Notebook,
) -> None:
    cell = notebook.start("turn = session.listen()", cell_id="a")
    if is_old(notebook):
        notebook.until(lambda: cell.idle)
        assert cell.stream.startswith("ipykernel 6.31.0 can't hear this page while a cell runs")
        assert "install ipykernel 7.1 or newer" in cell.stream
        assert cell.stream.count("\n") == 1
    page = notebook.page("listen")
    record(page, question())
    assert send(notebook, page)["kind"] == "result"
    notebook.until(lambda: set(cell.outputs[0].data) == BUNDLE)
    notebook.until(lambda: cell.idle)
    assert notebook.value("(turn.finish, len(session.turns))") == ["complete", 1]


def test_awaiting_a_recording_never_hangs(notebook: Notebook) -> None:
    cell = notebook.start("turn = await session.alisten()", cell_id="a")
    if is_old(notebook):
        notebook.until(lambda: cell.idle)
        assert "install ipykernel 7.1 or newer" in cell.stream
    page = notebook.page("listen")
    record(page, question())
    assert send(notebook, page)["kind"] == "result"
    notebook.until(lambda: set(cell.outputs[0].data) == BUNDLE)
    notebook.until(lambda: cell.idle)
    assert cell.error == []


def test_a_frozen_card_asks_for_what_the_file_does_not_hold(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.run("turn = session.say('Hello')", cell_id="a")
    page = notebook.frozen_cards()
    assert page is not None
    older = notebook.value("turn.versions[0].id")
    for name in ("version", "events", "sound"):
        request = page.request(name, {"turn": older})
        notebook.until(lambda request=request: request in page.answers)  # type: ignore[misc]
        assert page.answers[request]["kind"] == "result"
