"""`typing.TypedDict` as pydantic takes it: before Python 3.12 only that of typing_extensions."""

from __future__ import annotations

import sys
import types
import typing
from typing import Annotated, Any, Union, get_args, get_origin

__all__ = ["with_readable_typed_dicts"]


def with_readable_typed_dicts(hint: Any) -> Any:
    """The type with every `typing.TypedDict` in it replaced by one that pydantic takes.

    Drop it when Python 3.11 is no longer among the versions that are supported; on later ones it
    does nothing.
    """
    return hint if sys.version_info >= (3, 12) else _replaced(hint, {})


def _replaced(hint: Any, known: dict[type, Any]) -> Any:
    if typing.is_typeddict(hint) and type(hint).__module__ == "typing":
        return _typed_dict(hint, known)
    arguments = get_args(hint)
    origin = get_origin(hint)
    if not arguments or origin is typing.Literal:
        return hint
    if origin is Annotated:
        first = _replaced(arguments[0], known)
        return hint if first is arguments[0] else Annotated[(first, *hint.__metadata__)]
    replaced = tuple(_replaced(one, known) for one in arguments)
    if all(new is old for new, old in zip(replaced, arguments, strict=True)):
        return hint
    if origin in (Union, types.UnionType):
        return Union[replaced]  # noqa: UP007 (made of a tuple)
    return origin[replaced]


def _typed_dict(hint: Any, known: dict[type, Any]) -> Any:
    import typing_extensions

    if hint in known:
        return known[hint]
    # A TypedDict that holds itself is a forward reference there, which pydantic can't follow into
    # the copy; it is left as it is, and the error says so.
    known[hint] = hint
    fields = {
        name: _field(_replaced(one, known), needed=name in hint.__required_keys__)
        for name, one in typing.get_type_hints(hint, include_extras=True).items()
    }
    make: Any = typing_extensions.TypedDict
    made = make(hint.__name__, fields)
    made.__doc__ = hint.__doc__
    made.__module__ = hint.__module__
    known[hint] = made
    return made


def _field(hint: Any, *, needed: bool) -> Any:
    # With `from __future__ import annotations` the class itself has not seen its NotRequired.
    bare = hint
    while get_origin(bare) in (typing.Required, typing.NotRequired):
        needed = get_origin(bare) is typing.Required
        bare = get_args(bare)[0]
    return typing.Required[bare] if needed else typing.NotRequired[bare]
