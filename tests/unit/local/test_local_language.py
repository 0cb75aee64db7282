"""The corpus, the tokeniser, the model's probabilities and the sampling controls."""

from __future__ import annotations

import numpy as np
import pytest

from cellvoice.errors import UsageError
from cellvoice.local.corpus import load_corpus, parse_corpus
from cellvoice.local.model import UNKNOWN_ANSWERS, LanguageModel
from cellvoice.local.ngram import NgramModel
from cellvoice.local.retrieval import Retriever
from cellvoice.local.sampler import Sampling, generate, nucleus, tempered
from cellvoice.local.stops import StopText
from cellvoice.local.tokenizer import ASSISTANT, END, SPECIALS, START, USER, Tokenizer


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel(load_corpus())


def answer(model: LanguageModel, question: str, sampling: Sampling) -> str:
    tokens = generate(model.answering(question), sampling, END, 80)
    return model.tokenizer.decode([each.token for each in tokens])


def test_the_corpus_has_its_topics_with_variants_and_paraphrases() -> None:
    corpus = load_corpus()
    assert len(corpus.topics) >= 200
    assert all(len(topic.questions) >= 2 for topic in corpus.topics)
    assert all(len(topic.answers) >= 2 for topic in corpus.topics)


def test_answers_are_as_long_as_one_breath() -> None:
    for topic in load_corpus().topics:
        for text in topic.answers:
            assert 6 <= len(text.split()) <= 30, text


@pytest.mark.parametrize(
    ("text", "said"),
    [("? why\n", "needs at least"), ("hello\n", "line 1"), ("# nothing\n", "no topics")],
)
def test_a_broken_corpus_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_corpus(text)


@pytest.mark.parametrize(
    "text", ["The capital", "naïve 東京 😀", "  two\n\nlines ", "a.b,c?!", "1.6 s", "<|end|>", ""]
)
def test_any_text_survives_the_tokeniser(model: LanguageModel, text: str) -> None:
    tokens = model.tokenizer.encode(text)
    assert model.tokenizer.decode(tokens) == text
    assert all(token >= len(SPECIALS) for token in tokens)


def test_known_words_are_one_token_each(model: LanguageModel) -> None:
    assert len(model.tokenizer.encode("The capital of France is Paris.")) == 7


def test_the_ngram_model_gives_a_distribution_in_every_context() -> None:
    tokenizer = Tokenizer(["a cat sat", "a cat ran", "a dog ran"])
    texts = ["a cat sat", "a cat ran", "a dog ran"]
    sequences = [[START, *tokenizer.encode(text), END] for text in texts]
    model = NgramModel(sequences, len(tokenizer))
    for context in ([], [START], sequences[0][:3], [5, 6, 7], sequences[2]):
        shares = model.distribution(context)
        assert shares.min() > 0
        assert shares.sum() == pytest.approx(1.0, abs=1e-12)
    after_cat = model.distribution(sequences[0][:3])
    sat, dog = tokenizer.encode(" sat")[0], tokenizer.encode(" dog")[0]
    assert after_cat[sat] > 0.2
    assert after_cat[sat] > 5 * after_cat[dog]


def test_kneser_and_ney_by_hand() -> None:
    # Two sequences "x y", "z y" of order 2: after x only y was seen, once.
    model = NgramModel([[0, 1], [2, 1]], 3, order=2)
    # Lowest level: 0 and 2 stand at a beginning, 1 after two different tokens: shares 1/4, 1/2.
    base = 2 / 4 * (1 - 1e-4) + 1e-4 / 3
    assert model.distribution([0])[1] == pytest.approx(0.25 + 0.75 * base, rel=1e-12)


def test_the_mixture_sums_to_one_and_never_gives_role_tokens(model: LanguageModel) -> None:
    after = model.answering("why is the sky blue")
    for tokens in ([], model.tokenizer.encode("The sky"), model.tokenizer.encode("odd words")):
        shares = after(tokens)
        assert shares.sum() == pytest.approx(1.0, abs=1e-12)
        assert shares[[START, USER, ASSISTANT]].sum() == 0


