"""What an answer should look like: a type of the user's, as a JSON schema and back as an object."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from cellvoice.errors import UsageError

from ._fits import misfit
from ._json import NotJSON, decode
from ._nulls import without_added_nulls
from ._strict import strict_schema

__all__ = ["NotAnObject", "Schema", "schema_of"]

_EXPECTED: Final = (
    "a JSON schema (a mapping), or the class of a pydantic model, a dataclass, a TypedDict or a "
    "msgspec Struct"
)
_MAX_NAME = 64


class NotAnObject(ValueError):
    """A reply's text is no such object; the message says why, in a part of a sentence."""


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """A form for the answer: its `name`, its strict JSON schema, and how a reply is read.

    Made by `schema_of`. `json_schema` has every object closed and every property required; what
    need not be given may be null there, and `read` takes that for not given.
    """

    name: str
    description: str
    json_schema: Mapping[str, object]
    _read: Callable[[str], object] = dataclasses.field(repr=False)

    def read(self, text: str) -> object:
        """The object that a reply's text stands for: of the user's class, or a dict.

        Raises NotAnObject. A class of the user's may run code of its own here.
        """
        try:
            return self._read(text)
        except NotAnObject:
            raise
        except Exception as error:
            raise NotAnObject(_first_line(error)) from error

    def as_response_format(self) -> dict[str, object]:
        """For a model that has structured outputs."""
        told = {"description": self.description} if self.description else {}
        return {
            "type": "json_schema",
            "json_schema": {
                "name": self.name, **told, "schema": dict(self.json_schema), "strict": True,
            },
        }  # fmt: skip

    def as_tool(self) -> dict[str, object]:
        """For a model without them: a function whose arguments are the object."""
        told = self.description or "Give the answer in this form."
        # `strict` is a part of structured outputs, which such a model does not have.
        return {
            "type": "function",
            "function": {
                "name": self.name, "description": told, "parameters": dict(self.json_schema),
            },
        }  # fmt: skip


def schema_of(given: object) -> Schema:
    """The form that a class or a JSON schema describes.

    Raises UsageError for anything else, and for what structured outputs cannot say.
    """
    if isinstance(given, Schema):
        return given
    if isinstance(given, Mapping):
        return _of_mapping(given)
    if not isinstance(given, type):
        raise UsageError(f"schema is a {type(given).__name__}, expected {_EXPECTED}")
    if hasattr(given, "model_json_schema") and hasattr(given, "model_validate_json"):
        model: Any = given  # by its methods, so that pydantic need not be there
        return _of_class(given, model.model_json_schema, model.model_validate_json)
    if _is_plain_record(given):
        return _of_class(
            given,
            lambda: msgspec.json.schema(given),
            lambda text: msgspec.json.decode(text, type=given),
        )
    raise UsageError(f"schema={given.__name__}: expected {_EXPECTED}")


def _is_plain_record(given: type) -> bool:
    is_typed_dict = issubclass(given, dict) and hasattr(given, "__required_keys__")
    return issubclass(given, msgspec.Struct) or dataclasses.is_dataclass(given) or is_typed_dict


def _of_class(
    given: type, describe: Callable[[], dict[str, Any]], read: Callable[[str], object]
) -> Schema:
    try:
        described = describe()
    except Exception as error:
        raise UsageError(
            f"schema={given.__name__}: no JSON schema can be made of it ({_first_line(error)}); "
            "write the schema as a mapping"
        ) from error
    description = inspect.cleandoc(given.__dict__.get("__doc__") or "")
    if dataclasses.is_dataclass(given) and description.startswith(f"{given.__name__}("):
        description = ""  # made by dataclasses, of what the schema says anyway
    strict = strict_schema(described, given.__name__)
    strict.pop("description", None)

    def read_given(text: str) -> object:
        return read(_only_given(text, described))

    return Schema(_name(given.__name__), description, strict, read_given)


def _only_given(text: str, described: Mapping[str, Any]) -> str:
    if "null" not in text:
        return text
    value = decode(text.encode())
    given = without_added_nulls(value, described)
    return text if given == value else json.dumps(given)


def _of_mapping(given: Mapping[str, Any]) -> Schema:
    try:
        schema = json.loads(json.dumps(given))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"schema is no JSON ({error}), expected a JSON schema") from error
    title = schema.get("title")
    name = _name(title) if isinstance(title, str) and title.strip() else "answer"
    strict = strict_schema(schema, name)
    description = strict.pop("description", "")

    def read(text: str) -> object:
        value = without_added_nulls(decode(text.encode()), schema)
        wrong = misfit(value, schema, schema)
        if wrong:
            raise NotAnObject(wrong)
        return value

    return Schema(name, str(description), strict, read)


def _name(words: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", words).strip("_")[:_MAX_NAME] or "answer"


def _first_line(error: Exception) -> str:
    if isinstance(error, (NotJSON, msgspec.DecodeError)) and not isinstance(
        error, msgspec.ValidationError
    ):
        return "it is no JSON"
    lines = [line.strip() for line in str(error).splitlines() if "https://" not in line]
    return "; ".join(lines[:3])[:200] or type(error).__name__
