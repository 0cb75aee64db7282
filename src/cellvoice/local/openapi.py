"""What the engine serves, as an OpenAPI 3.1 description: `GET /openapi.json`."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cellvoice.protocol import PARAMS, Param

from .asks import MODELS
from .sound import INPUT_FORMATS, OUTPUT_FORMATS
from .voices import VOICE_NAMES

__all__ = ["description"]

Schema = dict[str, Any]

# Of the table of parameters, what is a field of a request under its own name.
_NOT_A_FIELD = frozenset({"voice", "format", "schema", "extra_body", "modalities"})
_KINDS: dict[str, Schema] = {
    "number": {"type": "number"},
    "whole": {"type": "integer"},
    "flag": {"type": "boolean"},
    "choice": {"type": "string"},
    "text": {"type": "string", "maxLength": 128},
    "texts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "json": {},
}
_OBJECT_FIELDS = {"logit_bias", "metadata", "response_format"}


@cache
def description() -> bytes:
    """The description as JSON."""
    told = {
        "openapi": "3.1.0",
        "info": {
            "title": "cellvoice's embedded engine",
            "version": "1",
            "description": "A small offline stand-in for gpt-audio. It is not gpt-audio.",
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }
    return json.dumps(told, indent=1).encode()


def _paths() -> dict[str, Any]:
    chat = _operation(
        "createChatCompletion", "Completion", (400, 401, 404, 413, 429, 500), "Request"
    )
    stream = {"text/event-stream": {"schema": {"type": "string"}}}
    chat["responses"]["200"]["content"] |= stream
    model = _operation("retrieveModel", "Model", (401, 404))
    name = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/v1/chat/completions": {"post": chat},
        "/v1/models": {"get": _operation("listModels", "Models", (401, 429))},
        "/v1/models/{model}": {"get": {**model, "parameters": [name]}},
        "/v1/engine/tokens": {"get": _operation("listTokens", "Tokens", (401,))},
        "/v1/engine/tokenize": {"post": _operation("tokenize", "Tokenized", (400, 401), "Text")},
    }


def _operation(name: str, gives: str, errors: tuple[int, ...], takes: str = "") -> dict[str, Any]:
    """What is taken and given, by the names of schemas."""
    operation: dict[str, Any] = {
        "operationId": name,
        "responses": {
            "200": {"description": gives, "content": _json(_ref(gives))},
            **{
                str(status): {"description": "The service's error", "content": _json(_ref("Error"))}
                for status in errors
            },
        },
    }
    if takes:
        operation["requestBody"] = {"required": True, "content": _json(_ref(takes))}
    return operation


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> dict[str, Schema]:
    text_or_null: Schema = {"type": ["string", "null"]}
    error = dict.fromkeys(("param", "code"), text_or_null)
    error |= {"message": {"type": "string"}, "type": {"type": "string"}}
    row = {
        "id": {"type": "string"},
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": {"type": "string"},
    }
    return {
        "Request": _request(),
        "Message": _message(),
        "Part": _part(),
        "Completion": _object(
            {
                "id": {"type": "string"},
                "object": {"const": "chat.completion"},
                "created": {"type": "integer"},
                "model": {"type": "string"},
                "choices": {"type": "array", "items": {"type": "object"}},
                "usage": {"type": "object"},
            }
        ),
        "Model": _object(row),
        "Models": _object(
            {
                "object": {"const": "list"},
                "data": {"type": "array", "items": _ref("Model")},
            }
        ),
        "Tokens": _object({"object": {"const": "list"}, "data": {"type": "array"}}),
        "Text": _object({"text": {"type": "string"}}),
        "Tokenized": _object({"text": {"type": "string"}, "tokens": {"type": "array"}}),
        "Error": _object({"error": _object(error)}),
    }


def _request() -> Schema:
    """The request, its parameters out of the table that the client checks them by."""
    fields: dict[str, Schema] = {
        "model": {"enum": [*MODELS], "examples": ["gpt-audio"]},
        "messages": {"type": "array", "minItems": 1, "items": _ref("Message")},
        "modalities": _or_null(
            {"type": "array", "items": {"enum": ["text", "audio"]}, "uniqueItems": True}
        ),
        "audio": _or_null(
            _object({"voice": {"enum": [*VOICE_NAMES]}, "format": {"enum": [*OUTPUT_FORMATS]}})
        ),
        "stream": _or_null({"type": "boolean"}),
        "stream_options": _or_null(
            _object(
                {
                    "include_usage": {"type": "boolean"},
                    "include_obfuscation": {"type": "boolean"},
                },
                (),
            )
        ),
    }
    for name, param in PARAMS.items():
        if name not in _NOT_A_FIELD:
            fields[name] = _or_null(_field(param))
    return _object(fields, ("model", "messages"))


def _field(param: Param) -> Schema:
    schema = dict(_KINDS[param.kind])
    if param.low is not None:
        schema["minimum"] = param.low
    if param.high is not None:
        schema["maximum"] = param.high
    if param.name == "tool_choice":
        return {"anyOf": [{"enum": [*(param.choices or ())]}, {"type": "object"}]}
    if param.kind == "choice" and param.choices:
        schema["enum"] = [*param.choices]
    if param.name in _OBJECT_FIELDS:
        schema["type"] = "object"
    if param.name == "tools":
        schema |= {"type": "array", "items": {"type": "object"}}
    return {**schema, "description": param.text}


def _message() -> Schema:
    content = {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": _ref("Part")},
            {"type": "null"},
        ]
    }
    roles = ["developer", "system", "user", "assistant", "tool"]
    fields: dict[str, Schema] = {
        "role": {"enum": roles},
        "content": content,
        "audio": _or_null(_object({"id": {"type": "string"}})),
        "tool_call_id": {"type": "string"},
        "tool_calls": {"type": "array", "items": {"type": "object"}},
    }
    return _object(fields, ("role",))


def _part() -> Schema:
    sound = _object({"data": {"type": "string"}, "format": {"enum": [*INPUT_FORMATS]}})
    written = _object({"type": {"const": "text"}, "text": {"type": "string"}})
    return {"anyOf": [written, _object({"type": {"const": "input_audio"}, "input_audio": sound})]}


def _object(fields: dict[str, Schema], required: tuple[str, ...] | None = None) -> Schema:
    """An object; all its fields are required unless told otherwise."""
    needed = [*fields] if required is None else [*required]
    return {"type": "object", "properties": fields, **({"required": needed} if needed else {})}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
