"""The last turns and the system message change the answer, as far as they honestly can."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellvoice.local.asks import parse_ask
from cellvoice.local.corpus import load_corpus
from cellvoice.local.ears import NoEar
from cellvoice.local.engine import Engine
from cellvoice.local.model import UNKNOWN_ANSWERS
from cellvoice.local.service import Service
from cellvoice.local.voices import choose_voice
from cellvoice.local.wire import completion

Json = dict[str, Any]
Say = Callable[..., str]
PARIS = "The capital of France is Paris. It lies on the river Seine."


def replied(engine: Engine, *turns: str, system: str = "", **fields: Any) -> Json:
    messages: list[Json] = [{"role": "system", "content": system}] if system else []
    roles = ("user", "assistant")
    messages += [{"role": roles[at % 2], "content": text} for at, text in enumerate(turns)]
    request = {"model": "gpt-audio", "messages": messages, "temperature": 0, **fields}
    choice: Json = json.loads(
        completion(engine, parse_ask(json.dumps(request).encode(), engine.earlier))
    )["choices"][0]
    return choice


@pytest.fixture
def say(engine: Engine) -> Say:
    def said(*turns: str, **fields: Any) -> str:
        text: str = replied(engine, *turns, **fields)["message"]["content"]
        return text

    return said


@pytest.mark.parametrize(
    ("first", "then", "known_as"),
    [
        ("what is the capital of france", "and italy?", "what is the capital of italy"),
        ("what is the capital of france", "And of Germany?", "what is the capital of germany"),
        ("why is it cold in winter", "and in summer?", "why is it warm in summer"),
        ("how long is the day in winter", "and in summer?", "how long is the day in summer"),
        ("what is the speed of light", "what about sound", "how fast is sound"),
        ("what is the median", "and the mean?", "what is the mean"),
        ("why is the sky blue", "what about grass?", "why is grass green"),
        ("how old do cats get", "and dogs", "how old do dogs get"),
    ],
)
def test_a_question_goes_on_with_the_one_before_it(
    say: Say, first: str, then: str, known_as: str
) -> None:
    assert say(first, "…", then) == say(known_as)


def test_it_goes_on_with_a_spoken_question_by_the_answer_to_it(say: Say, beep_wav: str) -> None:
    sound = {"type": "input_audio", "input_audio": {"data": beep_wav, "format": "wav"}}
    turns = [
        {"role": "user", "content": [sound]},
        {"role": "assistant", "content": PARIS},
        {"role": "user", "content": "and italy?"},
    ]
    assert say("ignored", messages=turns) == say("what is the capital of italy")


def test_what_no_earlier_question_makes_known_stays_unknown(say: Say) -> None:
    assert say("what is the capital of france", PARIS, "and of mongolia?") in UNKNOWN_ANSWERS


@pytest.mark.parametrize("more", ["tell me more", "Why?", "go on"])
def test_more_of_the_same_is_what_was_not_said_yet(say: Say, more: str) -> None:
    again = say("what is the capital of france", PARIS, more)
    assert "Paris" in again
    assert again != PARIS


def test_short_and_long_are_shorter_and_longer(say: Say) -> None:
    question = "what is the capital of france"
    short, plain = say(question, system="Be brief."), say(question)
    long = say(question, system="Answer in great detail.")
    assert short == "The capital of France is Paris."
    assert len(short) < len(plain) < len(long)
    assert long.startswith(plain)
    assert say(question, system="Do whatever you like.") == plain


def test_it_greets_in_the_language_asked_for_and_answers_in_english(say: Say) -> None:
    assert say("hello", system="You speak French.").startswith("Bonjour")
    assert say("good morning", system="Greet in Japanese").startswith("Konnichiwa")
    assert say("bonjour").startswith("Bonjour")
    assert say("hello").startswith("Hello")
    assert say("what is the mean", system="You speak French.") == say("what is the mean")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("is paris the capital of france", "Yes."),
        ("is rome the capital of france", "No."),
        ("is a spider an insect", "No."),
        ("does sound travel faster in water", "Yes."),
    ],
)
def test_only_yes_or_no_is_only_yes_or_no(say: Say, question: str, said: str) -> None:
    assert say(question, system="Answer only yes or no.") == said
    assert say(f"{question}? Answer with just yes or no.") == said


def test_of_what_it_does_not_know_yes_and_no_are_equally_likely(engine: Engine) -> None:
    choice = replied(
        engine, "can fish dance", system="answer only yes or no", logprobs=True, top_logprobs=2
    )
    shares = [math.exp(row["logprob"]) for row in choice["logprobs"]["content"][0]["top_logprobs"]]
    assert shares == pytest.approx([0.5, 0.5], abs=0.02)
    for seed in range(4):
        wild = replied(engine, "hello", system="only yes or no", temperature=2, seed=seed)
        assert wild["message"]["content"] in ("Yes.", "No.")


def test_every_question_of_the_corpus_gets_its_answer_at_the_usual_temperature(
    engine: Engine,
) -> None:
    corpus = load_corpus()
    wrong = []
    for number, topic in enumerate(corpus.topics):
        if topic.repeats:
            continue
        question = topic.questions[number % len(topic.questions)]
        text = replied(engine, question, temperature=0.4, seed=number)["message"]["content"]
        if text not in topic.answers:
            wrong.append((question, text))
    # A blend of two paraphrases is no wrong answer, but it is rare at this temperature.
    assert len(wrong) <= len(corpus.topics) * 0.03, wrong


def test_what_is_to_be_said_exactly_is_said_to_its_end_though_it_repeats_itself(say: Say) -> None:
    text = " ".join(["one two three"] * 60) + " four."
    assert say(f"Say exactly: {text}") == text


def test_the_question_at_the_end_of_a_long_text_is_answered(say: Say) -> None:
    pasted = "nothing of this matters here " * 2_000
    assert say(f"{pasted}. What is the capital of France?") == PARIS


def test_the_documents_count_the_topics_as_they_are() -> None:
    corpus = load_corpus()
    counted = f"{len(corpus.topics)} topics with {sum(1 for _ in corpus.questions())} questions"
    text = (Path(__file__).parents[3] / "docs" / "engine-text.md").read_text(encoding="utf-8")
    assert counted in text


async def test_the_tokens_are_listed_and_texts_are_cut_into_them(engine: Engine) -> None:
    service = Service(engine, api_key=None)

    async def asked(method: str, path: str, body: bytes = b"") -> tuple[int, Json]:
        answer = await service.answer(method, path, None, body)
        assert isinstance(answer.body, bytes)
        return answer.status, json.loads(answer.body)

    status, listed = await asked("GET", "/v1/engine/tokens")
    assert (status, listed["vocabulary_size"]) == (200, len(engine.tokenizer))
    assert [row["id"] for row in listed["data"]] == list(range(len(engine.tokenizer)))
    assert listed["data"][3]["text"] == "<|end|>"
    status, cut = await asked("POST", "/v1/engine/tokenize", b'{"text": "in Paris \\ud83d\\ude00"}')
    assert (status, cut["text"], cut["count"]) == (200, "in Paris 😀", len(cut["tokens"]))
    ids = [row["id"] for row in cut["tokens"]]
    assert " Paris" in [listed["data"][at]["text"] for at in ids]
    status, back = await asked("POST", "/v1/engine/tokenize", json.dumps({"ids": ids}).encode())
    assert back["text"] == "in Paris 😀"
    for body in (b"[]", b"{}", b'{"text": 5}', b'{"ids": [-1]}', b'{"ids": ["a"]}', b'{"x": 1}'):
        assert (await asked("POST", "/v1/engine/tokenize", body))[0] == 400
    assert (await asked("GET", "/v1/engine/tokenize"))[0] == 405


async def test_the_models_say_what_acts(engine: Engine) -> None:
    answer = await Service(engine, api_key=None).answer("GET", "/v1/models", None, b"")
    assert isinstance(answer.body, bytes)
    for row in json.loads(answer.body)["data"]:
        assert {"id", "object", "created", "owned_by"} <= set(row)
        assert {"logprobs", "tools", "logit_bias"} <= set(row["x_engine"]["acts_on"])


def test_a_corpus_of_your_own_takes_the_place_of_the_engines(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("? who was ada\n= Ada wrote the first program.\n")
    (tmp_path / "a.txt").write_text("? and grace\n= Grace found the first bug.\n")
    engine = Engine(voice=choose_voice("formant"), ear=NoEar(), corpus_path=tmp_path)
    assert replied(engine, "who was ada")["message"]["content"] == "Ada wrote the first program."
    assert replied(engine, "what is sound")["message"]["content"] in UNKNOWN_ANSWERS
