"""What can be read of an object while its JSON still comes."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["partial_object"]

_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_NUMBER_AT_END: Final = re.compile(r"-?[0-9][0-9.eE+-]*\Z")


def partial_object(text: str) -> dict[str, object] | None:
    """The object that the text so far says, or None while it says none, or nonsense.

    A text that goes on is there as far as it goes, a number only once it is whole: `{"a": "Ly` is
    `{"a": "Ly"}`, and `{"n": 12` is `{}`, for 123 may come of it. Every value that is in the result
    stays in those that follow, longer at its end at most. Takes time in the length of the text, so
    a caller with many small pieces asks a few times a second.
    """
    from pydantic_core import from_json

    # Inside a text digits are letters; an odd quote, apart from escaped ones, has opened one.
    if not _ESCAPED.sub("", text).count('"') % 2:
        text = _NUMBER_AT_END.sub("", text)
    try:
        found = from_json(text, allow_partial="trailing-strings", allow_inf_nan=False)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
