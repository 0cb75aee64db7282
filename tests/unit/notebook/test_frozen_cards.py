"""What frozen cards may ask: of turns that the kernel still holds, and nothing that changes one."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comm
import httpx
import pytest
from comm.base_comm import BaseComm, CommManager

from cellvoice.notebook import _frozen_cards
from cellvoice.notebook._frozen_cards import TARGET, answer_frozen_cards
from cellvoice.session import Session, Turn, all_turns, run

from .conftest import Outbox

RECORDED = Path(__file__).parents[2] / "fixtures/recorded/gpt-audio-1.5.basic.shortest.sse"


def answer(request: httpx.Request) -> httpx.Response:
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=kind, content=RECORDED.read_bytes())


def made() -> Session:
    return Session(api_key="k", transport=httpx.MockTransport(answer), journal=False)


@pytest.fixture
def session() -> Iterator[Session]:
    found = made()
    yield found
    found.close()


class Kernel:
    """The comms of a kernel, and what its pages were sent."""

    def __init__(self) -> None:
        self.manager = CommManager()
        self.sent = Outbox()
        self.announced: list[str] = []
        self._seq = 0

    def make(self, **given: Any) -> BaseComm:
        kernel = self

        class Comm(BaseComm):
            def publish_msg(self, msg_type: str, data: Any = None, **_: object) -> None:
                if msg_type == "comm_msg":
                    kernel.sent.append(data)
                else:
                    kernel.announced.append(msg_type)

        return Comm(**given)

    @property
    def standing(self) -> BaseComm:
        (found,) = self.manager.comms.values()
        return found

    def say(self, content: dict[str, Any]) -> None:
        data = {"v": 1, "page": "p", **content}
        message = {"content": {"data": data, "comm_id": self.standing.comm_id}}
        self.manager.comm_msg(None, "", message)  # type: ignore[arg-type]

    def ask(self, name: str, **data: object) -> dict[str, Any]:
        """The one answer to a question of a page that has said hello."""
        self._seq += 1
        id_ = f"p.{self._seq}"
        self.say({"kind": "hello", "have": 0})
        self.say({"kind": "request", "seq": self._seq, "id": id_, "name": name, "data": data})
        return self.sent.answer(id_)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    found = Kernel()
    monkeypatch.setattr(comm, "get_comm_manager", lambda: found.manager)
    monkeypatch.setattr(comm, "create_comm", found.make)
    monkeypatch.setattr(_frozen_cards, "_standing", None)
    answer_frozen_cards()
    return found


def test_it_is_there_for_every_page_and_announced_to_none(kernel: Kernel) -> None:
    answer_frozen_cards()
    assert kernel.standing.target_name == TARGET
    assert kernel.announced == []


def test_a_page_that_closes_it_takes_it_from_nobody(kernel: Kernel) -> None:
    first = kernel.standing
    message = {"content": {"comm_id": first.comm_id, "data": {}}}
    kernel.manager.comm_close(None, "", message)  # type: ignore[arg-type]
    assert kernel.standing is not first
    assert kernel.ask("known", turns=[])["kind"] == "result"


def test_every_turn_that_is_held_is_known_and_no_other(kernel: Kernel, session: Session) -> None:
    turn = session.say("Hello.")
    asked = [turn.id, "another", 7, None]
    assert kernel.ask("known", turns=asked)["data"] == {"turns": [turn.id]}
    assert kernel.ask("known", turns="all")["data"] == {"turns": []}


def test_a_turn_is_told_of(kernel: Kernel, session: Session) -> None:
    turn = session.say("Hello.")
    assert kernel.ask("version", turn=turn.id)["data"]["card"]["id"] == turn.id
    events = kernel.ask("events", turn=turn.id)["data"]["events"]
    assert len(events) == len(turn.events)
    assert kernel.ask("logprobs", turn=turn.id)["data"] == {"logprobs": None}
    assert kernel.ask("sound", turn=turn.id)["data"] == {"mime": "audio/mpeg"}


@pytest.mark.parametrize("name", ["stop", "turn.decide", "send", "settings", "upload"])
def test_what_would_change_something_is_not_known(
    kernel: Kernel, session: Session, name: str
) -> None:
    turn = session.say("Hello.")
    told = kernel.ask(name, turn=turn.id)
    assert (told["kind"], told["data"]["name"]) == ("error", "UnknownRequest")


def test_a_turn_that_is_not_held_is_refused(kernel: Kernel) -> None:
    told = kernel.ask("events", turn="another")
    assert (told["kind"], told["data"]["name"]) == ("error", "UsageError")
    assert "no such turn" in told["data"]["message"]


def test_asking_keeps_no_session_alive(kernel: Kernel) -> None:
    session = made()
    id_ = session.say("Hello.").id
    assert kernel.ask("version", turn=id_)["kind"] == "result"
    run(session._asking.wire.aclose())
    del session
    gc.collect()
    assert id_ not in all_turns()
    assert kernel.ask("known", turns=[id_])["data"] == {"turns": []}


def test_the_turns_of_a_resumed_session_are_known_again(kernel: Kernel, tmp_path: Path) -> None:
    given: Any = {"api_key": "k", "transport": httpx.MockTransport(answer), "journal": tmp_path}
    first = Session(**given)
    id_ = first.say("Hello.").id
    first.close()
    name = first.id
    del first
    gc.collect()
    assert id_ not in all_turns()
    resumed = Session.resume(name, **given)
    assert kernel.ask("known", turns=[id_])["data"] == {"turns": [id_]}
    assert "journal" in kernel.ask("events", turn=id_)["data"]["why"]
    resumed.close()


def test_a_turn_that_branches_share_is_the_one_of_the_session_that_asked_it(
    session: Session,
) -> None:
    turn: Turn = session.say("Hello.")
    branch = session.fork()
    assert branch.turns[0].id == turn.id
    assert all_turns()[turn.id].session is session
