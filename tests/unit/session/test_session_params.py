"""Parameters on the session and for one call, and what comes of them."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from cellvoice.audio import Clip
from cellvoice.errors import UsageError
from cellvoice.protocol import PARAMS
from cellvoice.session import Session, Turn

from .conftest import MakeSession
from .rig import Reply, Service, event, recorded, speech


def text(said: str, *, finish: str = "stop") -> Reply:
    """A written answer."""
    choice = {"index": 0, "delta": {"content": said}}
    end = {"index": 0, "delta": {}, "finish_reason": finish}
    return Reply([event({"choices": [choice]}), event({"choices": [end]}), b"data: [DONE]\n\n"])


# Set for all, set for one, unset


def test_a_call_overrides_the_session_and_none_leaves_out(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service, temperature=0.8, seed=1)
    session.say("one", temperature=1.0, seed=None)
    session.say("two")
    one, two = (asked.body for asked in service.asked)
    assert one["temperature"] == 1.0 and "seed" not in one
    assert (two["temperature"], two["seed"]) == (0.8, 1)


def test_several_settings_change_at_once_from_the_next_turn_on(make_session: MakeSession) -> None:
    service = Service(recorded())
    session = make_session(service, seed=1)
    session.configure(model="gpt-audio", voice="marin", system="Be brief.", top_p=0.5, seed=None)
    turn = session.say("Hello.")
    body = service.asked[0].body
    assert (body["model"], body["audio"]["voice"]) == ("gpt-audio", "marin")
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["top_p"] == 0.5 and "seed" not in body
    assert turn.request is not None and turn.request.params["top_p"] == 0.5
    session.configure(voice=None, system=None)
    assert (session.voice, session.system) == (None, None)


def test_a_written_answer_to_sound_keeps_the_voice_for_later(make_session: MakeSession) -> None:
    service = Service(text("Paris."), speech())
    session = make_session(service)
    question = Clip.from_pcm16(b"\x00\x10" * 2400)
    written = session.say(question, modalities=["text"])
    assert service.asked[0].body["modalities"] == ["text"]
    assert "audio" not in service.asked[0].body
    assert (written.voice, written.text, written.notices) == (None, "Paris.", ())
    assert session.say("And now?").voice == session.voice == "alloy"


@pytest.mark.parametrize(
    "wrong", [{"top_p": 2}, {"tmperature": 1}, {"voice": 7}, {"model": None}, {"format": "aac"}]
)
def test_one_wrong_setting_changes_none(make_session: MakeSession, wrong: dict[str, Any]) -> None:
    session = make_session(Service(recorded()), seed=1)
    before = session.settings_values()
    with pytest.raises(UsageError):
        session.configure(temperature=0.9, system="Be brief.", **wrong)
    assert session.settings_values() == before


def test_what_is_set_is_json_and_can_be_set_again(make_session: MakeSession) -> None:
    session = make_session(
        Service(recorded()), voice={"id": "voice_1"}, stop=("a",), schema=Booking, seed=None
    )
    values = json.loads(json.dumps(session.settings_values()))
    assert values["voice"] == {"id": "voice_1"} and values["stop"] == ["a"]
    assert values["schema"]["required"] == ["city", "nights"] and "seed" not in values
    other = make_session(Service(recorded()))
    other.configure(**values)
    assert other.settings_values() == values


def test_the_values_are_a_copy(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), metadata={"lesson": "3"})
    values: Any = session.settings_values()
    values["metadata"]["lesson"] = "4"
    assert session.parameters["metadata"] == {"lesson": "3"}


@pytest.mark.parametrize(
    "described",
    [Session, Session.say, Session.asay, Session.listen, Session.alisten, Session.configure],
)
def test_the_docstrings_list_every_parameter(described: object) -> None:
    told = inspect.getdoc(described) or ""
    assert [name for name in PARAMS if f"\n    {name}: " not in told] == []


# The old name of the limit


def caught_at(call: Callable[[], object]) -> list[tuple[str, int]]:
    """File and line of each deprecation that a call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [(one.filename, one.lineno) for one in caught if one.category is DeprecationWarning]


