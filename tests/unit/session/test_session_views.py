"""Who looks at a turn, and that looking never changes it."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref

import pytest

from cellvoice.errors import UsageError
from cellvoice.protocol import Event, StreamDone
from cellvoice.session import Turn, background_loop, run

from .conftest import MakeSession
from .rig import Hold, Reply, Service, events_of, recorded


class Notebook:
    """A view that writes down what it is told, and on which thread."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.events: list[Event] = []
        self.threads: set[str] = set()

    def started(self, turn: Turn) -> None:
        self.told.append(f"started {turn.number}")

    def event(self, turn: Turn, event: Event) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread().name)

    async def ended(self, turn: Turn) -> None:
        await asyncio.sleep(0)
        self.told.append(f"ended {turn.number} {turn.finish}")


class Broken:
    def __init__(self) -> None:
        self.calls = 0

    def started(self, turn: Turn) -> None:
        raise RuntimeError("started")

    def event(self, turn: Turn, event: Event) -> None:
        self.calls += 1
        raise RuntimeError("event")

    async def ended(self, turn: Turn) -> None:
        self.calls += 1
        raise RuntimeError("ended")


def test_a_view_is_told_everything_on_the_background_loop(make_session: MakeSession) -> None:
    view = Notebook()
    session = make_session(Service(recorded()))
    turn = session.start_turn("Hello.", view=view)
    assert turn.wait(10)
    assert view.told == ["started 1", "ended 1 complete"]
    assert isinstance(view.events[-1], StreamDone)
    assert view.threads == {"cellvoice-loop"}


