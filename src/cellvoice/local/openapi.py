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
    ref = "#/components/schemas/"
    chat = {
        "operationId": "createChatCompletion",
        "summary": "Answer a conversation in words, and in sound if asked to",
        "requestBody": {"required": True, "content": _json({"$ref": f"{ref}Request"})},
        "responses": {
            "200": {
                "description": "One chat.completion, or its chunks as server-sent events",
                "content": {
                    **_json({"$ref": f"{ref}Completion"}),
                    "text/event-stream": {"schema": {"type": "string"}},
                },
            },
            **_errors(400, 401, 404, 413, 429, 500),
        },
    }
    models = {
        "operationId": "listModels",
        "summary": "The names that the engine answers to",
        "responses": {
            "200": {"description": "A list", "content": _json({"$ref": f"{ref}Models"})},
            **_errors(401, 429),
        },
    }
    model = {
        "operationId": "retrieveModel",
        "summary": "One of them",
        "parameters": [
            {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "responses": {
            "200": {"description": "The model", "content": _json({"$ref": f"{ref}Model"})},
            **_errors(401, 404),
        },
    }
    told = {
        "openapi": "3.1.0",
        "info": {
            "title": "cellvoice's embedded engine",
            "version": "1",
            "description": "A small offline stand-in for gpt-audio. It is not gpt-audio.",
        },
        "security": [{"key": []}],
        "paths": {
            "/v1/chat/completions": {"post": chat},
            "/v1/models": {"get": models},
            "/v1/models/{model}": {"get": model},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(ref),
        },
    }
    return json.dumps(told, indent=1).encode()


def _schemas(ref: str) -> dict[str, Schema]:
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
        "Request": _request(ref),
        "Message": _message(ref),
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
                "data": {"type": "array", "items": {"$ref": f"{ref}Model"}},
            }
        ),
        "Error": _object({"error": _object(error)}),
    }


def _request(ref: str) -> Schema:
    """The request, its parameters out of the table that the client checks them by."""
    fields: dict[str, Schema] = {
        "model": {"enum": [*MODELS], "examples": ["gpt-audio"]},
        "messages": {"type": "array", "minItems": 1, "items": {"$ref": f"{ref}Message"}},
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


def _message(ref: str) -> Schema:
    content = {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"$ref": f"{ref}Part"}},
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


def _errors(*statuses: int) -> dict[str, Any]:
    told = _json({"$ref": "#/components/schemas/Error"})
    return {
        str(status): {"description": "The service's error body", "content": told}
        for status in statuses
    }
