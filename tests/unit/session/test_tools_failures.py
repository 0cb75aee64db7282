"""What goes wrong with a call is told to the model, shown, and ends somewhere."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import Stopped
from cellvoice.session.tools import ToolContext

from .conftest import MakeSession
from .rig import Reply, Service
from .tool_rig import DONE, calls, delta, messages, spoken, told

KEY = "sk-proj-" + "a1B2" * 10


def weather(city: str) -> str:
    """Current weather."""
    return f"{city}: sun"


def fails(why: str) -> str:
    """Always fails."""
    raise LookupError(why)


def leaves() -> str:
    """Ends the process, or so it thinks."""
    sys.exit(3)


async def interrupts() -> str:
    """As if Ctrl-C came inside."""
    raise KeyboardInterrupt


async def gives_up() -> str:
    """Its own work was cancelled, not the turn."""
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        (fails, '{"why": "no such city"}', "LookupError: no such city"),
        (leaves, "{}", "SystemExit: 3"),
        (interrupts, "{}", "KeyboardInterrupt"),
        (gives_up, "{}", "CancelledError"),
    ],
)
def test_an_error_goes_to_the_model_as_text_and_is_shown(
    make_session: MakeSession, tool: object, arguments: str, words: str
) -> None:
    name = tool.__name__  # type: ignore[attr-defined]
    service = Service(calls((name, arguments)), spoken("That failed."), spoken("Fine."))
    session = make_session(service, tools=[tool])
    turn = session.say("Try it.")
    (call,) = turn.tool_calls
    assert (call.state, call.error, call.result) == ("failed", words, None)
    assert told(service.asked[1]) == [f"error: {words}"]
    assert (turn.finish, turn.text) == ("complete", "That failed.")
    assert session.say("Still there?").text == "Fine."


def test_no_key_reaches_the_model_or_the_card(make_session: MakeSession) -> None:
    def leaks() -> str:
        """Says too much."""
        return f"the key is {KEY}"

    service = Service(calls(("fails", f'{{"why": "{KEY}"}}'), ("leaks", "{}")), spoken("Oh."))
    turn = make_session(service).say("Try it.", tools=[fails, leaks])
    shown = repr([call.to_json() for call in turn.tool_calls]) + repr(told(service.asked[1]))
    assert KEY not in shown


def test_one_that_fails_does_not_stop_the_others(make_session: MakeSession) -> None:
    service = Service(
        calls(("fails", '{"why": "no"}'), ("weather", '{"city": "Lyon"}')), spoken("One of two.")
    )
    turn = make_session(service).say("Both.", tools=[fails, weather])
    assert [call.state for call in turn.tool_calls] == ["failed", "done"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_tool_that_takes_too_long_is_given_up(make_session: MakeSession, kind: str) -> None:
    never, gone = threading.Event(), threading.Event()

    def sync(context: ToolContext) -> None:
        """Blocks."""
        while not context.stopped:
            never.wait(0.01)
        gone.set()

    async def awaits() -> None:
        """Waits."""
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    tool = sync if kind == "sync" else awaits
    service = Service(calls((tool.__name__, "{}")), spoken("It took too long."))
    session = make_session(service)
    session.tool(timeout=0.05)(tool)
    (call,) = session.say("Wait.").tool_calls
    assert call.error == "it did not end within 0.05 s"
    assert gone.wait(10)


def test_progress_is_on_the_call_and_ends_a_tool_that_nobody_waits_for(
    make_session: MakeSession,
) -> None:
    begun, ended = threading.Event(), threading.Event()
    seen: list[str] = []

    def works(context: ToolContext) -> None:
        """Works on and on."""
        context.progress("half")
        begun.set()
        try:
            while True:
                context.progress("more")
        except Stopped:
            ended.set()
            raise

    session = make_session(Service(calls(("works", "{}"))), tools=[works])
    turn = session.start_turn("Work.")
    turn.when_tools_change(lambda: seen.append(turn.tool_calls[0].progress))
    assert begun.wait(10)
    turn.stop()
    assert turn.wait(10) and ended.wait(10)
    assert turn.finish == "stopped" and "half" in seen


def test_a_tool_knows_the_turn_that_calls_it(make_session: MakeSession) -> None:
    found: list[ToolContext] = []

    def look(context: ToolContext, what: str) -> str:
        """Look."""
        found.append(context)
        return what

    service = Service(calls(("look", '{"what": "here"}')), spoken("Seen."))
    session = make_session(service)
    turn = session.say("Look.", tools=[look])
    (context,) = found
    assert context.turn is turn and context.session is session and context.cell is None
    assert context.call is turn.tool_calls[0]
    assert "context" not in repr(service.asked[0].body["tools"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"city": "Ly', "not a JSON object"),
        ("[1]", "not a JSON object"),
        ('{"town": "Lyon"}', "city"),
    ],
)
def test_arguments_that_do_not_fit_are_given_back_to_be_repaired(
    make_session: MakeSession, arguments: str, words: str
) -> None:
    service = Service(
        calls(("weather", arguments)), calls(("weather", '{"city": "Lyon"}')), spoken("Sun.")
    )
    turn = make_session(service).say("Lyon?", tools=[weather])
    wrong, right = turn.tool_calls
    assert wrong.state == "failed" and words in (wrong.error or "")
    assert wrong.arguments_text == arguments and right.result == "Lyon: sun"
    assert told(service.asked[1]) == [f"error: {wrong.error}"]


def test_they_are_given_back_a_bounded_number_of_times(make_session: MakeSession) -> None:
    wrong = calls(("weather", "{}"))
    service = Service(wrong, wrong, wrong, spoken("I can't."))
    turn = make_session(service).say("Lyon?", tools=[weather])
    choices = [asked.body.get("tool_choice") for asked in service.asked]
    assert choices == [None, None, None, "none"]
    assert turn.text == "I can't." and "max_repairs=2" in turn.notices[0]


def test_an_unknown_name_is_told_with_those_there_are(make_session: MakeSession) -> None:
    service = Service(calls(("wether", '{"city": "Lyon"}')), spoken("Sorry."))
    turn = make_session(service).say("Lyon?", tools=[weather])
    assert turn.tool_calls[0].error == "there is no tool 'wether'; there are: weather"
    assert told(service.asked[1])[0].startswith("error: there is no tool")


@pytest.mark.parametrize(
    ("ending", "finish"),
    [
        ([], "cut"),
        ([delta({}, finish_reason="length"), DONE], "length"),
        ([delta({}, finish_reason="content_filter"), DONE], "filtered"),
    ],
)
def test_nothing_is_run_of_a_reply_that_did_not_come_to_its_end(
    make_session: MakeSession, ending: list[bytes], finish: str
) -> None:
    whole = calls(("weather", '{"city": "Lyon"}'))
    service = Service(Reply([*whole.pieces[:-2], *ending]), spoken("Fine."))
    session = make_session(service, tools=[weather])
    turn = session.start_turn("Lyon?")
    assert turn.wait(10) and turn.finish == finish and len(service.asked) == 1
    (call,) = turn.tool_calls
    assert (call.state, call.started_s) == ("failed", None)
    assert call.error == "not run: the reply did not come to its end"
    session.say("And now?")
    assert [message["role"] for message in messages(service.asked[1])] == ["user"]


def test_calls_without_ids_or_with_the_same_ones_get_their_own(make_session: MakeSession) -> None:
    reply = calls(("weather", '{"city": "a"}'), ("weather", '{"city": "b"}'))
    reply.pieces = [
        piece.replace(b'"id": "call_weather_0"', b'"id": "x"').replace(
            b'"id": "call_weather_1"', b'"id": ""'
        )
        if isinstance(piece, bytes)
        else piece
        for piece in reply.pieces
    ]
    service = Service(reply, reply, spoken("Twice."))
    turn = make_session(service).say("Both.", tools=[weather])
    ids = [call.id for call in turn.tool_calls]
    assert len(set(ids)) == 4 and ids[0] == "x" and all(ids)
    answered = [one["tool_call_id"] for one in messages(service.asked[2]) if one["role"] == "tool"]
    assert answered == ids


def test_a_clip_as_a_result_is_described(make_session: MakeSession) -> None:
    def record() -> Clip:
        """A sound."""
        return Clip.from_pcm16(b"\x00\x10" * 12_000, 24_000)

    service = Service(calls(("record", "{}")), spoken("Heard."))
    (call,) = make_session(service).say("Record.", tools=[record]).tool_calls
    assert isinstance(call.result, Clip)
    assert (call.result_text or "").startswith("a sound of 0.5 s at 24000 Hz")
    assert 'src="data:image/svg+xml' in (call.result_html or "")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_tool_that_would_wait_for_its_own_turn_is_told_so(
    make_session: MakeSession, kind: str
) -> None:
    def ask() -> str:
        """Ask."""
        return session.say("What do you mean?").text

    async def aask() -> str:
        """Ask."""
        return (await session.asay("What do you mean?")).text

    tool = ask if kind == "sync" else aask
    service = Service(calls((tool.__name__, "{}")), spoken("I see."))
    session = make_session(service, tools=[tool])
    turn = session.say("Go.")
    assert "whose turn waits for that tool" in (turn.tool_calls[0].error or "")
    assert turn.text == "I see." and len(session.turns) == 1


def test_a_tool_may_ask_in_another_session(make_session: MakeSession) -> None:
    other = make_session(Service(spoken("From elsewhere.")))

    def ask() -> str:
        """Ask."""
        return other.say("What do you mean?").text

    session = make_session(Service(calls(("ask", "{}")), spoken("I see.")), tools=[ask])
    assert session.say("Go.").tool_calls[0].result == "From elsewhere."