def test_a_watcher_is_told_of_every_turn_until_it_is_ended(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    view = Notebook()
    unwatch = session.watch(view)
    session.say("one")
    session.say("two")
    unwatch()
    session.say("three")
    assert view.told == ["started 1", "ended 1 complete", "started 2", "ended 2 complete"]


def test_a_verb_returns_after_the_view_has_ended(make_session: MakeSession) -> None:
    hold = Hold()

    class Slow(Notebook):
        async def ended(self, turn: Turn) -> None:
            await hold.arrive()
            await super().ended(turn)

    session = make_session(Service(recorded()))
    view = Slow()
    turn = session.start_turn("Hello.", view=view)
    hold.wait_until_reached()
    assert turn.done and not turn.wait(0.01)
    hold.release()
    assert turn.wait(10)
    assert view.told[-1] == "ended 1 complete"


def test_a_view_that_fails_is_logged_once_and_breaks_nothing(
    make_session: MakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    view, watcher = Broken(), Notebook()
    session = make_session(Service(recorded()))
    session.watch(watcher)
    with caplog.at_level(logging.ERROR, "cellvoice.session"):
        turn = session.start_turn("Hello.", view=view)
        assert turn.wait(10)
    assert (turn.finish, turn.text, turn.error) == ("complete", "Hello", None)
    # Its start failed, so it is told of the end only.
    assert view.calls == 1
    assert len(caplog.records) == 2
    assert watcher.told == ["started 1", "ended 1 complete"]


def test_a_pending_turn_is_asked_later_with_its_own_settings(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service)
    pending = session.pending_turn({"voice": "cedar"})
    assert session.turns == () and pending.finish is None
    assert repr(pending) == "<Turn 1 pending, $0>"
    session.say("first")
    turn = session.start_turn("second", turn=pending)
    assert turn is pending and turn.wait(10)
    assert repr(turn) == "<Turn 2 complete: 'Hello', $0.000799>"
    assert [one.number for one in session.turns] == [1, 2]
    assert service.asked[1].body["audio"]["voice"] == "cedar"
    assert len({one.id for one in session.turns}) == 2


def test_a_turn_given_up_was_never_asked(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service)
    turn = session.pending_turn()
    turn.give_up("nothing was said")
    assert turn.wait(0)
    assert (turn.finish, turn.notices, session.turns) == ("stopped", ("nothing was said",), ())
    with pytest.raises(UsageError, match="given up"):
        session.start_turn("too late", turn=turn)
    assert service.asked == []


def test_stopping_a_pending_turn_means_it_is_never_asked(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    turn = session.pending_turn()
    turn.stop()
    assert turn.wait(0)
    assert turn.finish == "stopped"
    with pytest.raises(UsageError, match="given up"):
        session.start_turn("too late", turn=turn)


def test_closing_a_session_ends_turns_that_wait_for_their_input(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    turn = session.pending_turn()
    session.close()
    assert turn.wait(0)
    assert turn.notices == ("the session was closed before anything was sent",)


def test_a_turn_that_has_ended_holds_no_view(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    view = Notebook()
    gone = weakref.ref(view)
    turn = session.start_turn("Hello.", view=view)
    turn.when_ended(view.told.clear)
    assert turn.wait(10)
    del view
    run(settled())
    gc.collect()
    assert gone() is None
    turn.stop()
    assert turn.finish == "complete"


async def settled() -> None:
    """The task that conducted the turn is gone by then."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_waits_for_an_end_is_called_once_whenever_they_ask(
    make_session: MakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    session = make_session(Service(recorded()))
    turn = session.pending_turn()
    called: list[str] = []

    def fail() -> None:
        raise RuntimeError("as asked")

    turn.when_ended(fail)
    turn.when_ended(lambda: called.append(f"before {turn.finish}"))
    turn.give_up("nothing was said")
    turn.give_up("again")
    turn.when_ended(lambda: called.append("after"))
    assert called == ["before stopped", "after"]
    assert "as asked" in caplog.text


def test_a_turn_says_whether_the_journal_has_it(make_session: MakeSession) -> None:
    assert make_session(Service(recorded())).say("Hello.").written
    assert not make_session(Service(recorded()), journal=False).say("Hello.").written


class Interrupting:
    """A notebook in which the person presses stop while the page is told of the turn."""

    def cell(self) -> None:
        return None

    def open_turn(self, turn: Turn) -> None:
        raise KeyboardInterrupt


def test_an_interrupt_before_the_turn_is_asked_ends_it(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(recorded())
    session = make_session(service)
    monkeypatch.setattr("cellvoice._compose.surface", Interrupting)
    turn = session.say("Hello.")
    assert (turn.finish, turn.wait(0), session.turns, service.asked) == ("stopped", True, (), [])


def test_giving_up_a_turn_that_runs_does_nothing(make_session: MakeSession) -> None:
    hold = Hold()
    session = make_session(Service(Reply([hold, *events_of()])))
    turn = session.start_turn("Hello.")
    hold.wait_until_reached()
    turn.give_up("too late")
    hold.release()
    assert turn.wait(10)
    assert (turn.finish, turn.notices) == ("complete", ())


def test_a_verb_that_would_wait_for_itself_is_refused(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))

    async def ask() -> None:
        session.say("Hello.")

    refused = asyncio.run_coroutine_threadsafe(ask(), background_loop())
    with pytest.raises(UsageError, match="start_turn"):
        refused.result(10)


def test_a_notice_is_told_when_it_is_made_and_not_only_at_the_end(
    make_session: MakeSession,
) -> None:
    told: list[str] = []
    turn = make_session(Service(recorded())).pending_turn()
    turn.when_noted(told.append)
    turn._note("The first.")
    turn._note("The first.")
    assert told == ["The first."]
    turn.stop()
    turn._note("Too late.")
    assert told == ["The first.", "stopped before anything was sent"]


def test_one_that_fails_to_hear_a_notice_does_not_keep_it_from_others(
    make_session: MakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sentence: str) -> None:
        raise RuntimeError(sentence)

    told: list[str] = []
    turn = make_session(Service(recorded())).pending_turn()
    turn.when_noted(fail)
    turn.when_noted(told.append)
    with caplog.at_level(logging.ERROR, "cellvoice.session"):
        turn._note("Hm.")
    assert told == ["Hm."]
    assert turn.notices == ("Hm.",)
    assert "news of a turn" in caplog.text
