"""Waiting for turns: on other loops, in threads, cancelled, after a fork."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref

import pytest

from cellvoice.errors import StreamBroken
from cellvoice.session import Session, background_loop, run

from .conftest import MakeSession
from .rig import Hold, Reply, Service, events_of, recorded


async def test_asay_leaves_the_callers_loop_free(make_session: MakeSession) -> None:
    hold = Hold()
    session = make_session(Service(Reply([*events_of()[:3], hold, *events_of()[3:]])))
    asking = asyncio.create_task(session.asay("Hello."))
    await asyncio.to_thread(hold.wait_until_reached)
    assert not asking.done()
    hold.release()
    turn = await asking
    assert turn.finish == "complete"


async def test_a_cancelled_asay_ends_its_turn_as_stopped(make_session: MakeSession) -> None:
    hold = Hold()
    service = Service(Reply([*events_of()[:-3], hold]))
    session = make_session(service)
    asking = asyncio.create_task(session.asay("Hello."))
    await asyncio.to_thread(hold.wait_until_reached)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    (turn,) = session.turns
    assert (turn.finish, turn.text) == ("stopped", "Hello")
    assert service.asked[0].closed.is_set()


async def test_asay_raises_what_ended_the_turn(make_session: MakeSession) -> None:
    session = make_session(Service(Reply(events_of()[:-3])))
    with pytest.raises(StreamBroken) as caught:
        await session.asay("Hello.")
    assert caught.value.turn is session.turns[0]


async def test_a_sync_verb_works_where_a_loop_runs(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    assert session.say("Hello.").text == "Hello"


def test_many_threads_may_ask_at_once(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service)
    threads = [threading.Thread(target=session.say, args=(f"turn {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [turn.finish for turn in session.turns] == ["complete"] * 6
    assert [turn.number for turn in session.turns] == [1, 2, 3, 4, 5, 6]
    lengths = [len(asked.body["messages"]) for asked in service.asked]
    assert lengths == [1, 3, 5, 7, 9, 11]


def test_closing_stops_what_runs_and_a_later_turn_opens_again(make_session: MakeSession) -> None:
    hold = Hold()
    session = make_session(Service(Reply([hold]), recorded()))
    turn = session.start_turn("one")
    hold.wait_until_reached()
    session.close()
    assert turn.finish == "stopped"
    assert session.say("two").finish == "complete"


def test_a_forgotten_session_is_freed() -> None:
    session = Session(transport=Service(recorded()), journal=False)
    session.say("Hello.")
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


def test_run_gives_the_result_or_the_error_of_a_coroutine() -> None:
    async def works() -> bool:
        return asyncio.get_running_loop() is background_loop()

    async def fails() -> None:
        raise ValueError("as asked")

    assert run(works())
    with pytest.raises(ValueError, match="as asked"):
        run(fails())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_process_gets_a_loop_of_its_own(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()))
    session.say("before")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if session.say("after").finish == "complete" else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert session.say("after as well").number == 2
