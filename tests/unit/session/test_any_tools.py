"""Whatever a model calls, every request that follows is one that the service takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cellvoice.session import Session

from .rig import Reply, Service
from .tool_rig import calls, spoken

NAMES = ["weather", "fails", "asks", "nobody"]
ARGUMENTS = ['{"city": "Lyon"}', "{}", "", "[]", '{"city": ', '{"city": 7}', "null"]

rounds = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.sampled_from(NAMES), st.sampled_from(ARGUMENTS)), min_size=1, max_size=3
        ),
        st.sampled_from(["", "Let me see."]),
    ),
    max_size=5,
)


def weather(city: str) -> str:
    """Weather."""
    return city


def fails(city: str) -> str:
    """Fails."""
    raise OSError(city)


def asks(city: str) -> str:
    """Asks."""
    return city


def complaint(messages: Sequence[dict[str, Any]]) -> str:
    """What the service would say of a conversation, or ""."""
    open_calls: list[str] = []
    for at, message in enumerate(messages):
        role = message["role"]
        if role == "tool":
            if message["tool_call_id"] not in open_calls:
                return f"messages[{at}] answers no call"
            if not isinstance(message["content"], str) or not message["content"]:
                return f"messages[{at}] has no content"
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            return f"messages[{at}] comes before the answers to {open_calls}"
        elif role == "assistant":
            asked = message.get("tool_calls", [])
            open_calls = [call["id"] for call in asked]
            if len(set(open_calls)) != len(open_calls):
                return f"messages[{at}] has an id twice"
            if not (asked or message.get("content") or message.get("audio")):
                return f"messages[{at}] says nothing"
    return f"nothing answers {open_calls}" if open_calls else ""


@settings(max_examples=40, deadline=None)
@given(rounds, st.sampled_from(["approve", "reject", "stop"]))
def test_every_request_is_one_that_the_service_takes(
    asked: list[tuple[list[tuple[str, str]], str]], decision: str
) -> None:
    replies: list[Reply] = [calls(*some, said=words) for some, words in asked]
    service = Service(*replies, spoken("That is all."))
    session = Session(transport=service, journal=False, tools=[weather, fails], max_retries=0)
    session.tool(approve="ask")(asks)
    turn = session.say("Go on.")
    while not turn.done:
        for pending in session.pending:
            if decision == "stop":
                turn.stop()
            elif decision == "approve":
                pending.approve()
            else:
                pending.reject("no")
        session.wait(turn)
        if decision == "stop":
            assert turn.wait(10)
    session.say("And now?")
    for one in service.asked:
        found = json.loads(json.dumps(one.body["messages"]))
        assert not complaint(found), (complaint(found), found)
    assert all(call.state in ("done", "failed", "rejected") for call in turn.tool_calls)
    session.close()
