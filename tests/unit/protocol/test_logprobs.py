"""Reading token probabilities: whole characters, entropy, perplexity, choices, a table."""

from __future__ import annotations

import json
import math
import sys
from time import process_time
from typing import Any

import pytest

from cellvoice.errors import UsageError
from cellvoice.protocol import ReplyLogprobs


def row(token: str, p: float, alternatives: dict[str, float] | None = None) -> dict[str, Any]:
    return {
        "token": token,
        "logprob": math.log(p),
        "bytes": list(token.encode()),
        "top_logprobs": [
            {"token": text, "logprob": math.log(q), "bytes": list(text.encode())}
            for text, q in (alternatives or {}).items()
        ],
    }


def part(data: bytes, p: float, alternatives: dict[str, float] | None = None) -> dict[str, Any]:
    """A token that is a part of a character, as the service names one."""
    name = "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)
    return {**row(name, p, alternatives), "bytes": list(data)}


def made(*rows: dict[str, Any], name: str = "content") -> ReplyLogprobs:
    logprobs = ReplyLogprobs()
    for one in rows:
        logprobs.append(json.dumps({name: [one]}).encode())
    return logprobs


def test_a_table_has_a_row_for_each_token() -> None:
    table = made(row("Paris", 0.5, {"Paris": 0.5, "Rome": 0.25}), row(".", 1.0)).to_dataframe()
    assert list(table.columns) == [
        "position",
        "token",
        "probability",
        "logprob",
        "entropy",
        "alternatives",
    ]
    assert table["token"].tolist() == ["Paris", "."]
    assert table["probability"].tolist() == pytest.approx([0.5, 1.0])
    assert table["alternatives"][0] == pytest.approx({"Paris": 0.5, "Rome": 0.25})


def test_entropy_counts_the_probability_that_nobody_named_as_one_more() -> None:
    paris, stop, alone = made(
        row("Paris", 0.5, {"Paris": 0.5, "Rome": 0.25}),
        row(".", 1.0, {".": 1.0}),
        row("!", 0.5),
    ).tokens
    assert paris.entropy == pytest.approx(0.5 * math.log(2) + 2 * 0.25 * math.log(4))
    assert stop.entropy == 0.0
    assert alone.entropy == pytest.approx(math.log(2))


def test_the_token_itself_counts_once_also_where_it_is_not_among_the_alternatives() -> None:
    (chosen,) = made(row("Oslo", 0.25, {"Paris": 0.5, "Rome": 0.25})).tokens
    assert chosen.entropy == pytest.approx(0.5 * math.log(2) + 2 * 0.25 * math.log(4))


def test_tokens_that_are_parts_of_a_character_are_joined() -> None:
    earth = "🌍".encode()
    space, globe, full_stop = made(
        row("Hi ", 0.9),
        part(earth[:2], 0.5, {"bytes:\\xf0\\x9f": 0.5, "all": 0.3}),
        part(earth[2:3], 0.5),
        part(earth[3:], 0.8),
        row(".", 0.9),
    ).tokens
    assert (space.text, globe.text, full_stop.text) == ("Hi ", "🌍", ".")
    assert (space.count, globe.count) == (1, 3)
    assert globe.probability == pytest.approx(0.5 * 0.5 * 0.8)
    assert [text for text, _ in globe.alternatives] == ["all", "🌍"]


def test_a_space_with_the_first_half_of_a_letter_is_joined_with_the_other_half() -> None:
    (whole,) = made(part(b" \xc3", 0.5), part(b"\xbc", 0.5)).tokens
    assert (whole.text, whole.count) == (" ü", 2)


def test_a_part_of_a_character_that_nothing_completes_stays_as_it_is() -> None:
    first, second, last = made(part(b"\xf0\x9f", 0.5), row("a", 0.5), part(b"\xe2", 0.5)).tokens
    assert [first.text, second.text, last.text] == ["\\xf0\\x9f", "a", "\\xe2"]
    assert (first.utf8, second.utf8, last.utf8) == (b"\xf0\x9f", None, b"\xe2")


def test_mean_and_perplexity_are_those_of_all_tokens() -> None:
    logprobs = made(row("a", 0.5), row("b", 0.125))
    assert logprobs.mean_logprob == pytest.approx(math.log(0.25))
    assert logprobs.perplexity == pytest.approx(4.0)


