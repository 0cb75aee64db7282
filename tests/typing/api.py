"""Each public name as a user would write it. Only type-checked (scripts/check), never run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import assert_type

import httpx
import numpy as np

import cellvoice as cv


def make_sessions() -> list[cv.Session]:
    return [
        cv.Session(),
        cv.Session("gpt-audio", "marin", "Answer in one sentence."),
        cv.Session(
            model="gpt-audio",
            voice="cedar",
            system=None,
            api_key="a key",
            base_url="http://127.0.0.1:8000/v1",
            journal=False,
        ),
        cv.Session(journal="talks", temperature=0.2, max_completion_tokens=200, seed=7),
        cv.Session(journal=Path("talks")),
        cv.Session(
            headers={"X-Team": "red"},
            organization="org-1",
            project="proj_1",
            proxy="http://proxy.example:3128",
            timeout=90,
            max_retries=0,
        ),
        cv.Session(
            base_url="https://name.openai.azure.com/openai/deployments/mine",
            azure_api_version="2025-01-01-preview",
            timeout=cv.Timeouts(connect_s=2, first_byte_s=None, idle_s=10.5, total_s=300),
        ),
        cv.Session(http_client=httpx.AsyncClient()),
    ]


def replayed() -> None:
    tape = cv.Cassette("lesson", mode="auto", timing="instant")
    try:
        cv.Session(cassette=tape).say("Hello.")
    except cv.CassetteMiss as miss:
        print(miss.nearest, miss.differences)
    tape.pack("lesson.zip")
    print(cv.Session(cassette="lesson.zip").badge, tape.describe())


async def servers() -> None:
    with cv.mcp(["python", "server.py"], env={"TOKEN": "t"}, only=["search"]) as server:
        print([tool.name for tool in server.tools()], server.running)
    async with cv.mcp(url="http://127.0.0.1:8000/mcp", prefix="their_", approve="ask") as other:
        print(await other.atools())


def spans(session: cv.Session, turn: cv.Turn) -> None:
    stop = cv.watch_otel(session, content=True)
    stop()
    cv.export_otel(turn)


def sure(turn: cv.Turn) -> None:
    print(turn.confidence_price(20).usd)
    found = turn.confidence(samples=20)
    print(found["tone"].p, found["tone"].low, found.by, found.cost, found.to_dataframe())


def configure(session: cv.Session) -> None:
    session.configure(temperature=0.8, voice="marin", system=None, stop=["END"])
    values: dict[str, object] = session.settings_values()
    session.configure(**values)
    print(session.parameters["temperature"], session.parameters.get("seed"))


@dataclass
class Booking:
    city: str
    nights: int


def ask_for_an_object(session: cv.Session) -> Booking:
    tool = {"type": "function", "function": {"name": "weather"}}
    session.say("What should I wear?", tools=[tool], tool_choice="weather", format="mp3")
    booking: Booking = session.say("Book it.", schema=Booking).parsed
    return booking


def say(session: cv.Session, clip: cv.Clip) -> cv.Turn:
    session.say("Explain quantum entanglement in one sentence.")
    session.say(clip, temperature=0.5)
    session.say("question.wav")
    session.say(["What is said here?", clip])
    return assert_type(session.say(Path("question.wav")), cv.Turn)


async def say_without_blocking(session: cv.Session, clip: cv.Clip) -> cv.Turn:
    heard = assert_type(await session.alisten(), cv.Turn)
    print(heard.text)
    return assert_type(await session.asay(clip, voice="marin"), cv.Turn)


def listen(session: cv.Session) -> cv.Turn:
    session.listen(fresh=True)
    return assert_type(session.listen(system="Speak slowly."), cv.Turn)


def read_session(session: cv.Session) -> None:
    turns: Sequence[cv.Turn] = session.turns
    first: cv.Turn = turns[0]
    assert_type(session.turns, cv.Turns)
    assert_type(session[2], cv.Turn)
    assert_type(session[1:3], cv.Turns)
    print(session.turns[1:].to_dataframe().describe(), [turn.text for turn in session])
    cost: float = float(session.cost)
    print(len(turns), first, cost, session.usage, session.models())


def keep_session(session: cv.Session) -> list[cv.Session]:
    named = cv.Session(name="first lesson", journal="talks", gitignore=False)
    assert_type(named.name, str)
    saved: Path = session.save("talk.zip")
    session.export("talk.html")
    session.export(Path("talk.md"))
    session.export_audio("talk.mp3")
    session.export_audio("mine.wav", side="user", gap_s=1.0)
    print(session.to_script(), session.to_script("talk.py"))
    messages = assert_type(session.to_messages(), list[dict[str, object]])
    for take in session.unsent_takes:
        print(take.name, take.duration_s)
        session.say(take.clip)
        take.discard()
    there = cv.sessions()
    for one in there:
        print(one.name, one.made_at, one.turns, one.seconds, one.size_bytes, one.used_by)
    print(cv.sessions("talks")["first lesson"])
    would = cv.prune(keep=20, older_than_days=30, dry_run=True)
    print(would.freed_bytes, would.sessions, would.orphans, cv.prune(journal="talks"))
    return [
        cv.Session.resume("first lesson"),
        cv.Session.resume(there[0], voice="marin"),
        cv.Session.resume(Path("talks") / "20261125T101806-abcd", api_key="a key"),
        cv.Session.load(saved, journal="talks"),
        cv.Session.load("talk.zip", journal=False),
        cv.Session.from_messages(messages, model="gpt-audio-1.5"),
    ]


def change_the_conversation(session: cv.Session) -> None:
    branch = assert_type(session.fork(at=2, voice="marin", history="transcript"), cv.Session)
    branch.say("And in winter?", audio_turns=3)
    assert_type(session.edit(session[0], "What is the capital of Spain?"), cv.Turn)
    assert_type(session.regenerate(-1, temperature=0.9), cv.Turn)
    assert_type(session.refresh(), cv.Turns)
    assert_type(session.merge(branch), cv.Turns)
    assert_type(session.undo(2), cv.Turns)
    session.system = "Answer like a pirate."
    for message in session.history(system_changes=True):
        print(message["role"])
    price = assert_type(session.history_cost()["transcript"], cv.HistoryPrice)
    print(price.tokens, price.answers_as_sound, float(price.cost))
    comparison = assert_type(cv.compare(session, branch), cv.Comparison)
    print(comparison, comparison.to_dataframe(), comparison.cost)
    session.clear()


async def change_without_blocking(session: cv.Session) -> None:
    assert_type(await session.aedit(0, "What is the capital of Spain?"), cv.Turn)
    assert_type(await session.aregenerate(), cv.Turn)
    assert_type(await session.arefresh(), cv.Turns)


def count_money(turn: cv.Turn) -> None:
    own = cv.Prices(text_in_usd=1, text_out_usd=4, audio_in_usd=10, audio_out_usd=20)
    session = cv.Session(budget=0.50, prices={"my-model": own})
    cv.Session(prices=own).budget = None
    try:
        session.say("Hello.", max_completion_tokens=200)
    except cv.BudgetExceeded as error:
        assert_type(error.over_usd, float)
        print(error.spent_usd, error.estimated_usd, error.budget_usd)
    estimate = session.estimate("And in Lyon?", voice="marin")
    print(estimate.input_tokens, estimate.audio_tokens, estimate.replayed_audio_tokens)
    assert_type(estimate.usd, float | None)
    print(estimate.history_usd, estimate.replayed_audio_usd, estimate.answer_usd_per_s)
    print(turn.cost.parts.audio_out.tokens, session.cost.parts.text_in.usd)
    session.budget = 1.0
    assert_type(session.remaining_usd, float | None)
    assert_type(session.latency().first_sound_s.p95_s, float | None)
    session.latency().to_dataframe()
    print(turn.timing.upload_s, turn.timing.first_byte_s, turn.timing.first_words_s)


def read_turn(turn: cv.Turn) -> None:
    assert_type(turn.stale, bool)
    assert_type(turn.versions, tuple[cv.Turn, ...])
    number, count = turn.version
    print(number, count, dict(turn.rungs))
    assert_type(turn.text, str)
    assert_type(turn.clip, cv.Clip | None)
    assert_type(turn.save("answer.turn.json"), Path)
    if turn.logprobs is not None:
        assert_type(turn.logprobs.perplexity, float | None)
        assert_type(turn.logprobs.choice_probabilities(["yes", "no"]), dict[str, float])
    events: cv.RawEvents = turn.events
    assert_type(events.left_out, int)
    event: cv.RawEvent = events[0]
    assert_type(event.at_s, float)
    assert_type(event.text, str)
    assert_type(event.status, int | None)
    print(event.round, event.size_bytes, event.data, events.of_round(1), events.left_out_at)
    assert_type(turn.events_kept, bool)
    assert_type(turn.input, tuple[str | cv.Clip, ...])
    assert_type(turn.notices, tuple[str, ...])
    assert_type(turn.timing.first_sound_s, float | None)
    dollars: float = float(turn.cost)
    if turn.usage is not None:
        assert_type(turn.usage.prompt_tokens, int)
        assert_type(turn.usage.completion_tokens, int)
    if turn.request is not None:
        print(turn.request.described())
    if turn.finish == "stopped":
        print(turn.cell, dollars)
    turn.stop()


def make_clips() -> cv.Clip:
    whole = cv.Clip.read("question.wav")
    with Path("question.wav").open("rb") as file:
        whole = whole + cv.Clip.read(file)
    whole = cv.Clip.read(BytesIO(whole.to_bytes("wav")))
    whole = cv.Clip.from_bytes(whole.to_bytes("mp3"), "mp3")
    whole = cv.Clip.from_base64(whole.to_base64())
    whole = cv.Clip.from_pcm16(whole.to_pcm16(), 24_000)
    stereo = np.zeros((24_000, 2), dtype=np.float32)
    return assert_type(whole + cv.Clip.from_array(stereo, 24_000), cv.Clip)


def use_tools(session: cv.Session) -> None:
    @session.tool(timeout=10, approve="ask", writes=True)
    def book(city: str, nights: int = 1) -> str:
        return f"{nights} in {city}"

    @session.tool
    def count(upto: int, context: cv.ToolContext) -> int:
        context.progress("half")
        return 0 if context.stopped or context.cell is None else upto

    assert_type(book("Lyon"), str)
    turn = session.say("Book it.", tools=[count], max_tool_rounds=3, max_repairs=1)
    waiting: cv.PendingCall = session.pending[0]
    waiting.approve(nights=2)
    waiting.reject("too dear")
    waiting.always()
    waiting.always(nights=3)
    call: cv.ToolCall = turn.tool_calls[0]
    assert_type(call.error, str | None)
    assert_type(call.started_s, float | None)
    print(call.name, call.arguments["city"], call.result, call.ended_s, session.tools["count"])
    trace: cv.Trace = turn.trace
    span: cv.Span = trace[0]
    assert_type(trace.silences_s, list[tuple[float, float]])
    assert_type(turn.parsed_error, str | None)
    print(span.kind, span.seconds, trace.to_dataframe(), len(turn.requests))


def read_clip(clip: cv.Clip) -> None:
    loudest: float = np.abs(clip.samples).max()
    assert_type(clip.sample_rate_hz, int)
    assert_type(clip.duration_s, float)
    assert_type(clip.peak_dbfs, float)
    assert_type(clip.rms_dbfs, float)
    assert_type(clip.peaks(40), list[float])
    shorter = clip.trimmed(threshold_dbfs=-50.0).sliced(0.5, 1.5).resampled(16_000)
    shorter.write("shorter.flac")
    shorter.write(Path("shorter.ogg"))
    print(loudest, shorter == clip)


def answer_errors(session: cv.Session) -> str:
    """Each branch of the tree is caught by the one who must act."""
    try:
        session.say("Hello.")
    except cv.Stopped as stopped:
        return str(stopped)
    except cv.AudioError as error:
        return f"sound: {error}"
    except cv.UsageError as error:
        return f"argument: {error}"
    except (cv.AuthError, cv.QuotaError) as error:
        return f"account: {error.code}"
    except cv.ServiceError as error:
        return f"service: {error.status} {error.code} {error.param} {error.request_id}"
    except cv.ConnectionFailed as error:
        return f"network: {error}"
    except cv.StreamBroken as error:
        return error.turn.text if error.turn is not None else str(error)
    except cv.ProtocolError as error:
        return f"wire: {error}"
    except cv.DeviceError as error:
        return f"browser: {error.device_error}"
    except cv.EngineError as error:
        return f"engine: {error}"
    except cv.CellvoiceError as error:
        turn: cv.Turn | None = error.turn
        return f"{turn}: {error}"
    return ""


def answer_narrower_errors(session: cv.Session) -> str:
    """What a program may want to tell apart below a branch."""
    try:
        session.say("Hello.")
    except cv.RateLimited as error:
        wait_s: float | None = error.retry_after_s
        return f"later: {wait_s}"
    except cv.BillingError as error:
        return f"money: {error.code}"
    except (cv.ModelNotFound, cv.AudioNotFound, cv.RequestTooLarge) as error:
        return f"request: {error.param}"
    except (cv.ConnectTimeout, cv.AnswerTimeout) as error:
        return f"no answer: {error}"
    except (cv.IdleTimeout, cv.TotalTimeout) as error:
        late: TimeoutError = error
        return f"too slow: {late}, {error.turn}"
    return ""
