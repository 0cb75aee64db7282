"""Whatever is done to a conversation, the service would accept it, and every turn has one place."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellvoice.errors import CellvoiceError
from cellvoice.session import Session, Turn, prune

from .cells import Cells
from .rig import Reply, event, refusal, speech

HOUR_S = 3600
TURNS = "turns.jsonl"
START_S = 1_780_000_000.0


class Strict(httpx.AsyncBaseTransport):
    """A service that keeps its sounds for an hour and refuses what the real one would refuse."""

    def __init__(self) -> None:
        self.now_s = START_S
        self.sounds: dict[str, float] = {}
        self.outcomes: list[str] = []
        self.faults: list[str] = []
        self._made = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        messages = json.loads(await request.aread())["messages"]
        self.faults += faults_of(messages)
        unknown = [name for name in sounds_in(messages) if name not in self.sounds]
        if unknown:
            message = f"Assistant audio {unknown[0]} not found."
            return played(refusal(400, message=message, code="audio_not_found"))
        late = [name for name in sounds_in(messages) if self.sounds[name] <= self.now_s]
        self.faults += [f"{name} had expired" for name in late]
        return played(self._reply(self.outcomes.pop() if self.outcomes else "speech"))

    def _reply(self, outcome: str) -> Reply:
        self._made += 1
        if outcome == "failed":
            return refusal(500, message="The server had an error.", type="server_error")
        if outcome == "text":
            delta = {"index": 0, "delta": {"content": "In words."}, "finish_reason": "stop"}
            return Reply([event({"choices": [delta]}), b"data: [DONE]\n\n"])
        if outcome == "silent":
            return Reply([event({"choices": [{"index": 0, "delta": {}}]}), b"data: [DONE]\n\n"])
        name = f"audio_{self._made}"
        self.sounds[name] = self.now_s + HOUR_S
        reply = speech(name, f"word {self._made}", int(self.sounds[name]), sound_s=0.05)
        return reply if outcome == "speech" else Reply(list(reply.pieces)[:2])


def played(reply: Reply) -> httpx.Response:
    kind = "text/event-stream" if reply.status == 200 else "application/json"
    content = b"".join(piece for piece in reply.pieces if isinstance(piece, bytes))
    return httpx.Response(reply.status, headers={"content-type": kind}, content=content)


def sounds_in(messages: list[dict[str, Any]]) -> list[str]:
    return [message["audio"]["id"] for message in messages if message.get("audio")]


def faults_of(messages: list[dict[str, Any]]) -> list[str]:
    """What the service would not accept, or would answer twice."""
    spoken = messages[1:] if messages and messages[0]["role"] == "system" else messages
    wanted = ["user" if index % 2 == 0 else "assistant" for index in range(len(spoken))]
    found = [] if [message["role"] for message in spoken] == wanted else ["roles do not alternate"]
    for message in messages:
        content = message.get("content")
        if not message.get("audio") and not (content.strip() if content else ""):
            found.append(f"an empty message of the {message['role']}")
    return found


class World:
    """Sessions, the first one and its branches, in a notebook with cells a, b and c."""

    def __init__(self, cells: Cells, journal: Path | None = None) -> None:
        self.cells = cells
        self.journal = journal
        self.service = Strict()
        self.late: list[Turn] = []
        self.sessions = [Session(journal=journal or False, **self._connection())]

    def _connection(self) -> dict[str, Any]:
        return {
            "api_key": "k",
            "transport": self.service,
            "clock": lambda: self.service.now_s,
            "max_retries": 0,
        }

    def do(self, action: str, which: int, number: int) -> None:
        session = self.sessions[which % len(self.sessions)]
        try:
            self._acts()[action](session, number)
        except CellvoiceError:
            pass  # a turn that failed, or something that can't be done here: it changes nothing
        self.service.now_s += 1

    def _acts(self) -> dict[str, Callable[[Session, int], object]]:
        return {
            "say": lambda session, number: session.say(f"question {number}"),
            "run": self._run,
            "run, fails": lambda session, number: self._run(session, number, fails=True),
            "listen": self._listen,
            "speak": self._speak,
            "give up": lambda _, number: self.late and self._late(number).stop(),
            "pad": self._pad,
            "delete": lambda _, number: self.cells.delete("abc"[number % 3]),
            "undo": lambda session, number: session.undo(1 + number % 3),
            "clear": lambda session, _: session.clear(),
            "edit": lambda session, number: session.edit(number, "another question"),
            "regenerate": lambda session, number: session.regenerate(-1 - number),
            "refresh": lambda session, _: session.refresh(),
            "fork": lambda session, number: self.sessions.append(session.fork(at=number)),
            "merge": self._merge,
            "expire": lambda _, number: setattr(
                self.service, "now_s", self.service.now_s + number * 900
            ),
            "restart": lambda *_: self.service.sounds.clear(),
            "crash": self._crash,
            "resume": self._resume,
        }

    def _run(self, session: Session, number: int, *, fails: bool = False) -> None:
        cell, count = "abc"[number % 3], number // 3
        with self.cells.run(cell, fails=fails):
            for asked in range(count):
                session.say(f"{cell} {asked}")

    def _listen(self, session: Session, number: int) -> None:
        with self.cells.run("abc"[number % 3]):
            for _ in range(1 + number % 2):
                turn = session.listen(fresh=number < 6)
                if not turn.done:
                    self.late.append(turn)
            session.say("after the recorder")

    def _speak(self, session: Session, number: int) -> None:
        if self.late:
            turn = self._late(number)
            turn.session.start_turn("spoken late", turn=turn).wait(10)

    def _late(self, number: int) -> Turn:
        return self.late.pop(number % len(self.late))

    def _pad(self, session: Session, number: int) -> None:
        with self.cells.run("abc"[number % 3]):
            cell = self.cells.cell()
        session.start_turn("typed", cell=cell).wait(10)

    def _merge(self, session: Session, number: int) -> None:
        branch = self.sessions[number % len(self.sessions)]
        with self.cells.run("abc"[number % 3]):
            session.merge(branch)

    def _crash(self, session: Session, number: int) -> None:
        """What a killed process leaves goes on elsewhere; every third time in mid-line."""
        if (folder := session.journal_folder) is None or not (folder / TURNS).exists():
            return
        assert session._journal is not None
        session._journal.flush()
        copy = folder.with_name(f"{folder.name}-{len(list(folder.parent.iterdir()))}")
        # A file that is being replaced is not there under its name yet.
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.part"))
        whole = (copy / TURNS).read_bytes()
        cut = number % 3 == 0
        if cut:
            (copy / TURNS).write_bytes(whole[: -1 - number * 3])
        self._go_on(session, copy, same=not cut)
        session.close()

    def _resume(self, session: Session, number: int) -> None:
        if (folder := session.journal_folder) is not None and (folder / TURNS).exists():
            session.close()
            self._go_on(session, folder)

    def _go_on(self, session: Session, folder: Path, *, same: bool = True) -> None:
        before = shape(session)
        self.late = [turn for turn in self.late if turn.session is not session]
        again = Session.resume(folder, **self._connection())
        self.sessions[self.sessions.index(session)] = again
        if same:
            assert shape(again) == before

    def check(self) -> None:
        assert self.service.faults == []
        for session in self.sessions:
            assert faults_of([*session.history(), {"role": "user", "content": "and now?"}]) == []
            check_places(session)

    def close(self) -> None:
        for session in self.sessions:
            session.close()

    def check_sounds(self) -> None:
        """Once nothing is written any more: every sound has a turn, and every turn its sounds."""
        assert self.journal is not None
        prune(journal=self.journal)  # what a line owned that was cut away
        for folder in self.journal.glob("*/sound"):
            lines = (folder.parent / TURNS).read_text(encoding="utf-8")
            on_disk = {path.name for path in folder.iterdir()}
            assert on_disk == set(re.findall(r'"sound/([^"]+)"', lines))


def shape(session: Session) -> list[object]:
    """All that is to be the same after a resume."""
    outline = session._asking.outline()
    said = [
        (turn.id, turn.text, turn.finish, turn.input, turn.cell and turn.cell.id)
        for turn in session._asking.places.asked
    ]
    return [outline, sorted(said, key=lambda one: str(one[0])), session.usage]


def check_places(session: Session) -> None:
    now = session._asking.places._now
    everywhere = [turn.id for slot in now.slots for turn in slot.turns]
    everywhere += [turn.id for turn in now.dropped]
    assert len(everywhere) == len(set(everywhere)), "a turn stands in two places"
    ordinals = defaultdict(list)
    for slot in now.slots:
        assert slot.current in slot.turns and not slot.trying
        ordinals[slot.lane].append(slot.ordinal)
    for (cell, in_pad), found in ordinals.items():
        run = now.runs.get(cell) if cell is not None and not in_pad else None
        seats = run.seats if run is not None else ()
        waiting = {place for place, name in enumerate(seats) if name not in everywhere}
        filled = set(found) | {place for place in waiting if place < max(found)}
        assert len(found) == len(set(found)) and filled == set(range(len(filled)))
    assert [turn.number for turn in session] == list(range(1, len(session.turns) + 1))
    outline = now.outline()
    assert outline.order == tuple(turn.id for turn in session)
    assert outline.stale == {turn.id for turn in session if turn.stale}
    assert all(turn.session is session for turn in session)


ACTIONS = st.tuples(
    st.sampled_from([
        *["run"] * 4,
        *["say"] * 2,
        *("run, fails", "listen", "speak", "give up", "pad", "delete", "undo", "clear"),
        *("crash", "resume") * 2,
        *("edit", "regenerate", "refresh", "fork", "merge", "expire", "restart"),
    ]),
    st.integers(0, 2),
    st.integers(0, 8),
    st.sampled_from(["speech", "speech", "speech", "failed", "cut", "text", "silent"]),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(ACTIONS, max_size=14))
def test_any_sequence_of_actions_leaves_a_conversation_that_can_go_on(
    actions: list[tuple[str, int, int, str]],
) -> None:
    live(actions, None)


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=12))
def test_any_sequence_with_crashes_and_resumes_loses_no_turn_and_no_sound(
    actions: list[tuple[str, int, int, str]],
) -> None:
    # A session that was left behind may still write down what became of its cells.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        live(actions, Path(folder) / "journal").check_sounds()


def live(actions: list[tuple[str, int, int, str]], journal: Path | None) -> World:
    """Do all of it, look after each step, and go on talking in every session at the end."""
    with pytest.MonkeyPatch.context() as patch:
        cells = Cells()
        patch.setattr("cellvoice._compose.surface", lambda: cells)
        patch.setattr("cellvoice._compose.execution", lambda: None)
        world = World(cells, journal)
        try:
            for action, which, number, outcome in actions:
                world.service.outcomes = [outcome]
                world.do(action, which, number)
                world.check()
            world.service.outcomes = []
            for session in world.sessions:
                assert session.say("and now?").finish == "complete"
            world.check()
        finally:
            world.close()
        return world
