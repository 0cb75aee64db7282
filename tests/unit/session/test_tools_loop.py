"""The model calls tools, they run, it answers: one turn."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from cellvoice.errors import BudgetExceeded, ServiceError, UsageError
from cellvoice.session import Session

from .conftest import MakeSession
from .rig import Hold, Reply, Service, recorded, refusal
from .tool_rig import calls, messages, spoken, spoken_call, told


def weather(city: str, unit: str = "C") -> dict[str, object]:
    """Current weather."""
    return {"city": city, "unit": unit, "degrees": 21}


LYON = ("weather", '{"city": "Lyon"}')


def test_a_call_is_run_and_its_result_is_sent_back(make_session: MakeSession) -> None:
    service = Service(calls(LYON), spoken("It is warm."))
    turn = make_session(service).say("And in Lyon?", tools=[weather])
    assert (turn.text, turn.finish, turn.error) == ("It is warm.", "complete", None)
    (call,) = turn.tool_calls
    assert (call.name, call.arguments, call.state) == ("weather", {"city": "Lyon"}, "done")
    assert call.result == {"city": "Lyon", "unit": "C", "degrees": 21} and call.error is None
    assert call.round == 1 and call.seconds is not None and call.seconds >= 0
    said, answered = messages(service.asked[1])[-2:]
    assert said["tool_calls"] == [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Lyon"}'},
        }
    ]
    assert answered == {"role": "tool", "tool_call_id": call.id, "content": call.result_text}
    assert call.result_text == '{"city": "Lyon", "unit": "C", "degrees": 21}'


def test_the_model_is_told_of_the_tools_in_every_request(make_session: MakeSession) -> None:
    service = Service(calls(LYON), spoken("Warm."))
    make_session(service).say("And in Lyon?", tools=[weather])
    one, two = (asked.body["tools"] for asked in service.asked)
    assert one == two and one[0]["function"]["name"] == "weather"


def test_it_goes_on_until_the_model_answers(make_session: MakeSession) -> None:
    service = Service(
        calls(LYON), calls(("weather", '{"city": "Nice"}')), spoken("Nice is warmer.")
    )
    turn = make_session(service).say("Lyon or Nice?", tools=[weather])
    assert [call.arguments["city"] for call in turn.tool_calls] == ["Lyon", "Nice"]
    assert [call.round for call in turn.tool_calls] == [1, 2]
    assert len(turn.requests) == 3 and turn.request is turn.requests[-1]
    roles = [message["role"] for message in messages(service.asked[2])]
    assert roles == ["user", "assistant", "tool", "assistant", "tool"]


def test_calls_of_one_reply_run_at_the_same_time(make_session: MakeSession) -> None:
    meet = threading.Barrier(2, timeout=10)

    def here(name: str) -> str:
        """Wait until the other one is here as well."""
        meet.wait()
        return name

    service = Service(calls(("here", '{"name": "a"}'), ("here", '{"name": "b"}')), spoken("Both."))
    turn = make_session(service).say("Meet.", tools=[here])
    assert [call.result for call in turn.tool_calls] == ["a", "b"]
    assert told(service.asked[1]) == ["a", "b"]


def test_an_async_tool_runs_on_the_loop_and_a_sync_one_beside_it(make_session: MakeSession) -> None:
    threads: dict[str, str] = {}

    async def later(n: int) -> int:
        """Later."""
        await asyncio.sleep(0)
        threads["async"] = threading.current_thread().name
        return n + 1

    def now(n: int) -> int:
        """Now."""
        threads["sync"] = threading.current_thread().name
        return n

    service = Service(calls(("later", '{"n": 1}'), ("now", '{"n": 1}')), spoken("Two."))
    turn = make_session(service).say("Count.", tools=[later, now])
    assert [call.result for call in turn.tool_calls] == [2, 1]
    assert threads == {"async": "cellvoice-loop", "sync": "cellvoice-tool"}


def test_tools_run_in_the_context_of_the_cell_that_asked(make_session: MakeSession) -> None:
    cell = contextvars.ContextVar("cell", default="none")

    def where() -> str:
        """Where it runs."""
        return cell.get()

    async def awhere() -> str:
        """Where it runs."""
        return cell.get()

    service = Service(calls(("where", "{}"), ("awhere", "")), spoken("There."))
    session = make_session(service)
    cell.set("this one")
    turn = session.say("Where?", tools=[where, awhere])
    assert [call.result for call in turn.tool_calls] == ["this one", "this one"]


def test_one_turn_has_the_tokens_and_the_cost_of_all_its_requests(
    make_session: MakeSession,
) -> None:
    service = Service(calls(LYON, tokens=(100, 10)), spoken("Warm.", tokens=(150, 20)))
    session = make_session(service)
    turn = session.say("And in Lyon?", tools=[weather])
    assert turn.usage is not None
    assert (turn.usage.prompt_tokens, turn.usage.completion_tokens) == (250, 30)
    # gpt-audio-1.5: 2.50 and 10 dollars a million.
    assert turn.cost == pytest.approx((250 * 2.5 + 30 * 10) / 1e6)
    assert turn.cost.parts.text_in.tokens == 250 and not turn.cost.estimated
    assert session.cost == pytest.approx(turn.cost) and session.usage == turn.usage


def test_every_request_is_held_against_the_budget(make_session: MakeSession) -> None:
    def longer() -> str:
        """A long text."""
        return "word " * 3_000

    service = Service(calls(("longer", "{}")), spoken("Long."))
    session = make_session(service, max_completion_tokens=20, budget=0.008)
    with pytest.raises(BudgetExceeded) as caught:
        session.say("Read it.", tools=[longer])
    turn = caught.value.turn
    assert turn is not None and turn.finish == "cut" and len(service.asked) == 1
    assert turn.tool_calls[0].state == "done"


def test_what_the_rounds_before_have_cost_counts_for_the_next_one(
    make_session: MakeSession,
) -> None:
    service = Service(calls(LYON, tokens=(4_000_000, 0)), spoken("Warm."))
    session = make_session(service, budget=10.0)
    with pytest.raises(BudgetExceeded, match=r"\$10.0000 is spent"):
        session.say("And in Lyon?", tools=[weather], max_completion_tokens=20)


def test_sound_of_every_reply_is_kept_in_order_and_the_last_one_is_replayed(
    make_session: MakeSession,
) -> None:
    service = Service(
        spoken_call("Let me look.", *LYON), spoken("It is warm.", sound_s=0.5), recorded()
    )
    session = make_session(service)
    turn = session.say("And in Lyon?", tools=[weather])
    assert turn.text == "Let me look. It is warm."
    assert turn.clip is not None and turn.clip.duration_s == pytest.approx(0.7)
    assert turn.rungs == {}
    session.say("Thanks.")
    _, _, asked, result, answer, _ = [{}, *messages(service.asked[2])]
    assert asked["content"] == "Let me look." and asked["tool_calls"][0]["id"]
    assert result["role"] == "tool"
    assert answer == {"role": "assistant", "audio": {"id": "audio_It is wa"}}


def test_the_next_turn_repeats_calls_and_results(make_session: MakeSession) -> None:
    service = Service(calls(LYON), spoken("Warm."), spoken("You're welcome."))
    session = make_session(service)
    session.say("And in Lyon?", tools=[weather])
    session.say("Thanks.")
    roles = [message["role"] for message in messages(service.asked[2])]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert session.history()[:4] == messages(service.asked[2])[:4]


def test_recorded_parallel_calls_are_both_run(make_session: MakeSession) -> None:
    def GetWeatherArgs(city: str, country: str, units: str = "c") -> str:  # noqa: N802
        """Weather."""
        return f"{city}: rain"

    def get_stock_price(ticker: str, exchange: str) -> str:
        """Price."""
        return f"{ticker}: 1"

    service = Service(recorded("text.two-parallel-tool-calls.sse"), spoken("Rain, and one."))
    turn = make_session(service).say("Both, please.", tools=[GetWeatherArgs, get_stock_price])
    assert [call.state for call in turn.tool_calls] == ["done", "done"]
    assert [call.id for call in turn.tool_calls] == [
        "call_JMW1whyEaYG438VE1OIflxA2",
        "call_DNYTawLBoN8fj3KN6qU9N1Ou",
    ]
    assert turn.text == "Rain, and one."


def test_after_the_limit_of_rounds_the_model_answers_with_what_it_has(
    make_session: MakeSession,
) -> None:
    service = Service(calls(LYON), calls(LYON), spoken("That is all."))
    turn = make_session(service).say("Again.", tools=[weather], max_tool_rounds=2)
    assert [asked.body.get("tool_choice") for asked in service.asked] == [None, None, "none"]
    assert turn.text == "That is all." and turn.finish == "complete"
    assert "max_tool_rounds=2" in turn.notices[0]


def test_a_model_that_calls_on_although_it_may_not_ends_the_turn(make_session: MakeSession) -> None:
    turn = make_session(Service(calls(LYON))).say("Again.", tools=[weather], max_tool_rounds=2)
    assert [call.state for call in turn.tool_calls] == ["done", "done", "failed"]
    assert turn.finish == "complete" and "told not to" in turn.notices[-1]


def test_a_forced_call_is_forced_once(make_session: MakeSession) -> None:
    service = Service(calls(LYON), spoken("Warm."))
    make_session(service).say("Lyon.", tools=[weather], tool_choice="required")
    assert [asked.body.get("tool_choice") for asked in service.asked] == ["required", None]


def test_tools_in_the_service_s_form_are_left_to_the_caller(make_session: MakeSession) -> None:
    form = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    service = Service(calls(LYON))
    turn = make_session(service).say("Lyon.", tools=[form])
    assert len(service.asked) == 1 and turn.finish == "complete"
    (call,) = turn.tool_calls
    assert (call.state, call.arguments) == ("waiting", {"city": "Lyon"})


def test_a_refusal_in_a_later_round_keeps_what_was_there(make_session: MakeSession) -> None:
    refused = refusal(500, message="The server had an error")
    service = Service(calls(LYON, tokens=(100, 10)), refused)
    with pytest.raises(ServiceError) as caught:
        make_session(service).say("Lyon.", tools=[weather])
    turn = caught.value.turn
    assert turn is not None and turn.finish == "cut"
    assert turn.tool_calls[0].result == {"city": "Lyon", "unit": "C", "degrees": 21}
    # What was refused costs nothing.
    assert turn.cost == pytest.approx((100 * 2.5 + 10 * 10) / 1e6) and not turn.cost.estimated


def test_a_stop_reaches_the_tool_and_keeps_what_was_there(make_session: MakeSession) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    async def forever() -> None:
        """Never ends."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    service = Service(calls(LYON, ("forever", "{}")), spoken("Never."), spoken("Fine."))
    session = make_session(service, tools=[weather, forever])
    turn = session.start_turn("Go.")
    assert begun.wait(10)
    turn.stop()
    assert turn.wait(10) and turn.finish == "stopped" and turn.error is None
    assert cancelled.wait(10)
    assert turn.tool_calls[1].state == "failed" and "stopped" in (turn.tool_calls[1].error or "")
    session.say("And now?")
    # What a tool has done stays in the conversation, or it would be done twice.
    roles = [message["role"] for message in messages(service.asked[1])]
    assert roles == ["user", "assistant", "tool", "tool", "user"]


