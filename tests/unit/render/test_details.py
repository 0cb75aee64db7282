"""What a card has beside words and facts: probabilities, word times, tools, the request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cellvoice.protocol import CostPart, CostParts, Reply, build_request, user_message
from cellvoice.protocol.fold import ReplyToolCall
from cellvoice.render import WHOLE, frozen, html, text
from cellvoice.session.tools import ToolCall
from cellvoice.session.tools.trace import Span

from .conftest import SampleCall, SampleSpan, probabilities

CONTRACT = Path(__file__).parents[2] / "contract"
KEY = "sk-proj-" + "a1B2" * 12


def checked(turn: Any, **options: Any) -> dict[str, Any]:
    """The form as a page reads it, found good by the schema."""
    form = json.loads(json.dumps(frozen(turn, **options), allow_nan=False))
    schema = json.loads((CONTRACT / "turn.v1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(form)
    assert isinstance(form, dict)
    return form


@dataclass
class Priced:
    parts: CostParts


def test_a_full_turn_has_the_keys_of_the_full_example(full_turn: Any) -> None:
    example = json.loads((CONTRACT / "turn.v1.full.json").read_text(encoding="utf-8"))
    full_turn.cost = Priced(CostParts(text_in=CostPart(5, 0.1), audio_out=CostPart(0, 0.0)))
    full_turn.parsed_error = "…"
    made = checked(full_turn)
    assert made.keys() == example.keys()
    assert made["facts"].keys() == example["facts"].keys()
    assert made["tool_calls"][0].keys() == example["tool_calls"][0].keys()
    assert made["trace"][0].keys() == example["trace"][0].keys()
    assert made["logprobs"].keys() == example["logprobs"].keys()
    assert made["versions"] == {"k": 2, "of": 2, "ids": ["older", full_turn.id]}
    assert made["facts"]["cost_parts"] == [{"part": "text_in", "tokens": 5, "usd": 0.1}]


def test_probabilities_are_rounded_and_the_rest_is_counted(full_turn: Any) -> None:
    full_turn.reply.logprobs = probabilities(500, 20)
    form = checked(full_turn)["logprobs"]
    assert form["tokens"][0][:3] == [" a", None, -0.25]
    assert form["tokens"][0][3][:2] == [[" a", None, -0.25], [" x0", None, -2.0]]
    assert len(form["tokens"]) + form["more"] == 500
    assert 30_000 < len(json.dumps(form)) < 50_000
    assert form["perplexity"] == pytest.approx(1.284, abs=0.001)
    whole = checked(full_turn, limits=WHOLE)["logprobs"]
    assert (len(whole["tokens"]), whole["more"]) == (500, 0)


def test_without_probabilities_a_sentence_says_why(make_turn: Any, full_turn: Any) -> None:
    question = [user_message(["Hello."])]
    written = make_turn(0, text="Hello.", model="gpt-x")
    assert "logprobs=True" in checked(written)["logprobs_why"]
    full_turn.reply.logprobs, full_turn.reply.model = None, "gpt-audio"
    form = checked(full_turn)
    assert form["logprobs"] is None
    assert form["logprobs_why"].startswith("gpt-audio: audio models give no token probabilities")
    full_turn.reply.model = "gpt-x"
    full_turn.request = build_request(model="gpt-x", messages=question, params={"logprobs": True})
    assert "although they were asked for" in checked(full_turn)["logprobs_why"]


def test_words_are_placed_in_the_text_of_a_turn_that_has_ended(full_turn: Any) -> None:
    form = checked(full_turn)
    text = form["reply"]["text"]
    assert [text[first:end] for first, end, *_ in form["words"]][:2] == ["In", "Zürich"]
    assert form["words_estimated"] is True
    full_turn.finish = None
    assert "words" not in checked(full_turn)


def test_the_request_is_shown_without_its_sound_and_without_keys(full_turn: Any) -> None:
    question = user_message([f"My key is {KEY}.", *full_turn.input[1:]])
    full_turn.request = build_request(model="gpt-audio", messages=[question], voice="alloy")
    form = checked(full_turn)
    shown = json.dumps(form, ensure_ascii=False)
    assert "⟨wav 4.2 s⟩" in shown
    assert KEY not in shown
    assert form["request"]["audio"] == {"voice": "alloy", "format": "pcm16"}


def test_a_long_request_keeps_its_beginning_and_its_newest_messages(full_turn: Any) -> None:
    messages = [{"role": "system", "content": "Be brief."}]
    messages += [{"role": "user", "content": f"Question {n}. " * 20} for n in range(500)]
    full_turn.request = build_request(model="gpt-x", messages=messages)
    form = checked(full_turn)
    assert len(json.dumps(form["request"], ensure_ascii=False).encode()) <= 4_000
    shown = form["request"]["messages"]
    assert shown[0]["content"] == "Be brief."
    assert shown[1].endswith("more …")
    assert shown[-1]["content"].startswith("Question 499.")
    assert len(checked(full_turn, limits=WHOLE)["request"]["messages"]) == 501


def test_arguments_that_are_no_object_are_shown_as_the_model_wrote_them(full_turn: Any) -> None:
    cut = ToolCall("call_2", "lookup", '{"city": ', in_round=1, asked_s=0.25)
    full_turn.tool_calls = (cut, SampleCall(state="dreaming"))
    call, other = checked(full_turn)["tool_calls"]
    assert (call["arguments"], call["arguments_text"]) == (None, '{"city": ')
    assert (call["state"], call["asked_s"], call["ended_s"]) == ("waiting", 0.25, None)
    assert other["state"] == "done"


def test_long_results_are_cut_and_keys_in_them_are_masked(full_turn: Any) -> None:
    full_turn.tool_calls = (
        SampleCall(result_text="x" * 1_000_000, result_html="<td>" * 100_000),
        SampleCall(result_text=KEY, arguments={"key": KEY}, arguments_text=KEY, error=KEY),
    )
    long, keyed = checked(full_turn)["tool_calls"]
    assert long["result"].endswith("more letters)") and len(long["result"]) < 7_000
    assert long["result_html"] is None
    assert KEY not in json.dumps(keyed)


def test_a_span_of_a_kind_that_no_card_knows_is_left_out(full_turn: Any) -> None:
    known = Span("thinking", "gpt-audio", 0.5, round=2)
    full_turn.trace = (known, SampleSpan("dance", 1, 2), SampleSpan("tool", -1, 2))
    (bar,) = checked(full_turn)["trace"]
    assert (bar["kind"], bar["start_s"], bar["end_s"], bar["round"]) == ("thinking", 0.5, None, 2)


def test_without_a_trace_the_strip_is_made_of_the_turn_s_times(full_turn: Any) -> None:
    full_turn.trace, full_turn.tool_calls = (), ()
    bars = checked(full_turn)["trace"]
    assert [(bar["kind"], bar["start_s"], bar["end_s"]) for bar in bars] == [
        ("upload", 0.0, 0.05),
        ("waiting", 0.05, 0.1),
        ("thinking", 0.1, 0.15),
        ("speech", 0.15, 0.23),
    ]


@dataclass
class Weather:
    city: str
    degrees: float


def test_a_parsed_object_of_any_class_is_shown_as_json(full_turn: Any) -> None:
    full_turn.parsed = Weather("Zürich", float("nan"))
    assert checked(full_turn)["parsed"] == {"city": "Zürich", "degrees": "nan"}
    full_turn.parsed = None
    assert "parsed" not in checked(full_turn)


def test_what_has_come_of_an_object_is_shown_only_while_the_turn_runs(make_turn: Any) -> None:
    @dataclass
    class Asking:
        turn: Any
        partial: object

        def __getattr__(self, name: str) -> Any:
            return getattr(self.turn, name)

    running = Asking(make_turn(finish=None), {"city": "Zü"})
    assert checked(running)["partial"] == {"city": "Zü"}
    assert "partial" not in checked(Asking(make_turn(), {"city": "Zü"}))


def test_other_choices_have_their_words_their_length_and_their_calls(full_turn: Any) -> None:
    call = ReplyToolCall(0, "call_1", "forecast", '{"city": "Zürich"}')
    full_turn.reply.others[2] = Reply(content=f"No. {KEY}", tool_calls=[call])
    form = checked(full_turn)["other_choices"]
    spoken, written = form["choices"]
    assert (spoken["index"], spoken["text"]) == (1, "It is 18 degrees.")
    assert spoken["sound"]["duration_s"] == 0.5 and len(spoken["sound"]["peaks"]) == 32
    assert (written["text"], written["sound"]) == ("No. ***", None)
    assert written["calls"] == ['forecast({"city": "Zürich"})']
    page, words = html(frozen(full_turn)), text(frozen(full_turn))
    assert "2 other choices" in page and "choice 2 · 0.50 s of speech" in page
    assert 'Choice 3: No. *** → forecast({"city": "Zürich"})' in words


def test_a_turn_with_one_reply_or_one_that_runs_has_no_other_choices(
    make_turn: Any, full_turn: Any
) -> None:
    assert "other_choices" not in checked(make_turn())
    full_turn.finish = None
    assert "other_choices" not in checked(full_turn)


@pytest.mark.parametrize("count", [1, 7, 127])
def test_other_choices_take_only_so_much_room(make_turn: Any, count: int) -> None:
    turn = make_turn(0, text="One.")
    turn.reply.others = {n + 1: Reply(content="many words " * 2_000) for n in range(count)}
    form = checked(turn)["other_choices"]
    assert len(json.dumps(form, ensure_ascii=False)) < 9_000
    assert len(form["choices"]) + form["more"] == count
    assert all("more letters)" in one["text"] for one in form["choices"])
    whole = checked(turn, limits=WHOLE)["other_choices"]
    assert whole["more"] == 0 and whole["choices"][-1]["text"] == "many words " * 2_000
    if form["more"]:
        assert f"{form['more']} more: turn.choices has them all" in html(frozen(turn))
        assert f"{form['more']} more choices" in text(frozen(turn))
