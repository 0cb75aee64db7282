"""Any reply that can be written as a stream is read back the same, however written and cut."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cellvoice.protocol import (
    AudioChunk,
    AudioExpiry,
    AudioStarted,
    Event,
    FinishReason,
    LogprobsChunk,
    OtherChoice,
    RefusalChunk,
    ReplyStarted,
    StreamDone,
    TextChunk,
    ToolCallChunk,
    TranscriptChunk,
    Usage,
    UsageReceived,
)

from .wire import b64, folded, read_stream, seen

TEXTS = st.text(min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
# A first sample that begins no file, so that bare sound is known to be bare.
SOUNDS = st.binary(max_size=60).map(lambda found: b"\x01\x00" + found[: len(found) // 2 * 2])
COUNTS = st.integers(0, 10**6)


@st.composite
def logprobs(draw: st.DrawFn) -> LogprobsChunk:
    tokens = draw(st.lists(TEXTS, min_size=1, max_size=3))
    rows = [{"token": one, "logprob": -0.5, "bytes": list(one.encode())} for one in tokens]
    field = draw(st.sampled_from(["content", "refusal"]))
    found = {"content": None, "refusal": None, field: rows}
    return LogprobsChunk(json.dumps(found).encode())


CHOICE_EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(TranscriptChunk, TEXTS),
    st.builds(TextChunk, TEXTS),
    st.builds(RefusalChunk, TEXTS),
    st.builds(AudioStarted, NAMES),
    st.builds(AudioChunk, SOUNDS, st.just(24_000)),
    st.builds(AudioExpiry, st.integers(1, 2**40)),
    st.builds(FinishReason, st.sampled_from(["stop", "length", "tool_calls", "content_filter"])),
    st.builds(ToolCallChunk, st.integers(0, 3), NAMES, NAMES, TEXTS, st.booleans()),
    logprobs(),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    CHOICE_EVENTS,
    st.builds(OtherChoice, st.integers(1, 3), CHOICE_EVENTS),
    st.builds(
        UsageReceived,
        st.builds(
            Usage.from_json,
            st.fixed_dictionaries(
                {
                    "prompt_tokens": COUNTS,
                    "completion_tokens": COUNTS,
                    "completion_tokens_details": st.fixed_dictionaries({"audio_tokens": COUNTS}),
                }
            ),
        ),
    ),
)
STARTED = ReplyStarted("chatcmpl-1", "gpt-audio-1.5", 1_780_000_000, "fp_1")


def written(event: Event) -> dict[str, Any]:
    """An event as the JSON of a stream has it, without what all events share."""
    if isinstance(event, OtherChoice):
        return {"choices": [{**_choice(event.event), "index": event.index}]}
    if isinstance(event, UsageReceived):
        return {"choices": [], "usage": event.usage.to_json()}
    return {"choices": [{"index": 0, **_choice(event)}]}


def _choice(event: Event) -> dict[str, Any]:
    if isinstance(event, FinishReason):
        return {"delta": {}, "finish_reason": event.reason}
    if isinstance(event, LogprobsChunk):
        return {"delta": {}, "logprobs": json.loads(event.raw)}
    return {"delta": _delta(event), "finish_reason": None}


def _delta(event: Event) -> dict[str, Any]:
    match event:
        case TextChunk(text):
            return {"content": text}
        case RefusalChunk(text):
            return {"refusal": text}
        case TranscriptChunk(text):
            return {"audio": {"transcript": text}}
        case AudioStarted(audio_id):
            return {"audio": {"id": audio_id}}
        case AudioChunk(pcm):
            return {"audio": {"data": b64(pcm)}}
        case AudioExpiry(expires_at):
            return {"audio": {"expires_at": expires_at}}
        case ToolCallChunk(index, call_id, name, arguments, custom):
            kind, field = ("custom", "input") if custom else ("function", "arguments")
            call = {"type": kind, kind: {"name": name, field: arguments}}
            return {"tool_calls": [{"index": index, "id": call_id, **call}]}
        case _:
            raise AssertionError(event)


SHARED = {
    "id": STARTED.reply_id,
    "object": "chat.completion.chunk",
    "created": STARTED.created,
    "model": STARTED.model,
    "system_fingerprint": STARTED.fingerprint,
}


def rendered(events: list[Event], draw: st.DrawFn) -> bytes:
    """The events as a stream, with line ends, comments and noise that a drawing decides."""
    out = []
    for event in [*events, StreamDone()]:
        end = draw(st.sampled_from(["\n", "\r\n"]))
        if draw(st.booleans()):
            out.append(f": {draw(st.sampled_from(['', 'ping', 'data: {}']))}{end}")
        payload = "[DONE]"
        if not isinstance(event, StreamDone):
            noise = draw(st.sampled_from([{}, {"usage": None}, {"obfuscation": "x9"}]))
            ascii_only = draw(st.booleans())
            found = {**SHARED, **noise, **written(event)}
            payload = json.dumps(found, ensure_ascii=ascii_only)
        out.append(f"data: {payload}{end}{end}")
    return "".join(out).encode()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_events_written_anyhow_and_cut_anywhere_are_the_same_reply(data: st.DataObject) -> None:
    events = data.draw(st.lists(EVENTS, min_size=1, max_size=12))
    body = rendered(events, data.draw)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    ends = zip([0, *cuts], [*cuts, len(body)], strict=True)
    reply = read_stream(*(body[start:end] for start, end in ends))
    assert seen(reply) == seen(folded([STARTED, *events, StreamDone()]))