def line() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def test_the_old_name_warns_at_the_caller_s_line_and_is_sent_as_the_new(
    make_session: MakeSession,
) -> None:
    service = Service(recorded())
    session = make_session(service)

    def here(call: Callable[[], object], at: int) -> None:
        assert caught_at(call) == [(__file__, at)]

    here(lambda: session.say("Hello.", max_tokens=100), line())
    here(lambda: session.configure(max_tokens=90), line())
    here(lambda: Session(journal=False, max_tokens=80), line())
    here(lambda: session.pending_turn({"max_tokens": 70}).give_up("enough"), line())
    assert service.asked[0].body["max_completion_tokens"] == 100
    assert "max_tokens" not in service.asked[0].body
    assert session.parameters == {"max_completion_tokens": 90}
    assert caught_at(lambda: session.say("Hello.", max_tokens=None)) == []
    assert "max_completion_tokens" not in service.asked[1].body


def test_the_old_name_warns_at_the_caller_s_line_without_blocking(
    make_session: MakeSession,
) -> None:
    session = make_session(Service(recorded()))

    async def ask_both() -> list[int]:
        before = line()
        await session.asay("one", max_tokens=100)
        # The task begins to run when the line that made it is over.
        await asyncio.gather(session.asay("two", max_tokens=200))
        return [before + 1, before + 3]

    lines: list[int] = []
    places = caught_at(lambda: lines.extend(asyncio.run(ask_both())))
    assert places == [(__file__, at) for at in lines] and len(places) == 2


def test_two_limits_that_differ_are_refused(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), max_completion_tokens=50)
    with pytest.raises(UsageError, match="max_tokens=100 and max_completion_tokens=200 differ"):
        session.say("Hello.", max_tokens=100, max_completion_tokens=200)
    assert caught_at(lambda: session.say("Hello.", max_tokens=100)) != []  # overrides the session


def test_settings_that_cannot_be_show_no_key() -> None:
    with pytest.raises(UsageError) as caught:
        Session(api_key="canary-0123456789", max_tokens=1, max_completion_tokens=2)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    inside = [frame.f_locals for frame in frames if frame.f_code.co_filename != __file__]
    shown = [value for local in inside for name, value in local.items() if name != "self"]
    assert inside and "canary" not in str(shown)


# Sound in one piece


def whole(sound: Clip, kind: str) -> Reply:
    """A spoken reply that is not streamed."""
    audio = {
        "id": "audio_1",
        "data": base64.b64encode(sound.to_bytes(kind)).decode(),
        "transcript": "Hello.",
        "expires_at": 1_780_700_000,
    }
    message = {"role": "assistant", "content": None, "audio": audio}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-audio-1.5",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    return Reply([json.dumps(body).encode()], headers={"content-type": "application/json"})


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "opus"])
def test_a_reply_in_another_format_comes_whole_and_is_heard(
    make_session: MakeSession, kind: str
) -> None:
    said = Clip.from_pcm16(b"\x00\x10\x00\xf0" * 12_000, 24_000)
    service = Service(whole(said, kind))
    turn = make_session(service).say("Hello.", format=kind)
    body = service.asked[0].body
    assert body["audio"] == {"voice": "alloy", "format": kind}
    assert not {"stream", "stream_options"} & set(body)
    assert (turn.finish, turn.text, turn.error) == ("complete", "Hello.", None)
    assert turn.clip is not None
    assert turn.clip.duration_s == pytest.approx(said.duration_s, abs=0.1)
    assert turn.timing.first_sound_s is not None and turn.notices == ()


def test_a_format_that_nothing_here_reads_is_refused(make_session: MakeSession) -> None:
    service = Service(recorded())
    with pytest.raises(UsageError, match="nothing here that reads AAC; 'mp3' and 'opus'"):
        make_session(service).say("Hello.", format="aac")
    assert service.asked == []


# What is known to hurt


def test_a_notice_warns_of_endless_noise_before_anything_is_sent(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), temperature=0)
    (noise, limit) = session.say("Hello.").notices
    assert "endless noise" in noise and "max_completion_tokens" in limit
    assert session.say("Hello.", temperature=0.8).notices == ()


# Objects


@dataclass
class Booking:
    city: str
    nights: int = 1


