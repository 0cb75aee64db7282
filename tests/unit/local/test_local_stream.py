"""The engine's bytes, event by event, beside the bytes of the service."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.local.asks import parse_ask
from cellvoice.local.ears import Heard, NoEar
from cellvoice.local.ears.phrases import PhraseEar
from cellvoice.local.engine import NAME, Engine
from cellvoice.local.refusals import Refusal
from cellvoice.local.service import Service
from cellvoice.local.streaming import SoundStream
from cellvoice.local.voices import choose_voice
from cellvoice.local.wire import Frame, completion, stream

Body = Callable[..., bytes]
Json = dict[str, Any]


def payloads(raw: bytes) -> list[str]:
    lines = raw.decode().split("\n\n")
    assert all(not line or line.startswith("data: ") for line in lines)
    return [line.removeprefix("data: ") for line in lines if line]


def events_of(engine: Engine, body: bytes) -> list[Json]:
    raw = b"".join(frame.data for frame in stream(engine, parse_ask(body, engine.earlier)))
    *events, last = payloads(raw)
    assert last == "[DONE]"
    return [json.loads(event) for event in events]


def shape(event: Json) -> str:
    """The kind of an event by its keys, however deep, without the values."""

    def keys(value: object) -> object:
        if isinstance(value, dict):
            return {key: keys(inner) for key, inner in sorted(value.items())}
        return [keys(inner) for inner in value] if isinstance(value, list) else None

    return json.dumps(keys({k: v for k, v in event.items() if k != "x_engine"}))


def delta(event: Json) -> Json:
    choices = event.get("choices")
    return choices[0]["delta"] if choices else {}


def sound_of(events: list[Json]) -> list[bytes]:
    pieces = [delta(e).get("audio", {}).get("data") for e in events]
    return [base64.b64decode(piece, validate=True) for piece in pieces if piece]


def words_of(events: list[Json]) -> str:
    return "".join(delta(e).get("audio", {}).get("transcript", "") for e in events)


def test_every_shape_of_event_is_one_of_the_service(
    engine: Engine, body: Body, recorded: Path
) -> None:
    raw = (recorded / "gpt-audio-1.5.basic.shortest.sse").read_bytes()
    long = (recorded / "gpt-4o-audio-preview-2025-06-03.basic.2025-09.sse").read_bytes()
    theirs = {shape(json.loads(p)) for p in payloads(raw) + payloads(long) if p != "[DONE]"}
    ours = {shape(event) for event in events_of(engine, body())}
    # "Hello" is one token, so these two recordings have no second piece of transcript; its shape
    # is that of the first without the id (docs: {"delta":{"audio":{"transcript":" let"}}}).
    event = json.loads(payloads(raw)[1])
    event["choices"][0]["delta"] = {"audio": {"transcript": " let"}}
    assert ours - theirs == {shape(event)}
    assert {shape(json.loads(p)) for p in payloads(raw)[:-1]} <= ours


def test_events_come_in_the_order_of_the_service(engine: Engine, body: Body) -> None:
    events = events_of(engine, body())
    kinds = [kind_of(event) for event in events]
    assert kinds[:2] == ["role", "id"]
    assert kinds[2] == "words"
    assert kinds[-3:] == ["beat", "usage", "expiry"]
    assert kinds.count("usage") == kinds.count("expiry") == kinds.count("first sound") == 1
    assert kinds.index("first sound") < kinds.index("sound")
    assert kinds.index("words") < kinds.index("beat") < kinds.index("first sound")
    assert all("finish_reason" in e["choices"][0] for e in events[:-2] if e.get("choices"))
    assert "finish_reason" not in events[-1]["choices"][0]
    assert {json.dumps([e["id"], e["created"], e["model"]]) for e in events} == {
        json.dumps([events[0]["id"], events[0]["created"], NAME])
    }


def kind_of(event: Json) -> str:
    if "choices" not in event:
        return "beat"
    if not event["choices"]:
        return "usage"
    change = delta(event)
    audio = change.get("audio", {})
    if "expires_at" in audio:
        return "expiry"
    if "data" in audio:
        return "first sound" if "id" in audio else "sound"
    if "transcript" in audio:
        return "id" if "id" in audio else "words"
    return "role"


def test_the_first_sound_repeats_role_and_id(engine: Engine, body: Body) -> None:
    events = events_of(engine, body())
    named = [delta(e)["audio"]["id"] for e in events if "id" in delta(e).get("audio", {})]
    first = next(delta(e) for e in events if "data" in delta(e).get("audio", {}))
    assert len(named) == 2
    assert named[0] == named[1]
    assert (first["role"], first["content"], first["refusal"]) == ("assistant", None, None)


def test_sound_comes_in_400_ms_and_twenty_tokens_make_a_second(engine: Engine, body: Body) -> None:
    events = events_of(engine, body())
    pieces = sound_of(events)
    assert [len(piece) for piece in pieces[:-1]] == [19_200] * (len(pieces) - 1)
    assert 0 < len(pieces[-1]) <= 19_200
    usage = events[-2]["usage"]
    spoken = usage["completion_tokens_details"]
    assert spoken["audio_tokens"] * 2_400 == sum(len(piece) for piece in pieces)
    assert sum(kind_of(e) == "beat" for e in events) == spoken["audio_tokens"] + 1
    assert usage["completion_tokens"] == spoken["audio_tokens"] + spoken["text_tokens"]
    assert usage["prompt_tokens_details"]["audio_tokens"] == 25  # 2.55 s, rounded down
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_usage_and_noise_are_left_out_when_not_asked_for(engine: Engine, body: Body) -> None:
    events = events_of(engine, body(stream_options={"include_obfuscation": False}))
    assert all("usage" not in e and "obfuscation" not in e for e in events)


def test_the_first_event_says_what_the_engine_is_and_heard(engine: Engine, body: Body) -> None:
    first = events_of(engine, body())[0]
    assert first["x_engine"] == {
        "name": "cellvoice-engine-1",
        "badge": "embedded engine, not gpt-audio",
        "voice": "formant voice",
        "ear": "told",
        "heard": "what is the capital of france",
        "sound": "speech",
    }
    assert first["system_fingerprint"] == "fp_cellvoice_formant_told"


def times_of(events: list[Json]) -> list[list[float]]:
    return [word for e in events for word in e.get("x_engine", {}).get("words", [])]


def test_the_words_of_each_sentence_are_timed_as_it_is_sent(engine: Engine, body: Body) -> None:
    events = events_of(engine, body(temperature=0))
    said, times = words_of(events), times_of(events)
    assert [said[int(begin) : int(end)] for begin, end, _, _ in times] == said.replace(
        ".", ""
    ).split()
    edges = [edge for _, _, start_s, end_s in times for edge in (start_s, end_s)]
    assert edges == sorted(edges)
    sound_s = sum(len(piece) for piece in sound_of(events)) / 48_000
    assert sound_s - 0.5 < edges[-1] < sound_s
    carriers = [e for e in events[1:] if "x_engine" in e]
    assert [kind_of(e) for e in carriers] == ["beat"] * 2  # one for each sentence
    whole = body(temperature=0, stream=False, stream_options=...)
    reply = json.loads(completion(engine, parse_ask(whole, engine.earlier)))
    assert reply["x_engine"]["words"] == times


@pytest.mark.parametrize("limit", [5, 30, 60])
def test_no_word_is_timed_beyond_a_cut(engine: Engine, body: Body, limit: int) -> None:
    events = events_of(engine, body(temperature=0, max_completion_tokens=limit))
    sound_s = sum(len(piece) for piece in sound_of(events)) / 48_000
    times = times_of(events)
    assert all(end_s <= sound_s + 1e-9 for _, _, _, end_s in times)
    assert all(end <= len(words_of(events)) for _, end, _, _ in times)


def test_it_answers_what_it_heard(engine: Engine, ear: Any, body: Body) -> None:
    assert "Paris" in words_of(events_of(engine, body(temperature=0)))
    ear.hears = Heard("why is the sky blue", 1.2)
    assert "scatters" in words_of(events_of(engine, body(temperature=0)))


def test_silence_is_called_silence(engine: Engine, ear: Any, body: Body) -> None:
    ear.hears = Heard("", 0.0)
    events = events_of(engine, body())
    assert words_of(events).startswith("I heard nothing.")
    assert events[0]["x_engine"]["heard"] == ""


@pytest.mark.parametrize(
    ("kind", "starts"),
    [("noise", "I heard noise, and no speech."), ("music", "I heard music or a tone, and no")],
)
def test_what_is_no_speech_is_called_by_its_name(
    engine: Engine, ear: Any, body: Body, kind: Any, starts: str
) -> None:
    ear.hears = Heard("", 0.0, kind)
    events = events_of(engine, body())
    assert words_of(events).startswith(starts)
    assert (events[0]["x_engine"]["heard"], events[0]["x_engine"]["sound"]) == ("", kind)


def test_speech_that_is_none_of_the_known_questions_is_said_to_be_so(clock: Any) -> None:
    engine = Engine(voice=choose_voice("formant"), ear=PhraseEar(), clock=clock)
    events = events_of(engine, spoken("nobody knows who painted this wall"))
    assert words_of(events).startswith("I heard 1.8 s of speech")
    assert "it was none of the questions that I know by their sound" in words_of(events)
    assert events[0]["x_engine"]["heard"] is None


def spoken(text: str) -> bytes:
    clip = Clip.from_array(choose_voice("formant").speak(text, "alloy"), 24_000)
    sound = {"data": clip.to_base64("wav"), "format": "wav"}
    message = {"role": "user", "content": [{"type": "input_audio", "input_audio": sound}]}
    audio = {"voice": "alloy", "format": "pcm16"}
    request = {"model": "gpt-audio", "modalities": ["text", "audio"], "audio": audio}
    return json.dumps({**request, "stream": True, "messages": [message]}).encode()


def test_without_a_recogniser_it_says_so(clock: Any) -> None:
    engine = Engine(voice=choose_voice("formant"), ear=NoEar(), clock=clock)
    events = events_of(engine, spoken("nobody knows who painted this wall"))
    assert words_of(events).startswith("I heard 1.8 s of speech, not transcribed")
    assert "cellvoice[engine]" in words_of(events)
    assert events[0]["x_engine"]["heard"] is None
    assert events[0]["x_engine"]["ear"] == "none"


@pytest.mark.parametrize("limit", [1, 5, 30, 60])
def test_the_token_limit_counts_words_and_sound(engine: Engine, body: Body, limit: int) -> None:
    events = events_of(engine, body(max_completion_tokens=limit))
    usage = events[-2]["usage"]
    assert usage["completion_tokens"] == limit
    sound = sum(len(piece) for piece in sound_of(events))
    assert usage["completion_tokens_details"]["audio_tokens"] * 2_400 == sound


def test_stop_texts_act_and_are_not_said(engine: Engine, body: Body) -> None:
    events = events_of(engine, body(temperature=0, stop=[" is"]))
    assert words_of(events) == "The capital of France"


def test_an_answer_can_be_replayed_for_an_hour(engine: Engine, clock: Any, body: Body) -> None:
    events = events_of(engine, body(temperature=0))
    said, spent = words_of(events), events[-2]["usage"]["completion_tokens_details"]
    audio_id = next(delta(e)["audio"]["id"] for e in events if kind_of(e) == "id")
    assert delta(events[-1])["audio"]["expires_at"] == clock.now + 3_600
    turns = [
        {"role": "assistant", "audio": {"id": audio_id}},
        {"role": "user", "content": "please repeat that"},
    ]
    again = events_of(engine, body(messages=turns, temperature=0))
    assert words_of(again) == said
    assert again[-2]["usage"]["prompt_tokens_details"]["audio_tokens"] == spent["audio_tokens"]
    clock.now += 3_599
    parse_ask(body(messages=turns), engine.earlier)
    clock.now += 1
    with pytest.raises(Refusal, match="not found"):
        parse_ask(body(messages=turns), engine.earlier)


def test_a_written_answer_is_an_ordinary_text_stream(
    engine: Engine, body: Body, recorded: Path
) -> None:
    events = events_of(engine, body(modalities=["text"], audio=..., temperature=0))
    assert delta(events[0]) == {"role": "assistant", "content": "", "refusal": None}
    assert "".join(delta(e).get("content", "") for e in events).startswith("The capital of France")
    assert events[-2]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert events[-1]["choices"] == []
    assert events[-1]["usage"]["completion_tokens_details"]["audio_tokens"] == 0
    cut = events_of(engine, body(modalities=["text"], audio=..., max_tokens=3))
    assert cut[-2]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("name", "starts"),
    [("wav", b"RIFF"), ("mp3", b"\xff"), ("flac", b"fLaC"), ("opus", b"OggS"), ("pcm16", b"")],
)
def test_a_whole_reply_comes_in_the_format_asked_for(
    engine: Engine, body: Body, name: str, starts: bytes
) -> None:
    asked = body(stream=False, stream_options=..., audio={"voice": "nova", "format": name})
    reply = json.loads(completion(engine, parse_ask(asked, engine.earlier)))
    message = reply["choices"][0]["message"]
    assert set(message) == {"role", "content", "refusal", "audio", "annotations"}
    assert set(message["audio"]) == {"id", "data", "expires_at", "transcript"}
    sound = base64.b64decode(message["audio"]["data"])
    assert sound.startswith((starts, b"ID3"))
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["model"] == NAME
    assert reply["x_engine"]["badge"] == "embedded engine, not gpt-audio"


class SlowTime:
    """A clock and a sleep that know each other."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_realtime_sends_sound_no_faster_than_it_plays(engine: Engine, body: Body) -> None:
    time = SlowTime()
    service = Service(engine, api_key=None, pace="realtime", clock=time.clock, sleep=time.sleep)
    answer = await service.answer("POST", "/v1/chat/completions", None, body())
    assert isinstance(answer.body, SoundStream)
    sent_s = 0.0
    async for piece in answer.body:
        events = [json.loads(p) for p in payloads(piece) if p != "[DONE]"]
        sent_s += sum(len(sound) for sound in sound_of(events)) / 48_000
        assert sent_s <= time.now + 1.2 + 1e-9  # what has played, the lead, and one chunk
    assert sent_s > 2
    assert time.now == pytest.approx(sent_s, abs=1.3)


