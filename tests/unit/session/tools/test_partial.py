"""An object that is read while it comes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellvoice.session.tools.partial import partial_object


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("  ", None),
        ("{", {}),
        ('{"city', {}),
        ('{"city": "Ly', {"city": "Ly"}),
        ('{"city": "Lyon 12', {"city": "Lyon 12"}),
        ('{"city": "a \\" 12', {"city": 'a " 12'}),
        ('{"city": "\\u00e', {"city": ""}),
        ('{"city": "\\ud83d', {"city": ""}),
        ('{"n": 12', {}),
        ('{"n": -1.5e', {}),
        ('{"n": 12, "ok": tr', {"n": 12}),
        ('{"n": [1, 23', {"n": [1]}),
        ('{"a": [{"b": "c', {"a": [{"b": "c"}]}),
        ('{"n": 12}', {"n": 12}),
        ("[1, 2]", None),
        ("7", None),
        ("Sure! {", None),
        ('{"n": NaN', None),
        ("{" + '"a": {' * 2_000, None),
    ],
)
def test_what_has_come_is_read_as_far_as_it_goes(text: str, found: object) -> None:
    assert partial_object(text) == found


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**9), 10**9),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def is_beginning(part: Any, whole: Any) -> bool:
    if isinstance(whole, str) and isinstance(part, str):
        return whole.startswith(part)
    if isinstance(whole, list) and isinstance(part, list):
        return len(part) <= len(whole) and all(map(is_beginning, part, whole))
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and is_beginning(one, whole[name]) for name, one in part.items())
    return bool(part == whole and type(part) is type(whole))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.text(max_size=3), values, max_size=4),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_cut_anywhere_it_is_the_beginning_of_the_whole(
    value: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    # Halves of a surrogate pair can be written in ASCII and are no text.
    whole = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    for cut in range(1, len(whole) + 1):
        found = partial_object(whole[:cut])
        assert found is not None and is_beginning(found, value)
    assert partial_object(whole) == value