def test_temperature_zero_gives_the_first_answer_whatever_the_seed(model: LanguageModel) -> None:
    said = {answer(model, "why is the sky blue", Sampling(0.0, seed=seed)) for seed in range(5)}
    first = "The sky is blue because air scatters short blue waves of sunlight more than long red"
    assert len(said) == 1
    assert said.pop().startswith(first)


def test_the_same_seed_says_the_same(model: LanguageModel) -> None:
    def drawn(seed: int) -> str:
        return answer(model, "who are you", Sampling(1.0, seed=seed))

    assert [drawn(seed) for seed in range(8)] == [drawn(seed) for seed in range(8)]
    assert len({drawn(seed) for seed in range(8)}) > 1


def test_a_higher_temperature_says_more_different_things(model: LanguageModel) -> None:
    def different(temperature: float) -> int:
        sampling = [Sampling(temperature, seed=seed) for seed in range(12)]
        return len({answer(model, "what is sound", each) for each in sampling})

    assert different(0.2) <= 2 < different(1.5)


def test_top_p_brings_a_wild_temperature_back(model: LanguageModel) -> None:
    wild = answer(model, "what is the median", Sampling(1.5, top_p=0.3, seed=3))
    assert wild in load_corpus_answers("what is the median")


def load_corpus_answers(question: str) -> tuple[str, ...]:
    return next(t.answers for t in load_corpus().topics if question in t.questions)


def test_tempered_and_nucleus_are_what_their_names_say() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    assert tempered(shares, 1.0) == pytest.approx(shares, rel=1e-12)
    squared = shares**2 / (shares**2).sum()
    assert tempered(shares, 0.5) == pytest.approx(squared, rel=1e-12)
    assert nucleus(shares, 0.6) == pytest.approx([0.625, 0.375, 0.0])
    assert nucleus(shares, 0.5) == pytest.approx([1.0, 0.0, 0.0])
    assert nucleus(shares, 0.0) == pytest.approx([1.0, 0.0, 0.0])


def test_a_stop_text_is_found_across_pieces_and_not_said() -> None:
    stop = StopText(["Seine"])
    said = "".join(stop.feed(piece) for piece in ("on the Se", "in", "e. More"))
    assert said == "on the "
    assert stop.reached
    harmless = StopText(["Seine"])
    assert harmless.feed("on the Se") + harmless.feed("a") + harmless.finish() == "on the Sea"
    assert not harmless.reached


def test_every_question_of_the_corpus_finds_its_own_topic() -> None:
    corpus = load_corpus()
    retriever = Retriever(corpus)
    for topic, question in corpus.questions():
        assert retriever.matches(question)[0].topic == topic, question


@pytest.mark.parametrize(
    ("asked", "known_as"),
    [
        ("What's the capital of France?", "what is the capital of france"),
        ("Could you please tell me what a sampling rate is", "what is a sampling rate"),
        ("Hello, one more thing, why is the sky so blue", "why is the sky blue"),
    ],
)
def test_other_words_for_a_question_find_it(asked: str, known_as: str) -> None:
    corpus = load_corpus()
    best = Retriever(corpus).matches(asked)[0]
    assert known_as in corpus.topics[best.topic].questions


@pytest.mark.parametrize(
    "asked",
    [
        "who won the football game yesterday",
        "what is the capital of mongolia",
        "explain quantum entanglement in one sentence",
        "recommend me a good book",
        "",
    ],
)
def test_what_it_does_not_know_it_says_it_does_not_know(model: LanguageModel, asked: str) -> None:
    assert answer(model, asked, Sampling(0.0)) in UNKNOWN_ANSWERS


def test_it_does_not_pretend_to_be_the_service(model: LanguageModel) -> None:
    said = answer(model, "are you gpt audio", Sampling(0.0))
    assert "not gpt audio" in said


def test_it_can_say_again_what_it_said(model: LanguageModel) -> None:
    tokens = generate(
        model.answering("please repeat that", "Berlin is a city."), Sampling(0.0), END, 40
    )
    assert model.tokenizer.decode([each.token for each in tokens]) == "Berlin is a city."


def test_words_can_be_put_into_its_mouth(model: LanguageModel) -> None:
    assert answer(model, "Say exactly: one two three.", Sampling(0.0)) == "one two three."
