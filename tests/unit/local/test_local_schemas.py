"""Schemas made at random: the engine writes what fits them, or names the keyword it cannot do."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cellvoice.local.asks import parse_ask
from cellvoice.local.engine import Engine
from cellvoice.local.refusals import Refusal
from cellvoice.local.wire import completion

EXAMPLES = int(os.environ.get("CELLVOICE_SCHEMA_EXAMPLES", "150"))

keys = st.sampled_from(["city", "days", "answer", "name", "on", "tags", "q", "größe", "a b", "x"])
texts = st.sampled_from(["red", "Paris", "", 'a "b"', "ü", "new\nline", "\\", "on", "off"])
whole = st.integers(-50, 50)
scalars = st.one_of(texts, whole, st.booleans(), st.none(), st.sampled_from([0.5, -2.25, 1e3]))


def optional(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


strings = optional(
    minLength=st.integers(0, 6),
    maxLength=st.integers(3, 20),
    pattern=st.sampled_from(["^[a-c]+$", "^\\d{2,4}$", "x", "^(on|off)$", "(?=a)b", "\\bword"]),
    format=st.sampled_from(["date", "email", "uuid", "time", "ipv4", "unheard-of"]),
)
numbers = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={
        "minimum": whole,
        "maximum": st.integers(-10, 90),
        "exclusiveMinimum": whole,
        "exclusiveMaximum": st.one_of(whole, st.just(7.5)),
        "multipleOf": st.sampled_from([1, 2, 5, 0.5, 0.1]),
    },
)
small = st.one_of(
    strings.map(lambda more: {"type": "string", **more}),
    numbers,
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, {"type": ["string", "null"]}]),
    st.lists(scalars, min_size=1, max_size=4).map(lambda values: {"enum": values}),
    scalars.map(lambda value: {"const": value}),
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(keys, inner, max_size=4)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": properties},
        optional={
            "additionalProperties": st.one_of(st.booleans(), inner),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(3, 9),
            "patternProperties": st.just({"^x": {"type": "integer"}}),
        },
    ).flatmap(
        lambda schema: st.lists(
            st.sampled_from(sorted(schema["properties"]) or ["city"]), unique=True
        ).map(lambda required: {**schema, "required": required})
    )
    arrays = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "minItems": st.integers(0, 3),
            "maxItems": st.integers(1, 4),
        },
    )
    joined = st.sampled_from(["anyOf", "oneOf", "allOf"]).flatmap(
        lambda name: st.lists(inner, min_size=1, max_size=3).map(lambda parts: {name: parts})
    )
    odd = st.sampled_from(["not", "if", "contains", "propertyNames", "uniqueItems"]).flatmap(
        lambda name: inner.map(lambda part: {name: True if name == "uniqueItems" else part})
    )
    return st.one_of(*[objects] * 9, *[arrays] * 6, *[joined] * 4, odd)


schemas = st.one_of(small, larger(small), larger(larger(small)), larger(larger(small)))
KEYWORDS = {
    *("type", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", "contains", "format"),
    *("pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "multipleOf", "items", "prefixItems", "minItems", "maxItems"),
    *("uniqueItems", "properties", "required", "additionalProperties", "patternProperties"),
    *("minProperties", "maxProperties", "propertyNames"),
}


def answered(engine: Engine, schema: Any, **fields: Any) -> dict[str, Any]:
    form = {"type": "json_schema", "json_schema": {"name": "made", "schema": schema}}
    asked = "The red lamp in Paris is on for 3 days, says Ada: what is the capital of France?"
    request = {
        "model": "cellvoice-engine-1",
        "messages": [{"role": "user", "content": asked}],
        "response_format": form,
        **fields,
    }
    ask = parse_ask(json.dumps(request).encode(), engine.earlier)
    reply: dict[str, Any] = json.loads(completion(engine, ask))["choices"][0]
    return reply


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(schemas, st.sampled_from([0, 0.4, 1, 1.5]), st.integers(0, 5))
def test_what_it_writes_fits_the_schema_or_the_keyword_is_named(
    engine: Engine, schema: Any, temperature: float, seed: int
) -> None:
    try:
        choice = answered(engine, schema, temperature=temperature, seed=seed)
    except Refusal as refusal:
        error = json.loads(refusal.body())["error"]
        assert error["param"] == "response_format"
        named = set(re.findall(r"'([A-Za-z$]+)'", error["message"]))
        assert named & KEYWORDS, error["message"]
        return
    assert choice["finish_reason"] == "stop", (schema, choice)
    Draft202012Validator(schema).validate(json.loads(choice["message"]["content"]))


def test_a_deep_schema_that_refers_to_itself_ends(engine: Engine) -> None:
    tree = {
        "type": "object",
        "properties": {
            "value": {"type": "integer"},
            "children": {"type": "array", "items": {"$ref": "#"}},
            "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        },
        "required": ["value", "children", "next"],
        "additionalProperties": False,
    }
    for seed in range(5):
        choice = answered(engine, tree, temperature=1, seed=seed)
        assert choice["finish_reason"] == "stop"
        Draft202012Validator(tree).validate(json.loads(choice["message"]["content"]))


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"not": {}}, "not"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"type": "string", "format": "unheard-of"}, "format"),
        ({"type": "string", "pattern": "(?=a)b"}, "pattern"),
        ({"$ref": "#/nowhere"}, "$ref"),
        ({"$ref": "https://example.org/schema"}, "$ref"),
        ({"type": "integer", "minimum": 5, "maximum": 1}, "minimum"),
        ({"enum": []}, "anyOf"),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "oneOf"),
        ({"type": "thing"}, "type"),
    ],
)
def test_the_keyword_that_cannot_be_done_is_named(
    engine: Engine, schema: dict[str, Any], keyword: str
) -> None:
    with pytest.raises(Refusal, match=re.escape(f"'{keyword}'")) as caught:
        answered(engine, schema)
    assert caught.value.status == 400
