"""The arguments of a tool: their JSON schema, and from JSON to the function's own types."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NotRequired, Required

from cellvoice.errors import UsageError
from cellvoice.protocol import misfit, without_added_nulls

from ._errors import ToolArgumentsError
from ._signature import Declared, Parameter
from ._typed_dicts import with_readable_typed_dicts

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

__all__ = ["Arguments", "arguments_of", "arguments_of_schema"]

# As many as help a model to repair its call; more is paid for and read by nobody.
_MAX_FAULTS: Final = 5
_SHOWN_LETTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Arguments:
    """`schema` is what pydantic or the caller wrote, before it was made strict."""

    schema: Mapping[str, Any]
    read: Callable[[Mapping[str, object]], dict[str, Any]]


def arguments_of(of: Declared) -> Arguments:
    """The arguments of a function. Raises UsageError for a type that JSON cannot carry."""
    adapter = _adapter(of)
    with warnings.catch_warnings():
        # A default of a nested model that is no JSON is left out of the schema, which is enough.
        warnings.simplefilter("ignore")
        schema = _schema(adapter, of)
    properties = schema.setdefault("properties", {})
    for one in of.parameters:
        if not one.needed:
            _tell_default(properties[one.name], one)
    schema.pop("title", None)
    for one in properties.values():
        one.pop("title", None)

    def read(arguments: Mapping[str, object]) -> dict[str, Any]:
        return _validated(adapter, without_added_nulls(dict(arguments), schema))

    return Arguments(schema, read)


def arguments_of_schema(schema: Mapping[str, Any]) -> Arguments:
    """The arguments that a JSON schema describes, given as they are once they fit."""

    def read(arguments: Mapping[str, object]) -> dict[str, Any]:
        try:
            given = without_added_nulls(dict(arguments), schema)
            wrong = misfit(given, schema, schema, "the arguments")
        except (AttributeError, TypeError, ValueError, RecursionError, re.error):
            # A schema of somebody else's that makes no sense here: whoever runs it checks again.
            return dict(arguments)
        if wrong:
            raise ToolArgumentsError(f"the arguments do not fit: {wrong}")
        assert isinstance(given, dict)
        return given

    return Arguments(schema, read)


def _adapter(of: Declared) -> TypeAdapter[Any]:
    # A TypedDict rather than a model: any name may be a key, and what is not given stays away,
    # so that the function's own default holds.
    return _built({one.name: _key(one) for one in of.parameters}, of)


def _key(one: Parameter) -> Any:
    hint = with_readable_typed_dicts(one.hint)
    return Required[hint] if one.needed else NotRequired[hint]


def _built(keys: dict[str, Any], of: Declared) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError
    from typing_extensions import TypedDict

    make: Any = TypedDict
    made = make(of.name, keys)
    made.__pydantic_config__ = ConfigDict(extra="forbid")
    try:
        return TypeAdapter(made)
    except (PydanticUserError, TypeError, NameError) as error:
        raise UsageError(_at_fault(keys, of, error)) from error


def _at_fault(keys: dict[str, Any], of: Declared, error: Exception) -> str:
    """Which parameter it is that has no schema, in a sentence."""
    from pydantic import TypeAdapter

    for name, hint in keys.items():
        bare = hint.__args__[0]
        try:
            TypeAdapter(bare).json_schema()
        except Exception as own:  # noqa: BLE001 (whatever it is, it is this parameter's)
            return (
                f"{of.name}({name}): nothing of its type can come out of JSON ({_first(own)}); "
                "take a str, a number, a list or a model, or give it with functools.partial"
            )
    return f"{of.name}: no JSON schema can be made of its parameters ({_first(error)})"


def _schema(adapter: TypeAdapter[Any], of: Declared) -> dict[str, Any]:
    from pydantic.errors import PydanticUserError

    try:
        return adapter.json_schema()
    except PydanticUserError as error:
        keys = {one.name: _key(one) for one in of.parameters}
        raise UsageError(_at_fault(keys, of, error)) from error


def _tell_default(schema: dict[str, Any], one: Parameter) -> None:
    from pydantic_core import PydanticSerializationError, from_json, to_json

    try:
        schema["default"] = from_json(to_json(one.default, inf_nan_mode="constants"))
    except (PydanticSerializationError, ValueError):
        pass  # the model is not told; the function has it


def _validated(adapter: TypeAdapter[Any], arguments: object) -> dict[str, Any]:
    from pydantic import ValidationError
    from pydantic_core import to_json

    try:
        # By way of JSON: what a model writes for a date or an enum is a text.
        found: dict[str, Any] = adapter.validate_json(to_json(arguments))
    except ValidationError as error:
        raise ToolArgumentsError(_faults(error)) from error
    return found


def _faults(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)
    told = []
    for one in found[:_MAX_FAULTS]:
        place = ".".join(map(str, one["loc"])) or "the arguments"
        given = "" if one["type"] == "missing" else f" (given: {_shown(one['input'])})"
        told.append(f"{place}: {one['msg']}{given}")
    more = len(found) - len(told)
    told += [f"and {more} more"] if more else []
    return "the arguments do not fit: " + "; ".join(told)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_LETTERS else f"{text[: _SHOWN_LETTERS - 1]}…"


def _first(error: Exception) -> str:
    # What follows is advice for those who write models, not functions.
    return (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0].rstrip(".")