def called(name: str, arguments: str) -> Reply:
    """A reply that calls one function."""
    function = {"name": name, "arguments": arguments}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    deltas = [{"tool_calls": [call]}, {}]
    events = [event({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    return Reply([*events, b"data: [DONE]\n\n"])


def test_a_model_without_structured_outputs_gives_the_object_by_a_call(
    make_session: MakeSession,
) -> None:
    service = Service(called("Booking", '{"city": "Lyon", "nights": 2}'))
    turn = make_session(service).say("Book it.", schema=Booking)
    assert turn.parsed == Booking("Lyon", 2)
    assert (turn.finish, turn.notices) == ("complete", ())
    assert service.asked[0].body["tool_choice"]["function"]["name"] == "Booking"


def test_a_model_with_structured_outputs_gives_the_object_as_its_answer(
    make_session: MakeSession,
) -> None:
    service = Service(text('{"city": "Lyon", "nights": 2}'))
    session = make_session(service, model="a-text-model", schema=Booking)
    turn = session.say("Book it.", voice=None)
    assert turn.parsed == Booking("Lyon", 2) and turn.notices == ()
    assert service.asked[0].body["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (text("Sure, which city?"), "the reply is no Booking (it is no JSON)"),
        (called("Booking", '{"nights": 2}'), "the reply is no Booking (Object missing"),
        (called("weather", "{}"), "the model called 'weather' in place of giving a Booking"),
        (text('{"city": "Ly', finish="length"), "the reply is no Booking"),
    ],
)
def test_a_reply_that_is_no_such_object_is_kept_with_a_notice(
    make_session: MakeSession, reply: Reply, words: str
) -> None:
    turn: Turn = make_session(Service(reply)).say("Book it.", schema=Booking)
    assert turn.parsed is None and turn.error is None
    assert any(words in notice for notice in turn.notices), turn.notices


def test_a_turn_that_was_asked_for_no_object_has_none(make_session: MakeSession) -> None:
    turn = make_session(Service(speech(text='{"city": "Lyon"}'))).say("Hello.")
    assert turn.parsed is None and turn.notices == ()


# Words in logit_bias


class Vocabulary:
    """tiktoken's face, with a vocabulary of two words."""

    def __init__(self) -> None:
        self.asked_for: list[str] = []

    def get_encoding(self, name: str) -> Vocabulary:
        self.asked_for.append(name)
        return self

    def encoding_for_model(self, model: str) -> Vocabulary:
        raise KeyError(model)

    def encode_ordinary(self, word: str) -> list[int]:
        return {" Paris": [12366], " Lyon": [66]}.get(word, [1, 2])


@pytest.fixture
def vocabulary(monkeypatch: pytest.MonkeyPatch) -> Vocabulary:
    found, module = Vocabulary(), ModuleType("tiktoken")
    module.get_encoding = found.get_encoding  # type: ignore[attr-defined]
    module.encoding_for_model = found.encoding_for_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tiktoken", module)
    return found


def test_words_are_sent_as_the_tokens_of_the_model(
    make_session: MakeSession, vocabulary: Vocabulary
) -> None:
    service = Service(recorded())
    session = make_session(service, logit_bias={" Paris": -100, 7: 1})
    session.say("Hello.")
    assert service.asked[0].body["logit_bias"] == {"12366": -100, "7": 1}
    assert set(vocabulary.asked_for) == {"o200k_base"}
    with pytest.raises(UsageError, match="' Lyon', with the space"):
        session.say("Hello.", logit_bias={"Lyon": 1})
    with pytest.raises(UsageError, match="not known which tokens another-model has"):
        session.configure(model="another-model")


def test_ids_need_no_tokenizer(make_session: MakeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    service = Service(recorded())
    session = make_session(service, logit_bias={7: 1})
    session.say("Hello.")
    assert service.asked[0].body["logit_bias"] == {"7": 1}
    with pytest.raises(UsageError, match=r"pip install 'cellvoice\[tokens\]', or give token ids"):
        session.say("Hello.", logit_bias={"Paris": 1})


def test_a_vocabulary_that_cannot_be_fetched_is_told(
    make_session: MakeSession, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_encoding(name: str) -> Vocabulary:
        raise OSError(f"no network for {name}")

    monkeypatch.setattr(sys.modules["tiktoken"], "get_encoding", get_encoding)
    with pytest.raises(UsageError, match=r"could not get its vocabulary \(OSError\)"):
        make_session(Service(recorded()), logit_bias={"Paris": 1})


def test_a_real_tokenizer_of_a_small_vocabulary_finds_words(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiktoken = pytest.importorskip("tiktoken")
    letters = {bytes([value]): value for value in range(256)}
    small = tiktoken.Encoding(
        "small",
        pat_str=r" ?\w+|\W",
        mergeable_ranks={**letters, b"hi": 256},
        special_tokens={},
    )
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: small)
    service = Service(recorded())
    make_session(service).say("Hello.", logit_bias={"hi": 5, "a": -5})
    assert service.asked[0].body["logit_bias"] == {"256": 5, "97": -5}
    with pytest.raises(UsageError, match=r"'hey', which is 3 tokens \(104, 101, 121\)"):
        make_session(service).say("Hello.", logit_bias={"hey": 5})