async def test_a_slow_start_earns_no_burst_of_sound(engine: Engine, body: Body) -> None:
    time = SlowTime()

    def late() -> Any:
        for frame in stream(engine, parse_ask(body(), engine.earlier)):
            if frame.start_s == 0.0:
                time.now += 5  # the voice took so long
            yield frame

    begun_at, sent_s = 5.0, 0.0
    async for piece in SoundStream(late(), "realtime", time.clock, time.sleep):
        events = [json.loads(p) for p in payloads(piece) if p != "[DONE]"]
        sent_s += sum(len(sound) for sound in sound_of(events)) / 48_000
        assert sent_s == 0 or sent_s <= time.now - begun_at + 1.2 + 1e-9
    assert sent_s > 2


async def test_leaving_early_stops_the_engine(engine: Engine, body: Body) -> None:
    made: list[Frame] = []
    ended: list[bool] = []

    def watched() -> Any:
        try:
            for frame in stream(engine, parse_ask(body(), engine.earlier)):
                made.append(frame)
                yield frame
        finally:
            ended.append(True)

    sound = SoundStream(watched(), "fast", lambda: 0.0, lambda _: None)  # type: ignore[arg-type, return-value]
    async for piece in sound:
        if b'"data"' in piece:
            break
    await sound.aclose()
    assert ended == [True]
    assert sum(frame.start_s is not None for frame in made) == 1


async def test_headers_are_those_of_the_service(engine: Engine, body: Body) -> None:
    service = Service(engine, api_key="key")
    answer = await service.answer("POST", "/v1/chat/completions", "Bearer key", body())
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["x-request-id"].startswith("req_")
    assert int(answer.headers["openai-processing-ms"]) >= 0
    assert isinstance(answer.body, SoundStream)
    await answer.body.aclose()