def test_a_stop_while_the_second_reply_comes_keeps_the_calls(make_session: MakeSession) -> None:
    hold = Hold()
    second = spoken("It is warm.")
    service = Service(calls(LYON), Reply([*second.pieces[:1], hold, *second.pieces[1:]]))
    turn = make_session(service).start_turn("Lyon?", overrides={"tools": [weather]})
    hold.wait_until_reached()
    turn.stop()
    turn.wait()
    assert (turn.finish, turn.text) == ("stopped", "It is warm.")
    assert turn.tool_calls[0].state == "done"


def test_session_tool_adds_one_and_another_of_its_name_takes_its_place(
    make_session: MakeSession,
) -> None:
    service = Service(calls(LYON), spoken("Cold."))
    session = make_session(service, tools=[weather])

    @session.tool
    def time_of_day() -> str:
        """The time."""
        return "noon"

    def colder(city: str) -> str:
        """Colder."""
        return f"{city} is cold"

    colder.__name__ = "weather"
    session.tool(timeout=5)(colder)
    assert sorted(session.tools) == ["time_of_day", "weather"]
    assert session.tools["weather"].timeout_s == 5
    assert time_of_day() == "noon"
    assert session.say("Lyon?").tool_calls[0].result == "Lyon is cold"


def test_settings_that_are_set_again_keep_what_runs(make_session: MakeSession) -> None:
    session = make_session(Service(calls(LYON), spoken("Warm.")), tools=[weather])
    session.configure(**session.settings_values())
    assert session.say("Lyon?").tool_calls[0].state == "done"
    session.configure(tools=None)
    assert not session.tools and "tools" not in session.parameters


