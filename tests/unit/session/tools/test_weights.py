"""How likely a value was, out of its tokens or out of a count."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from scipy.stats import binomtest

from cellvoice.protocol import schema_of
from cellvoice.session.tools._choices import Choice, choices_in
from cellvoice.session.tools._weights import counted, weighed, wilson


class Leg(BaseModel):
    colour: Literal["red", "green"]
    seats: Literal[1, 12] = 1
    free: bool


class Trip(BaseModel):
    note: str
    first: Leg
    legs: list[Leg]


LEG = {"colour": "red", "seats": 12, "free": True}
OBJECT = {"note": 'a "{,}" é', "first": LEG, "legs": [LEG, {**LEG, "seats": None}]}


def row(token: str, p: float, others: dict[str, float] | None = None) -> dict[str, Any]:
    listed = {token: p, **(others or {})}
    return {
        "token": token,
        "bytes": list(token.encode()),
        "logprob": math.log(p),
        "top_logprobs": [
            {"token": one, "bytes": list(one.encode()), "logprob": math.log(chance)}
            for one, chance in listed.items()
        ],
    }


# Where the choices stand


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_choice_is_found_with_its_place_and_its_values(
    indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(OBJECT, indent=indent, ensure_ascii=ascii_only)
    found = choices_in(text, schema_of(Trip).json_schema)
    assert [one.path for one in found] == [
        f"{leg}.{name}"
        for leg in ("first", "legs[0]", "legs[1]")
        for name in ("colour", "seats", "free")
    ]
    assert all(json.loads(text[one.start : one.end]) == one.value for one in found)
    by_path = {one.path: one for one in found}
    assert by_path["first.colour"].values == ("red", "green")
    assert by_path["first.seats"].values == (1, 12, None)
    assert by_path["first.free"].values == (False, True)
    assert by_path["legs[1].seats"].value is None


@pytest.mark.parametrize("text", ["", "{", '{"a" 1}', "[1", "{1: 2}", '{"a": }'])
def test_a_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        choices_in(text, {})


# By tokens


def weights(text: str, rows: list[dict[str, Any]], *values: object) -> dict[object, Any]:
    found = weighed(choice(text, *values), text, rows)
    assert found is not None
    return {one.value: one for one in found}


def choice(text: str, *values: object) -> Choice:
    start = text.index(":") + 1
    end = text.index("}")
    return Choice("a", values, json.loads(text[start:end]), start, end)


def test_the_chance_of_a_value_is_that_of_the_token_where_it_parts_from_the_others() -> None:
    rows = [row('{"a":"', 0.9), row("red", 0.7, {"green": 0.2, "blue": 0.1}), row('"}', 1.0)]
    found = weights('{"a":"red"}', rows, "red", "green", "blue")
    assert found["red"].p == pytest.approx(0.9 * 0.7 / 0.9)
    assert found["green"].p == pytest.approx(0.2)
    assert found["blue"].p == pytest.approx(0.1)
    assert found["red"].count is None


def test_tokens_that_fit_several_values_or_are_not_listed_widen_the_interval() -> None:
    rows = [row('{"a":', 1.0), row('"blue', 0.5, {'"gr': 0.2, '"green': 0.1}), row('"}', 1.0)]
    found = weights('{"a":"blue"}', rows, "blue", "green", "grey")
    assert found["green"].low == pytest.approx(0.1)
    assert found["green"].high == pytest.approx(0.1 + 0.2 + 0.2)
    assert found["green"].p == pytest.approx((0.1 + 0.2 / 2) / 0.8)
    assert found["blue"].p == pytest.approx(0.5 / 0.8)
    assert (found["grey"].low, found["grey"].high) == (0.0, pytest.approx(0.2 + 0.2))


def test_what_fits_only_others_is_certainly_not_this_value_s() -> None:
    rows = [row('{"a":"', 1.0), row("glad", 0.1, {"c": 0.9}), row('"}', 1.0)]
    found = weights('{"a":"glad"}', rows, "calm", "cross", "glad")
    assert found["glad"].p == found["glad"].low == pytest.approx(0.1)
    assert found["glad"].high == pytest.approx(0.1)
    assert found["calm"].p == pytest.approx(0.45) and found["calm"].high == pytest.approx(0.9)


def test_a_number_that_begins_another_is_told_by_what_follows() -> None:
    rows = [row('{"a":', 1.0), row("1", 0.8, {"7": 0.2}), row("}", 0.75, {"2": 0.25})]
    found = weights('{"a":1}', rows, 1, 12, 7)
    assert [found[one].p for one in (1, 12, 7)] == pytest.approx([0.6, 0.2, 0.2])


def test_tokens_of_another_text_tell_nothing() -> None:
    text = '{"a":"red"}'
    assert weighed(choice(text, "red", "green"), text, [row('{"a":"green"}', 1.0)]) is None
    assert weighed(choice(text, "red", "green"), text, []) is None


def test_a_token_s_own_chance_is_enough_to_know_the_value_that_was_taken() -> None:
    bare = {"token": '"red"', "logprob": math.log(0.6)}
    text = '{"a":"red"}'
    rows = [row('{"a":', 1.0), bare, row("}", 1.0)]
    found = weighed(choice(text, "red", "green"), text, rows)
    assert found is not None and found[0].value == "red" and found[0].low == pytest.approx(0.6)


words = st.lists(st.text("ab", min_size=1, max_size=4), min_size=2, max_size=5, unique=True)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(words, st.data())
def test_the_true_chance_is_within_the_interval_however_the_words_are_cut(
    values: list[str], data: st.DataObject
) -> None:
    """A model that writes each value in pieces of its own, with chances that are known."""
    raw = [data.draw(st.integers(1, 9)) for _ in values]
    chances = {value: one / sum(raw) for value, one in zip(values, raw, strict=True)}
    pieces = {value: cut(f'"{value}"', data) for value in values}
    taken = data.draw(st.sampled_from(values))
    rows = [row('{"a":', 1.0)]
    for at in range(len(pieces[taken])):
        here = {v: chances[v] for v in values if pieces[v][:at] == pieces[taken][:at]}
        whole = sum(here.values())
        beside: dict[str, float] = {}
        for value, chance in here.items():
            beside[pieces[value][at]] = beside.get(pieces[value][at], 0.0) + chance / whole
        own = beside.pop(pieces[taken][at])
        rows.append(row(pieces[taken][at], own, beside))
    found = weights('{"a":' + f'"{taken}"' + "}", [*rows, row("}", 1.0)], *values)
    for value, chance in chances.items():
        assert found[value].low <= chance + 1e-9 and chance <= found[value].high + 1e-9
    assert sum(one.p for one in found.values()) == pytest.approx(1.0)


def cut(text: str, data: st.DataObject) -> list[str]:
    at = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=2)))
    return [text[low:high] for low, high in zip([0, *at], [*at, len(text)], strict=True)]


# By counting


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 60), st.integers(1, 60))
def test_the_interval_is_wilson_s(count: int, of: int) -> None:
    assume(count <= of)
    whole = binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert wilson(count, of) == pytest.approx((whole.low, whole.high), abs=1e-6)


def test_nothing_counted_is_nothing_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_values_are_counted_as_json_tells_them_apart() -> None:
    found = counted([True, 1, "1", None], [1, 1, True, "1"])
    assert [(one.value, one.count) for one in found] == [(1, 2), (True, 1), ("1", 1), (None, 0)]
    assert found[0].p == 0.5 and found[0].low < 0.5 < found[0].high
