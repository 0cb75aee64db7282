"""What a callable is: its name, its words, its parameters, and how it is called."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from cellvoice.errors import UsageError

from ._docstring import Docs, told_by

__all__ = ["Declared", "Parameter", "declared", "legal_name", "unwrapped"]

_MAX_NAME: Final = 64
# What a docstring says of a type counts where the signature says nothing.
_TYPE_NAMES: Final[Mapping[str, object]] = {
    "str": str,
    "string": str,
    "int": int,
    "integer": int,
    "float": float,
    "number": float,
    "bool": bool,
    "boolean": bool,
    "list[str]": list[str],
    "list[int]": list[int],
    "list[float]": list[float],
}
_NO_DEFAULT: Final = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that the model fills; `hint` has its description, if there is one."""

    name: str
    hint: Any
    default: object

    @property
    def needed(self) -> bool:
        """Whether it must be given."""
        return self.default is _NO_DEFAULT


@dataclass(frozen=True, slots=True)
class Declared:
    """A callable, taken apart. `positional` are those it takes by place alone, with defaults."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    positional: tuple[tuple[str, object], ...]
    wants_context: str | None


def declared(function: Callable[..., object], name: str | None = None) -> Declared:
    """Take a callable apart. Raises UsageError for one that no model could call."""
    own = unwrapped(function)
    called = legal_name(name or _name_of(own))
    docs = _docs_of(own)
    signature, hints = _signature_of(function, called), _hints_of(own, called)
    bound = function.keywords if isinstance(function, functools.partial) else {}
    parameters: list[Parameter] = []
    positional: list[tuple[str, object]] = []
    context: str | None = None
    rest: list[str] = []
    for at, one in enumerate(signature.parameters.values()):
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            rest.append(str(one))
            continue
        hint = hints.get(one.name, _NO_DEFAULT)
        if at == 0 and one.name in ("self", "cls") and hint is _NO_DEFAULT:
            raise UsageError(
                f"{_said(own)} takes {one.name}: it is the method of a class; give that of an "
                f"object, such as my_object.{called}"
            )
        if one.kind is one.POSITIONAL_ONLY:
            positional.append((one.name, one.default))
        if is_context(hint):
            context = one.name
        elif one.name not in bound:
            parameters.append(_parameter(one, hint, docs, called))
    if rest and not parameters:
        raise UsageError(
            f"{_said(own)} takes {', '.join(rest)}, so there is nothing to tell a model; if it is "
            "a decorated function, use functools.wraps in the decorator"
        )
    return Declared(called, docs.text, tuple(parameters), tuple(positional), context)


def unwrapped(function: Callable[..., object]) -> Callable[..., object]:
    """The function, method or object that a `functools.partial` calls."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def legal_name(name: str) -> str:
    """A name that the service takes: 1 to 64 letters, digits, _ and -. Raises UsageError."""
    found = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:_MAX_NAME]
    if not found:
        raise UsageError(
            f"{name!r} has no letter that a tool's name may have, expected some of A-Z a-z 0-9 _ -"
        )
    return found


def is_context(hint: object) -> bool:
    """Whether a parameter asks for the `ToolContext` of its call."""
    kinds = [hint, *get_args(hint)] if get_origin(hint) is not Annotated else [get_args(hint)[0]]
    return any(
        isinstance(kind, type)
        and any(
            base.__name__ == "ToolContext" and base.__module__.startswith("cellvoice.session.")
            for base in kind.__mro__
        )
        for kind in kinds
    )


def _parameter(one: inspect.Parameter, hint: Any, docs: Docs, called: str) -> Parameter:
    from pydantic import Field
    from pydantic.fields import FieldInfo

    if isinstance(one.default, FieldInfo):
        raise UsageError(
            f"{called}({one.name}=Field(…)): a function called by others would get the Field; "
            f"write {one.name}: Annotated[…, Field(…)]"
        )
    told = docs.parameters.get(one.name)
    if hint is _NO_DEFAULT:
        words = (told.type_name if told else "").partition(",")[0].strip().lower()
        hint = _TYPE_NAMES.get(words, Any)
    own = _own_words(hint)
    text = own or (told.text if told else "")
    if text:
        hint = Annotated[hint, Field(description=text)]
    return Parameter(one.name, hint, one.default)


def _own_words(hint: object) -> str:
    """What `Annotated` says of a parameter: a text, a Doc or a Field."""
    for one in getattr(hint, "__metadata__", ()):
        if isinstance(one, str):
            return one
        for key in ("description", "documentation"):
            text = getattr(one, key, None)
            if isinstance(text, str) and text:
                return text
    return ""


def _signature_of(function: Callable[..., object], called: str) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{called} has no signature that Python can tell ({error}); wrap it in a function "
            "with type hints"
        ) from error


def _hints_of(own: Callable[..., object], called: str) -> dict[str, Any]:
    target = own if _is_function(own) else type(own).__call__
    # The names that are hints are those of the function itself, not of its decorators.
    target = inspect.unwrap(target)
    held = getattr(target, "__func__", target)
    try:
        return get_type_hints(held, localns=_around(held) or None, include_extras=True)
    except NameError as error:
        raise UsageError(
            f"{called} has a type hint with the name {error.name!r}, which is not known where it "
            "is defined; import it there, outside of `if TYPE_CHECKING`, or define it in the module"
        ) from error
    except (TypeError, AttributeError) as error:
        if inspect.isbuiltin(held):
            return {}
        raise UsageError(f"the type hints of {called} can't be read ({error})") from error


def _around(held: Callable[..., object]) -> dict[str, Any]:
    """The names around a function that is defined in another one, as far as they are set yet."""
    cells = held.__closure__ or () if inspect.isfunction(held) else ()
    names = held.__code__.co_freevars if inspect.isfunction(held) else ()
    found = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # such as the session that is made with this tool
    return found


def _docs_of(own: Callable[..., object]) -> Docs:
    if _is_function(own):
        return told_by(own.__doc__)
    return told_by(type(own).__call__.__doc__ or type(own).__doc__)


def _name_of(own: Callable[..., object]) -> str:
    name = getattr(own, "__name__", None) or type(own).__name__
    if name == "<lambda>":
        raise UsageError("a lambda has no name to call it by; write it with def")
    return str(name)


def _is_function(own: object) -> bool:
    return inspect.isroutine(own)


def _said(own: Callable[..., object]) -> str:
    return str(getattr(own, "__qualname__", None) or type(own).__qualname__)