def test_tokens_that_were_not_ranked_do_not_decide_the_perplexity() -> None:
    unranked = {"token": "x", "logprob": -9999.0, "bytes": None, "top_logprobs": []}
    assert made(row("a", 0.5), unranked).perplexity == pytest.approx(2.0)
    assert made(unranked).perplexity is None
    assert ReplyLogprobs().mean_logprob is None


@pytest.mark.parametrize("logprob", [None, "much", True, float("nan"), [], 7])
def test_a_log_probability_that_is_none_does_no_harm(logprob: object) -> None:
    logprobs = ReplyLogprobs()
    rows = [{"token": "a", "logprob": logprob, "top_logprobs": [7, {"token": 8}]}, row("b", 0.5)]
    logprobs.append(json.dumps({"content": rows}).encode())
    assert [one.text for one in logprobs.tokens] == ["a", "b"]
    assert all(0.0 <= one.probability <= 1.0 for one in logprobs.tokens)
    assert all(0.0 <= one.entropy < 1.0 for one in logprobs.tokens)


def test_a_refusal_is_read_where_there_is_no_answer() -> None:
    assert [one.text for one in made(row("No", 0.5), name="refusal").tokens] == ["No"]


def test_tokens_that_come_later_are_read_too() -> None:
    logprobs = made(row("a", 0.5))
    assert len(logprobs.tokens) == 1
    logprobs.append(json.dumps({"content": [row("b", 0.5)]}).encode())
    assert [one.text for one in logprobs.tokens] == ["a", "b"]


def test_choices_are_found_whatever_their_capitals_and_spaces() -> None:
    first = row("Yes", 0.6, {"Yes": 0.6, " yes": 0.1, "No": 0.2, "Maybe": 0.05})
    found = made(first, row(".", 1.0)).choice_probabilities(["yes", "no"])
    assert found == pytest.approx({"yes": 0.7, "no": 0.2})
    shares = made(first).choice_probabilities(["yes", "no"], normalized=True)
    assert shares == pytest.approx({"yes": 0.7 / 0.9, "no": 0.2 / 0.9})


def test_a_choice_inside_json_is_found_where_it_was_made() -> None:
    rows = (row('{"sure', 1.0), row('": "', 1.0), row("no", 0.7, {"no": 0.7, "yes": 0.3}))
    assert made(*rows).choice_probabilities(["yes", "no"]) == pytest.approx({"yes": 0.3, "no": 0.7})


def test_a_token_that_begins_one_choice_counts_for_it_and_one_that_begins_two_for_none() -> None:
    first = row("neu", 0.5, {"neu": 0.5, "ne": 0.3, "pos": 0.2})
    found = made(first).choice_probabilities(["positive", "negative", "neutral"])
    assert found == pytest.approx({"positive": 0.2, "negative": 0.0, "neutral": 0.5})


@pytest.mark.parametrize("choices", ["yes", [], ["yes", "Yes"], ["yes", "!"], ["yes", 1]])
def test_choices_that_are_no_different_words_are_refused(choices: Any) -> None:
    with pytest.raises(UsageError, match="expected different words"):
        made(row("Yes", 0.6)).choice_probabilities(choices)


def test_choices_without_probabilities_say_what_to_ask_with() -> None:
    with pytest.raises(UsageError, match="logprobs=True"):
        ReplyLogprobs().choice_probabilities(["yes", "no"])


def test_without_pandas_the_table_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        made(row("a", 0.5)).to_dataframe()


def test_nothing_is_decoded_before_somebody_asks() -> None:
    logprobs = ReplyLogprobs()
    for _ in range(3):
        logprobs.append(b'{"content":[{"token":"a","logprob":-1.0}]}')
    assert logprobs._content == []
    assert len(logprobs.tokens) == 3


def test_five_thousand_tokens_with_twenty_alternatives_are_read_within_two_seconds() -> None:
    alternatives = {f" word{n}": 0.5 / 2 ** (n + 1) for n in range(19)} | {" the": 0.5}
    piece = json.dumps({"content": [row(" the", 0.5, alternatives)]}).encode()
    logprobs = ReplyLogprobs()
    for _ in range(5_000):
        logprobs.append(piece)
    start_s = process_time()
    assert len(logprobs.to_dataframe()) == 5_000
    assert process_time() - start_s < 2.0  # 0.4 s of CPU when nothing else runs