def test_two_tools_of_one_name_are_refused(make_session: MakeSession) -> None:
    def other(city: str) -> str:
        """Another."""
        return city

    other.__name__ = "weather"
    with pytest.raises(UsageError, match="'weather'"):
        make_session(Service(recorded())).say("Lyon?", tools=[weather, other])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_tool_rounds": -1}, "max_tool_rounds=-1"),
        ({"max_repairs": "many"}, "max_repairs='many'"),
        ({"speak": 1}, "speak=1"),
        ({"speak": True}, "speak=True says the object aloud"),
    ],
)
def test_settings_that_can_t_be_are_refused(
    make_session: MakeSession, settings: dict[str, Any], words: str
) -> None:
    session: Session = make_session(Service(recorded()))
    with pytest.raises(UsageError, match=words):
        session.say("Lyon?", **settings)


def test_words_beside_calls_are_repeated_once(make_session: MakeSession) -> None:
    begun = threading.Event()

    async def forever() -> None:
        """Never ends."""
        begun.set()
        await asyncio.Event().wait()

    first = calls(("forever", "{}"), said="Let me see.")
    service = Service(first, spoken("Fine."))
    session = make_session(service, tools=[forever])
    turn = session.start_turn("Go.")
    assert begun.wait(10)
    turn.stop()
    turn.wait()
    session.say("And now?")
    said = [message.get("content") for message in messages(service.asked[1])]
    assert said.count("Let me see.") == 1
