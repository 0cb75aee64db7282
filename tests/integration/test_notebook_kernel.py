"""Cells in a real kernel, with and without a page: what they show, keep, and hear."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cellvoice.audio import Clip

from .notebook_rig import TURN_MIME, WIDGET_MIME, Cell, Notebook, Page

BUNDLE = {TURN_MIME, "text/html", "text/plain"}
RATE_HZ = 24_000


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """One kernel for this file; each test has a session of its own."""
    notebook = Notebook(str(tmp_path_factory.mktemp("notebook")))
    yield notebook
    notebook.close()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    kernel.run("import cellvoice as cv; session = cv.Session(journal=False)")
    kernel.comms.clear()
    return kernel


def question() -> Clip:
    at = np.arange(RATE_HZ) / RATE_HZ
    return Clip.from_array(0.4 * np.sin(2 * np.pi * 300 * at), RATE_HZ)


def record(page: Page, clip: Clip, take: str = "take1") -> None:
    """What the recorder of the page sends: frames of 50 ms."""
    pcm = clip.to_pcm16()
    page.emit("record.start", {"take": take, "sample_rate_hz": clip.sample_rate_hz, "device": ""})
    for start in range(0, len(pcm) // 2, 1_200):
        where = {"take": take, "start_frame": start}
        page.emit("record.frames", where, pcm[start * 2 : (start + 1_200) * 2])
    page.emit("record.stop", {"take": take, "frames": len(pcm) // 2})


def only(cell: Cell) -> dict[str, Any]:
    assert cell.error == []
    (output,) = cell.outputs
    return output.data


def ask(notebook: Notebook, page: Page, name: str, data: dict[str, Any], *buffers: bytes) -> Any:
    request = page.request(name, data, *buffers)
    notebook.until(lambda: request in page.answers)
    return page.answers[request]


def test_without_a_page_a_turn_is_frozen_and_there_is_no_widget(notebook: Notebook) -> None:
    cell = notebook.run("session.say('What is the capital of France?')")
    assert set(only(cell)) == BUNDLE
    assert notebook.comms == {}


def test_with_a_page_a_turn_ends_frozen_and_its_widget_closed(notebook: Notebook) -> None:
    cell = notebook.start("session.say('What is the capital of France?')", cell_id="a")
    notebook.until(lambda: bool(cell.outputs))
    assert WIDGET_MIME in cell.outputs[0].data
    assert set(cell.outputs[0].data) == {WIDGET_MIME, "text/html", "text/plain"}
    notebook.page("card")
    notebook.until(lambda: cell.idle)
    assert set(only(cell)) == BUNDLE
    notebook.until(lambda: set(notebook.comms) <= notebook.closed_comms)
    assert len(notebook.comms) == 2, "the widget and its layout"


def test_a_page_hears_the_whole_reply_of_a_turn_that_is_quickly_over(notebook: Notebook) -> None:
    cell = notebook.start("turn = session.say('What is the capital of France?')", cell_id="a")
    page = notebook.page("card")
    notebook.until(lambda: cell.idle)
    notebook.until(lambda: bool(page.named("turn.ended")))
    assert page.named("turn.started")[0]["card"]["state"] == "running"
    (ended,) = page.named("turn.ended")
    assert ended["card"] == only(cell)[TURN_MIME]
    sound = notebook.value(
        "__import__('base64').b64encode(turn.clip.to_pcm16()).decode()",
    )
    assert page.sound() == base64.b64decode(sound)
    words = "".join(data["text"] for data in page.named("turn.text"))
    assert words == notebook.value("turn.text") == ended["card"]["reply"]["text"]


def test_a_turn_at_the_end_of_its_own_cell_is_not_shown_twice(notebook: Notebook) -> None:
    only(notebook.run("turn = session.say('Hello')\nturn"))
    assert set(only(notebook.run("turn"))) == BUNDLE


def test_a_turn_knows_its_cell(notebook: Notebook) -> None:
    cell = notebook.start("turn = session.say('Hello')", cell_id="0f1e-abc")
    notebook.page("card")
    notebook.until(lambda: cell.idle)
    assert notebook.value("turn.cell.id") == "0f1e-abc"
    notebook.run("turn = session.say('Hello')")
    assert notebook.value("turn.cell") is None


def test_listen_waits_in_the_cell_until_something_was_sent(notebook: Notebook) -> None:
    cell = notebook.start("turn = session.listen()", cell_id="a")
    page = notebook.page("listen")
    record(page, question())
    notebook.until(lambda: bool(page.named("take.ready")))
    assert page.named("take.ready")[0]["sentence"] == ""
    assert not cell.idle
    assert ask(notebook, page, "send", {"take": "take1"})["kind"] == "result"
    notebook.until(lambda: cell.idle)
    assert set(only(cell)) == BUNDLE
    sent = notebook.value("__import__('base64').b64encode(turn.input[0].to_pcm16()).decode()")
    assert base64.b64decode(sent) == question().to_pcm16()
    assert page.named("turn.ended")[0]["card"]["state"] == "complete"


def test_a_take_leaves_the_disk_once_the_journal_has_its_sound(notebook: Notebook) -> None:
    notebook.run("kept = cv.Session(journal='takes_journal')")
    notebook.start("turn = kept.listen()", cell_id="a")
    page = notebook.page("listen")
    record(page, question())
    notebook.until(lambda: bool(page.named("take.ready")))
    files = "sorted(path.name for path in (kept.journal_folder / 'takes').iterdir())"
    ask(notebook, page, "send", {"take": "take1"})
    assert notebook.value(f"(turn.written, {files})") == [True, []]
    sounds = notebook.value("len(list((kept.journal_folder / 'sound').iterdir()))")
    assert sounds == 2, "the question and the reply"


def test_a_second_send_is_refused_with_a_sentence(notebook: Notebook) -> None:
    cell = notebook.start("session.listen()", cell_id="a")
    page = notebook.page("listen")
    record(page, question())
    first = page.request("send", {"take": "take1"})
    second = page.request("send", {"take": "take1"})
    notebook.until(lambda: first in page.answers and second in page.answers)
    assert page.answers[first]["kind"] == "result"
    assert page.answers[second]["kind"] in ("error", "cancelled")
    notebook.until(lambda: cell.idle)
    assert notebook.value("len(session.turns)") == 1


def test_interrupting_listen_keeps_the_recording_and_says_where(notebook: Notebook) -> None:
    cell = notebook.start("session.listen()", cell_id="a")
    page = notebook.page("listen")
    record(page, question())
    notebook.until(lambda: bool(page.named("take.ready")))
    notebook.manager.interrupt_kernel()
    notebook.until(lambda: cell.idle)
    (line,) = cell.error
    assert line.startswith("Stopped: nothing was sent; the recording is kept in ")
    kept = line.removeprefix("Stopped: nothing was sent; the recording is kept in ")
    found = notebook.value(f"len(open({kept!r}, 'rb').read())")
    assert found == len(question().to_pcm16())
    assert set(cell.outputs[0].data) == {"text/html", "text/plain"}
    notebook.until(lambda: set(notebook.comms) <= notebook.closed_comms)
    assert notebook.value("len(session.turns)") == 0


def test_listen_without_a_page_says_what_to_do_and_does_not_wait(notebook: Notebook) -> None:
    cell = notebook.run("turn = session.listen()")
    assert "session.say(cv.Clip.read(" in only(cell)["text/plain"]
    assert notebook.value("turn.finish") is None


def test_a_front_end_that_can_not_be_heard_gets_its_turn_after_the_cell(
    notebook: Notebook,
) -> None:
    cell = notebook.run("turn = session.listen()\nturn", cell_id="a", subshells=False)
    assert "await session.alisten()" in cell.stream
    assert notebook.value("turn.finish") is None
    page = notebook.page("listen")
    notebook.until(lambda: bool(page.named("listen.state")))
    record(page, question())
    ask(notebook, page, "send", {"take": "take1"})
    notebook.until(lambda: bool(page.named("turn.ended")))
    assert page.named("listen.state")[-1]["phase"] == "late"
    notebook.until(lambda: set(cell.outputs[0].data) == BUNDLE)
    assert notebook.value("(turn.finish, len(session.turns))") == ["complete", 1]


def test_a_page_that_does_not_answer_is_not_waited_for(notebook: Notebook) -> None:
    notebook.run("import cellvoice.notebook._live as _l; kept_s = _l.HELLO_TIMEOUT_S")
    notebook.run("_l.HELLO_TIMEOUT_S = 0.05")
    cell = notebook.run("turn = session.listen()", cell_id="a")
    notebook.run("_l.HELLO_TIMEOUT_S = kept_s")
    assert "did not answer" in cell.stream
    assert notebook.value("turn.finish") is None
    page = notebook.page("listen")
    ask(notebook, page, "send", {"text": "Hello"})
    notebook.until(lambda: set(cell.outputs[0].data) == BUNDLE)


def test_alisten_waits_without_blocking_the_cell(notebook: Notebook) -> None:
    code = (
        "import asyncio\nturn, other = await asyncio.gather(session.alisten(), asyncio.sleep(0, 7))"
    )
    cell = notebook.start(code, cell_id="a")
    page = notebook.page("listen")
    record(page, question())
    ask(notebook, page, "send", {"take": "take1"})
    notebook.until(lambda: cell.idle)
    assert cell.error == []
    assert notebook.value("(turn.finish, other)") == ["complete", 7]


def test_the_pad_speaks_types_stops_and_gives_sound(notebook: Notebook) -> None:
    cell = notebook.run("session", cell_id="pad-cell")
    page = notebook.page("pad")
    notebook.until(lambda: bool(page.named("pad.state")))
    state = page.named("pad.state")[0]
    assert state["badge"] == "embedded engine, not gpt-audio"
    assert set(state["price"].values()) == {0}
    sent = ask(notebook, page, "send", {"text": "Hello"})
    notebook.until(lambda: bool(page.named("turn.ended")))
    turn = sent["data"]["turn"]
    assert page.named("turn.ended")[0]["turn"] == turn
    assert notebook.value("session.turns[0].cell.id") == "pad-cell"
    sound = ask(notebook, page, "sound", {"turn": turn})
    assert sound["data"]["mime"] == "audio/mpeg"
    heard = Clip.from_bytes(sound["buffers"][0])
    assert abs(heard.duration_s - notebook.value("session.turns[0].clip.duration_s")) < 0.1
    assert ask(notebook, page, "stop", {"turn": turn})["kind"] == "result"
    uploaded = ask(notebook, page, "upload", {"name": "q.wav"}, question().to_bytes("wav"))
    assert uploaded["data"]["duration_s"] == 1.0
    ask(notebook, page, "send", {"take": uploaded["data"]["take"]})
    notebook.until(lambda: len(page.named("turn.ended")) == 2)
    assert cell.error == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("send", {}),
        ("send", {"take": "../../etc/passwd"}),
        ("send", {"text": "  "}),
        ("upload", {"name": "letter.txt"}),
        ("stop", {"turn": "nobody"}),
        ("sound", {"turn": "nobody"}),
        ("launch", {}),
    ],
)
def test_the_pad_answers_nonsense_with_one_sentence(
    notebook: Notebook, name: str, data: dict[str, Any]
) -> None:
    notebook.run("session", cell_id="a")
    answer = ask(notebook, notebook.page("pad"), name, data)
    assert answer["kind"] == "error"
    assert answer["data"]["message"]


def test_the_pad_shows_turns_that_cells_ask(notebook: Notebook) -> None:
    notebook.run("session.say('Hello')")
    notebook.run("session", cell_id="a")
    page = notebook.page("pad")
    notebook.until(lambda: len(page.named("turn.ended")) == 1)
    notebook.run("session.say('Hello again')")
    notebook.until(lambda: len(page.named("turn.ended")) == 2)


def test_running_the_cell_again_replaces_its_pad(notebook: Notebook) -> None:
    notebook.run("session", cell_id="again")
    first = notebook.page("pad", "first")
    notebook.run("session", cell_id="again")
    notebook.until(lambda: first.comm_id in notebook.closed_comms)
    second = notebook.page("pad", "second")
    assert second.comm_id != first.comm_id
    ask(notebook, second, "send", {"text": "Hello"})
    notebook.until(lambda: bool(second.named("turn.ended")))
    assert first.named("turn.ended") == []


def test_two_sessions_in_one_cell_have_two_pads(notebook: Notebook) -> None:
    notebook.run("other = cv.Session(journal=False)\ndisplay(other)\nsession", cell_id="two")
    notebook.page("pad")
    assert len(notebook.comms) == 4
    assert not notebook.closed_comms & set(notebook.comms)


def test_showing_a_pad_writes_nothing(notebook: Notebook) -> None:
    notebook.run("kept = cv.Session(journal='a_journal'); kept", cell_id="a")
    notebook.page("pad")
    assert notebook.value("__import__('os').path.exists('a_journal')") is False


def test_where_our_renderer_is_the_pad_is_saved_without_a_widget(notebook: Notebook) -> None:
    cell = notebook.run("session", cell_id="a")
    assert WIDGET_MIME in only(cell)
    page = notebook.page("pad", lab=True)
    ask(notebook, page, "send", {"text": "Hello"})
    vendor = "application/vnd.cellvoice.pad.v1+json"
    notebook.until(lambda: len(only(cell).get(vendor, {}).get("turns", [])) == 1)
    data = only(cell)
    assert set(data) == {vendor, "text/html", "text/plain"}
    assert data[vendor]["pad"] == notebook.comms[page.comm_id]["pad_id"]
    assert data["text/html"].count("<audio") == 1
    assert page.comm_id not in notebook.closed_comms


def test_without_a_page_the_pad_is_the_conversation_so_far(notebook: Notebook) -> None:
    notebook.run("session.say('Hello')")
    data = only(notebook.run("session"))
    assert set(data) == {"application/vnd.cellvoice.pad.v1+json", "text/html", "text/plain"}
    assert "Run this cell in JupyterLab to talk" in data["text/html"]
    assert data["text/html"].count("<audio") == 1


def test_a_page_that_reloads_while_recording_loses_nothing(notebook: Notebook) -> None:
    notebook.run("session", cell_id="a")
    before = notebook.page("pad", "before")
    pcm = question().to_pcm16()
    start = {"take": "take1", "sample_rate_hz": RATE_HZ, "device": ""}
    before.emit("record.start", start)
    before.emit("record.frames", {"take": "take1", "start_frame": 0}, pcm)
    after = notebook.page("pad", "after")
    notebook.until(lambda: bool(after.named("take.ready")))
    ready = after.named("take.ready")[0]
    assert (ready["duration_s"], "closed while recording" in ready["sentence"]) == (1.0, True)
    assert ask(notebook, after, "send", {"take": "take1"})["kind"] == "result"
    notebook.until(lambda: bool(after.named("turn.ended")))


def test_a_checkout_without_built_javascript_says_so_and_speaks_all_the_same(
    notebook: Notebook,
) -> None:
    notebook.run(
        "import pathlib, cellvoice.widgets.code as code; kept = code.STATIC\n"
        "code.STATIC = pathlib.Path('nowhere')"
    )
    cell = notebook.run("turn = session.say('Hello')", cell_id="a")
    notebook.run("code.STATIC = kept")
    assert set(only(cell)) == BUNDLE
    assert notebook.value("turn.finish") == "complete"


def test_a_frozen_card_asks_while_another_cell_runs(notebook: Notebook) -> None:
    notebook.run("turn = session.say('Hello')", cell_id="a")
    page = notebook.frozen_cards()
    assert page is not None
    id_ = notebook.value("turn.id")
    busy = notebook.start("import time; time.sleep(600)", cell_id="b")
    assert ask(notebook, page, "known", {"turns": [id_]})["data"] == {"turns": [id_]}
    assert ask(notebook, page, "version", {"turn": id_})["data"]["card"]["id"] == id_
    assert not busy.idle
    notebook.manager.interrupt_kernel()
    notebook.until(lambda: busy.idle)
