"""`response_format`: text, any JSON object, or JSON by a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import refusals
from .fields import boolean
from .messages import Message
from .schemas import check_schema, check_strict

__all__ = ["ANY_OBJECT", "parse_form"]

ANY_OBJECT = '{"type":"object"}'
_NAME = re.compile("[A-Za-z0-9_-]{1,64}")
_CODE = "invalid_json_schema"


def parse_form(given: Mapping[str, Any], messages: Sequence[Message]) -> str | None:
    """The JSON schema (as text) that the answer has to meet, or None for plain text."""
    form = given.get("response_format")
    if form is None:
        return None
    if not isinstance(form, dict):
        raise refusals.invalid_type("response_format", "an object")
    kind = form.get("type")
    if kind is None:
        raise refusals.missing("response_format.type")
    if kind == "text":
        return None
    if kind == "json_object":
        if not any("json" in message.text().lower() for message in messages):
            raise refusals.Refusal(
                "'messages' must contain the word 'json' in some form, to use 'response_format' "
                "of type 'json_object'.",
                param="messages",
            )
        return ANY_OBJECT
    if kind != "json_schema":
        supported = ("json_object", "json_schema", "text")
        raise refusals.invalid_value("response_format.type", kind, supported)
    return _schema(form.get("json_schema"))


def _schema(inner: object) -> str:
    where = "response_format.json_schema"
    if inner is None:
        raise refusals.missing(where)
    if not isinstance(inner, dict):
        raise refusals.invalid_type(where, "an object")
    name = inner.get("name")
    if name is None:
        raise refusals.missing(f"{where}.name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise refusals.Refusal(
            f"Invalid '{where}.name': string does not match pattern. Expected a string that "
            "matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.",
            param=f"{where}.name",
            code="invalid_value",
        )
    schema = inner.get("schema")
    if schema is None:
        raise refusals.missing(f"{where}.schema")
    if not isinstance(schema, dict):
        raise refusals.invalid_type(f"{where}.schema", "an object")
    about = f"response_format '{name}'"
    if boolean({k: v for k, v in inner.items() if v is not None}, "strict", False):
        if schema.get("type") != "object":
            raise refusals.Refusal(
                f"Invalid schema for {about}: schema must be a JSON Schema of 'type: \"object\"'.",
                param="response_format",
                code=_CODE,
            )
        check_strict(schema, about, "response_format", _CODE)
    text = json.dumps(schema)
    check_schema(text, about, "response_format", _CODE)
    return text
